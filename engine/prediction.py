"""Structures in, dielectric tensors with intervals and warnings out."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from engine import pretrained, tensors
from engine.calibration import Calibration, Signs, coarse_name, intervals, quantities
from engine.checkpoint import CARD, CONFIG, load_checkpoint
from engine.config import GraphConfig, ModelConfig
from engine.ensemble import combine
from engine.errors import EngineError, check
from engine.features import material_force_constants
from engine.force_constants import effort, force_constants
from engine.frames import to_ieee
from engine.graph import CrystalGraph, collate, crystal_graphs
from engine.materials import Material
from engine.neighbourhood import Neighbour
from engine.network import DielectricNetwork, dipole_fields
from engine.pretrained import pretrained_features
from engine.springs import stiffness
from engine.structure_files import read_path
from engine.training import resolve_device

MODELS_FOLDER = Path(__file__).resolve().parents[1] / "models"
DEFAULT_MODEL = "sevennet-l3i5"
BATCH_SIZE = 4  # larger ones outgrow a CPU cache
CLOSEST = 0.5  # Å; atoms nearer than this are one atom written twice
RARE = 5  # training crystals that an element should have
MOST_EFFORT = {"cpu": 1000, "cuda": 100_000}  # see force_constants.effort; half a minute or so
NEIGHBOURS = 8  # training formulas named beside a prediction
NARROW_GAP = 20.0  # electronic means above this belong to nearly metallic crystals

Input = Structure | Atoms | Material | str | Path


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What a model says of one crystal.

    Attributes:
        structure: the crystal.
        electronic, ionic: [3, 3] float64 relative permittivity in the structure's own Cartesian axes; None for a
            target that the model was not trained on.
        calibration: of each target, see `interval`.
        spread: target -> [4], what the networks disagree by, see `calibration.Signs`.
        distance: to the nearest training crystal, see neighbourhood.py; nan for a model without that.
        neighbours: the training formulas nearest to it, the nearest first; none for a model without that.
        coarse: True where the cell was too large for force constants, so that the ionic part is rougher.
        warnings: reasons to trust the prediction less, a sentence each.
        held_out: True where no network that answered was trained on a crystal of this reduced formula.
    """

    structure: Structure
    electronic: np.ndarray | None
    ionic: np.ndarray | None
    calibration: dict[str, Calibration] = field(repr=False)
    spread: dict[str, np.ndarray] = field(repr=False)
    distance: float
    neighbours: tuple[Neighbour, ...]
    coarse: bool
    warnings: list[str]
    held_out: bool

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return self.structure.composition.reduced_formula

    @property
    def total(self) -> np.ndarray | None:
        """[3, 3] static tensor, electronic + ionic."""
        return None if self.electronic is None or self.ionic is None else self.electronic + self.ionic

    @property
    def electronic_ieee(self) -> np.ndarray | None:
        """[3, 3] electronic tensor in IEEE 1987 axes; raises EngineError where these are not defined."""
        return None if self.electronic is None else to_ieee(self.electronic, self.structure)

    @property
    def n(self) -> float | None:
        """Refractive index sqrt(mean of the electronic diagonal)."""
        return None if self.electronic is None else tensors.refractive_index(self.electronic)

    @cached_property
    def principal_values(self) -> np.ndarray | None:
        """[3] principal values of the electronic tensor, ascending."""
        return None if self.electronic is None else tensors.principal_values(self.electronic)

    @property
    def birefringence(self) -> float | None:
        """Largest minus smallest principal refractive index."""
        return None if self.electronic is None else tensors.birefringence(self.electronic)

    @property
    def optical_class(self) -> tensors.OpticalClass | None:
        """Isotropic, uniaxial positive or negative, or biaxial."""
        return None if self.electronic is None else tensors.optical_class(self.electronic)

    def interval(self, target: str, level: float = 0.9) -> tuple[float, float]:
        """(low, high) of the mean of the diagonal of `target`, calibrated on crystals held out of training.

        Raises:
            EngineError: the model has no such target or no calibration, or too little for `level`.
        """
        return tuple(self._intervals(target, level)[0].tolist())

    def principal_intervals(self, target: str, level: float = 0.9) -> np.ndarray:
        """[3, 2] the same for each principal value, ascending; raises as `interval` does."""
        return self._intervals(target, level)[1:]

    def _intervals(self, target: str, level: float) -> np.ndarray:
        check(
            target in ("electronic", "ionic", "total"),
            f"target must be electronic, ionic or total, got {target!r}",
        )
        tensor = getattr(self, target)
        calibration = self.calibration.get(coarse_name(target) if self.coarse else target)
        check(tensor is not None and calibration is not None, f"this model has no calibrated {target} tensor")
        signs = Signs(
            values=quantities(tensor)[None],
            spread=self.spread[target][None],
            distance=np.array([self.distance]),
        )
        return intervals(target, calibration, signs, level)[0]


