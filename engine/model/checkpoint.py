"""Models on disk: weights.safetensors and a config.json that rebuilds the networks. Never pickle.

A model is one or more networks, each with the formulas that it was trained on, so that a
prediction can be asked of those that never saw a crystal's formula.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import torch

from engine.config import GraphConfig, ModelConfig
from engine.errors import EngineError, check
from engine.files import read_json, read_tensors, write_tensors, write_text
from engine.model.intervals import SIGNS, USUAL, Calibration
from engine.model.neighbourhood import Neighbourhood
from engine.network.building import alone
from engine.network.frozen_features import student_hash
from engine.network.network import DielectricNetwork, learnt

FORMAT = 4
OLDER = (2, 3)  # calibrated without classes; without a correction taught by phonons. Read, no longer written
TRAINED = ("heads", "pbesol", "springs", "direct", "potential_level")  # on any backbone
_NEIGHBOURHOOD = ("center", "projection", "points", "gaps")
STUDENT = "student_sha256"
WEIGHTS, CONFIG, CARD = "weights.safetensors", "config.json", "card.md"


class Member(TypedDict):
    """A network in config.json: the fields of its `ModelConfig`, and the formulas that taught it."""

    model: dict[str, Any]
    trained_on: list[str]


class Near(TypedDict):
    """What config.json holds of a `Neighbourhood`, whose tensors are among the weights."""

    formulas: Sequence[str]
    far: float


class Config(TypedDict):
    """All of config.json; `graph` and each `calibration` are the fields of these dataclasses."""

    format: int
    graph: dict[str, Any]
    element_counts: dict[str, int]
    about: dict[str, str]
    calibration: dict[str, dict[str, Any]]
    members: list[Member]
    neighbourhood: NotRequired[Near]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A trained model.

    Attributes:
        networks: members of the ensemble, all with the same graphs and targets.
        trained_on: reduced formulas that each member was trained on.
        element_counts: number of training crystals that hold each element.
        calibration: of each target; empty without held-out crystals.
        neighbourhood: training crystals in the features of the first network.
        about: what the model was made from: data set, its SHA-256, seed, command, versions.
    """

    networks: list[DielectricNetwork]
    trained_on: tuple[frozenset[str], ...]
    element_counts: dict[str, int]
    calibration: dict[str, Calibration] = field(default_factory=dict)
    neighbourhood: Neighbourhood | None = None
    about: dict[str, str] = field(default_factory=dict)

    def single(self, place: int) -> "Checkpoint":
        """The network at a place in the ensemble alone."""
        return Checkpoint(
            networks=[self.networks[place]],
            trained_on=(self.trained_on[place],),
            element_counts=self.element_counts,
        )


def save_checkpoint(folder: Path, checkpoint: Checkpoint, half: bool = False) -> None:
    """Write a model into `folder`; each file is replaced whole.

    With `half`, the readouts are rounded to half precision, and the file half as large. Clebsch-Gordan
    coefficients and the like are not written: they are made anew in a network's own dtype.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config: Config = {
        "format": FORMAT,
        "graph": asdict(checkpoint.networks[0].graph_config),
        "element_counts": checkpoint.element_counts,
        "about": checkpoint.about | _backbone(checkpoint.networks[0]),
        "calibration": {target: asdict(one) for target, one in checkpoint.calibration.items()},
        "members": [
            {"model": asdict(network.model_config), "trained_on": sorted(formulas)}
            for network, formulas in zip(checkpoint.networks, checkpoint.trained_on, strict=True)
        ],
    }
    weights = {
        f"{index}.{name}": tensor.half() if half and name.startswith(TRAINED) else tensor
        for index, network in enumerate(checkpoint.networks)
        for name, tensor in learnt(network).items()
    }
    near = checkpoint.neighbourhood
    if near:
        tensors = {name: getattr(near, name) for name in _NEIGHBOURHOOD}
        weights |= {f"neighbourhood.{name}": t for name, t in tensors.items() if not t.isnan().all()}
        config["neighbourhood"] = {"formulas": near.formulas, "far": near.far}
    write_tensors(folder / WEIGHTS, weights)
    write_text(folder / CONFIG, json.dumps(config, indent=1))


@alone
def load_checkpoint(folder: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a model back, ready to predict on `device`.

    Raises:
        EngineError: files are missing, damaged, of a newer format, or do not fit together.
    """
    config = cast(Config, read_json(folder / CONFIG))
    check(
        config.get("format") in (*OLDER, FORMAT),
        f"{folder}: format {config.get('format')} is not {FORMAT}; update this program or retrain the model",
    )
    weights, about = read_tensors(folder / WEIGHTS), config["about"]
    check(
        STUDENT not in about or about[STUDENT] == student_hash(),
        f"{folder}: was trained on another distilled network; train it again",
    )
    graph = GraphConfig(**config["graph"])
    networks: list[DielectricNetwork] = []
    for index, member in enumerate(config["members"]):
        model = ModelConfig(**member["model"])
        alike = next((network for network in networks if network.model_config == model), None)
        network = deepcopy(alike) if alike else DielectricNetwork(graph, model)  # a copy takes half the time
        prefix = f"{index}."
        own = {name.removeprefix(prefix): t for name, t in weights.items() if name.startswith(prefix)}
        misfit = EngineError(f"{folder}: the weights do not fit config.json; copy the model again")
        check(
            config["format"] == FORMAT or not (model.direct and model.asks_potential),
            f"{folder}: an earlier version made it, which corrected the potential otherwise; evaluate it again",
        )
        if set(own) != set(learnt(network)):
            raise misfit
        try:
            network.load_state_dict(own, strict=False)
        except RuntimeError as error:
            raise misfit from error
        networks.append(network.to(device).eval().requires_grad_(False))
    return Checkpoint(
        networks=networks,
        trained_on=tuple(frozenset(member["trained_on"]) for member in config["members"]),
        element_counts=config["element_counts"],
        calibration={target: _calibration(one) for target, one in config["calibration"].items()},
        neighbourhood=_neighbourhood(config, weights, device),
        about=about,
    )


def _backbone(network: DielectricNetwork) -> dict[str, str]:
    """What the readouts of a distilled network belong to."""
    return {STUDENT: student_hash()} if network.model_config.backbone == "distilled" else {}


def _calibration(rows: dict[str, Any]) -> Calibration:
    scores = rows["scores"] if isinstance(rows["scores"], dict) else {USUAL: rows["scores"]}
    missing = (0.0,) * (SIGNS - len(rows["weights"][0]))  # of an older model
    return Calibration(
        weights=tuple((*row, *missing) for row in rows["weights"]),
        scores={name: tuple(tuple(row) for row in own) for name, own in scores.items()},
    )


def _neighbourhood(
    config: Config, weights: dict[str, torch.Tensor], device: torch.device | str
) -> Neighbourhood | None:
    if "neighbourhood" not in config:
        return None
    formulas = tuple(config["neighbourhood"]["formulas"])
    weights = {"neighbourhood.gaps": torch.full((len(formulas),), torch.nan)} | weights  # where none is known
    tensors = {name: weights[f"neighbourhood.{name}"].to(device) for name in _NEIGHBOURHOOD}
    return Neighbourhood(**tensors, formulas=formulas, far=config["neighbourhood"]["far"])