def available_models() -> list[str]:
    """Names of the shipped models, the default first."""
    names = sorted(path.parent.name for path in MODELS_FOLDER.glob(f"*/{CONFIG}"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


class Predictor:
    """A trained model, loaded and ready; never changes, so that threads may share it."""

    def __init__(self, folder: Path, device: str = "auto") -> None:
        """Load the model in `folder`; raises EngineError where it is missing, damaged or the device is."""
        self.device = resolve_device(device)
        self.name = folder.name
        self._checkpoint = load_checkpoint(folder, self.device)
        seen = self._checkpoint.trained_on
        self._groups = [seen.index(formulas) for formulas in seen]
        card = folder / CARD
        self.card = card.read_text() if card.is_file() else ""

    @classmethod
    def load(cls, name: str | Path | None = None, device: str = "auto") -> "Predictor":
        """The default shipped model, one of `available_models()`, or a model or run folder.

        Raises:
            EngineError: there is no such model, or no such device.
        """
        shipped = MODELS_FOLDER / str(name or DEFAULT_MODEL)
        folder = shipped if shipped.is_dir() else Path(name or shipped)
        check(
            (folder / CONFIG).is_file(),
            f"{name or DEFAULT_MODEL}: no such model; shipped are: {', '.join(available_models()) or 'none'}; "
            "or give the folder of a finished training run",
        )
        return cls(folder, device)

    @property
    def targets(self) -> tuple[str, ...]:
        """What the model predicts: "electronic", "ionic" or both."""
        return self.model_config.targets

    @property
    def graph_config(self) -> GraphConfig:
        """How the model's graphs are built."""
        if self.model_config.backbone == "pretrained":
            return pretrained.GRAPH
        return self._checkpoint.networks[0].graph_config

    @property
    def model_config(self) -> ModelConfig:
        """Size of the model's networks."""
        return self._checkpoint.networks[0].model_config

    @property
    def networks(self) -> tuple[DielectricNetwork, ...]:
        """The members of the ensemble, to look into; not to be changed."""
        return tuple(self._checkpoint.networks)

    @property
    def element_counts(self) -> dict[str, int]:
        """Number of training crystals that hold each element."""
        return dict(self._checkpoint.element_counts)

    @property
    def about(self) -> dict[str, str]:
        """What the model was made from."""
        return dict(self._checkpoint.about)

    def predict(self, structure: Input, out_of_fold: bool = False) -> Prediction:
        """The tensors of one crystal.

        Args:
            structure: pymatgen Structure, periodic ASE Atoms, or the path of a file that holds one crystal; a
                Material comes with force constants that are shipped or cached, and is answered faster.
            out_of_fold: ask only the networks that were never trained on this reduced formula, where there are
                any; right for comparing with DFT, while all together are the more accurate for a new crystal.

        Raises:
            EngineError: this is not one ordered, periodic crystal.
        """
        return self.predict_many([structure], out_of_fold=out_of_fold)[0]

    def predict_many(
        self,
        structures: Iterable[Input],
        batch_size: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        out_of_fold: bool = False,
    ) -> list[Prediction]:
        """`predict` for many crystals, in order.

        Args:
            batch_size: crystals at once.
            progress: called with (done, total) after each batch.

        Raises:
            EngineError: one of them is not an ordered, periodic crystal; none is predicted then.
        """
        crystals = [one if isinstance(one, Material) else as_structure(one) for one in structures]
        size = batch_size or BATCH_SIZE
        predictions = []
        for start in range(0, len(crystals), size):
            predictions += self._predict_batch(crystals[start : start + size], out_of_fold)
            if progress:
                progress(len(predictions), len(crystals))
        return predictions

    def _predict_batch(self, crystals: Sequence[Structure | Material], out_of_fold: bool) -> list[Prediction]:
        checkpoint = self._checkpoint
        precision = torch.float32 if self.model_config.backbone == "scratch" else torch.float64
        graphs = crystal_graphs(crystals, self.graph_config, precision, self.device)
        self._add_springs(crystals, graphs)
        crystals = [one.structure if isinstance(one, Material) else one for one in crystals]
        latent, embedding = self._latent(graphs)
        formulas = [crystal.composition.reduced_formula for crystal in crystals]
        unseen = torch.tensor([[f not in seen for f in formulas] for seen in checkpoint.trained_on])  # [S, B]
        answers = torch.ones_like(unseen)
        if out_of_fold:
            answers = torch.where(unseen.any(0), unseen, answers)
        volume = torch.cat([graph.volume_per_atom for graph in graphs])
        found, spread = combine(latent, answers, self._groups, self.targets, volume)
        near = checkpoint.neighbourhood
        distance = near.distances(embedding, formulas).tolist() if near else [math.nan] * len(crystals)
        neighbours = near.nearest(embedding, formulas, NEIGHBOURS) if near else [()] * len(crystals)
        held_out = (unseen | ~answers).all(0).tolist()
        electronic, ionic = (found.get(target, [None] * len(crystals)) for target in ("electronic", "ionic"))
        return [
            Prediction(
                structure=crystal,
                electronic=electronic[index],
                ionic=ionic[index],
                calibration=checkpoint.calibration,
                spread={target: values[index] for target, values in spread.items()},
                distance=distance[index],
                neighbours=neighbours[index],
                coarse="sprung" in graph and not bool(graph.sprung),
                warnings=self._warnings(crystal, graph, electronic[index], distance[index], held_out[index]),
                held_out=held_out[index],
            )
            for index, (crystal, graph) in enumerate(zip(crystals, graphs, strict=True))
        ]

    def _add_springs(
        self, crystals: Sequence[Structure | Material], graphs: Sequence[CrystalGraph]
    ) -> None:
        """Springs for the ionic part, but for cells that would take too long."""
        if self.model_config.ionic_readout != "springs" or "ionic" not in self.targets:
            return
        for crystal, graph in zip(crystals, graphs, strict=True):
            feasible = effort(crystal) <= MOST_EFFORT[self.device.type]
            graph.sprung = torch.tensor([feasible], device=self.device)
            graph.springs = torch.zeros(0, 3, 3, dtype=torch.float64, device=self.device)
            if feasible and isinstance(crystal, Material):
                graph.springs = stiffness(material_force_constants([crystal], self.device)[0].to(self.device))
            elif feasible:
                constants = force_constants(crystal, torch.float64, self.device)
                graph.springs = stiffness(torch.as_tensor(constants, device=self.device))

    def _latent(self, graphs: list[CrystalGraph]) -> tuple[torch.Tensor, torch.Tensor]:
        """M of every network, [S, T, B, 3, 3], and embeddings [B, F]; half at a time where memory runs out."""
        try:
            with torch.inference_mode():
                batch = collate(graphs)
                if self.model_config.frozen:
                    batch.features = pretrained_features(self.device, torch.float64)(batch).float()
                if self.model_config.readout == "dipoles":
                    batch.dipole_field = dipole_fields(batch, self.model_config.sigma)
                networks = self._checkpoint.networks
                return torch.stack([network.latent(batch) for network in networks]), networks[0].embedding(batch)
        except torch.OutOfMemoryError as error:
            if len(graphs) == 1:
                raise EngineError(
                    f"{len(graphs[0].atomic_numbers)} atoms do not fit into the memory of {self.device}; "
                    "use device cpu or a smaller cell"
                ) from error
        middle = len(graphs) // 2
        first, second = self._latent(graphs[:middle]), self._latent(graphs[middle:])
        return torch.cat([first[0], second[0]], dim=2), torch.cat([first[1], second[1]])

    def _warnings(
        self,
        crystal: Structure,
        graph: CrystalGraph,
        electronic: np.ndarray | None,
        distance: float,
        held_out: bool,
    ) -> list[str]:
        found = []
        for element in sorted(crystal.composition.elements):
            name = f"{element.long_name} ({element.symbol})"
            count = self._checkpoint.element_counts.get(element.symbol, 0)
            if count == 0:
                found.append(f"{name} is in no training crystal with a tensor: a guess.")
            elif count < RARE:
                found.append(f"{name} is in only {count} training crystal(s) with a tensor.")
        alone = graph.num_nodes - len(graph.edge_index[0].unique())
        if alone:
            found.append(
                f"{alone} of {graph.num_nodes} atoms have no neighbour within "
                f"{self.graph_config.r_max:g} Å: no training crystal is like that."
            )
        if "sprung" in graph and not graph.sprung:
            found.append(
                f"{graph.num_nodes} atoms with little symmetry are too many for force constants on this device: "
                "the ionic part is a rougher estimate."
            )
        near = self._checkpoint.neighbourhood
        if near and distance > near.far:
            found.append(
                f"The crystal is {distance:.1f} times as far from all training crystals as one of them usually "
                "is from the others: a guess."
            )
        if electronic is not None and tensors.mean(electronic) > NARROW_GAP:
            found.append("The electronic mean is above 20: a nearly metallic crystal, where errors are large.")
        if not held_out:
            found.append(
                f"{crystal.composition.reduced_formula} is a formula of the training set: agreement with DFT "
                "proves little here."
            )
        return found


def as_structure(source: Input) -> Structure:
    """An ordered, periodic crystal of what the user gave.

    Raises:
        EngineError: the input is something else, or holds no crystal that can be computed.
    """
    if isinstance(source, (str, Path)):
        found = read_path(Path(source))
        check(len(found) == 1, f"{source}: holds {len(found)} structures; predict_many takes them one by one")
        source = found[0]
    if isinstance(source, Atoms):
        check(bool(source.pbc.all()), f"{source.get_chemical_formula()}: must be periodic in three directions")
        source = AseAtomsAdaptor.get_structure(source)
    check(
        isinstance(source, Structure),
        f"a pymatgen Structure, ASE Atoms or a path is needed, got {type(source).__name__}",
    )
    name = source.composition.reduced_formula if len(source) else "empty structure"
    check(len(source) > 0, "the structure holds no atom")
    check(source.is_ordered, f"{name}: some sites are shared or partly occupied; give an ordered structure")
    check(
        bool(np.isfinite(source.lattice.matrix).all() and np.isfinite(source.frac_coords).all()),
        f"{name}: lattice and coordinates must be finite numbers",
    )
    check(source.volume > 1e-3, f"{name}: the cell has no volume; check its lattice vectors")
    check(
        source.is_valid(tol=CLOSEST),
        f"{name}: two atoms are closer than {CLOSEST} Å; one may be listed twice",
    )
    return source
