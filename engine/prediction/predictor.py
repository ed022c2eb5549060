"""Structures in, dielectric tensors with intervals and warnings out."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from pymatgen.core import Structure

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph
from engine.crystals.inputs import Input, as_crystal
from engine.crystals.material import Crystal, structure_of
from engine.crystals.stacking import stacked
from engine.crystals.vacuum import InVacuum, in_vacuum
from engine.data.citations import citation_of
from engine.errors import EngineError, check
from engine.files import MODELS_FOLDER, RESULTS_FOLDER
from engine.model.checkpoint import CARD, load_checkpoint
from engine.model.ensemble import combine
from engine.model.inference import ALONE, Answers, ensemble_answers
from engine.model.memory import check_fits
from engine.model.metals import CERTAIN, is_elemental_metal, read_metals
from engine.model.shipped_models import model_folder
from engine.model.unlabelled_graphs import by_pbesol, unlabelled_graphs
from engine.network import potential
from engine.network.device import resolve_device
from engine.network.network import DielectricNetwork
from engine.prediction.low_dimensional import LowDimensional, low_dimensional
from engine.prediction.prediction import Functional, Prediction
from engine.prediction.shipped import FILE, ShippedPredictions, read_predictions
from engine.prediction.warnings import doubts, in_a_box
from engine.vibrations.ions import Ions
from engine.vibrations.mode_intervals import read_calibrations

BATCH_SIZE = 4  # larger ones outgrow a CPU cache
AskedMethod = Literal["full", "direct"]
NO_ANSWER = "the network gives no finite tensor: no crystal that it learnt from is like this; check the cell"
CITE = "**Cite** "  # of a model's card, whose last paragraph it begins
NEIGHBOURS = 8  # training formulas named beside a prediction


class Predictor:
    """A trained model, loaded and ready; never changes, so that threads may share it."""

    def __init__(self, folder: Path, device: str = "auto") -> None:
        """Load the model in `folder`; raises EngineError where it is missing, damaged or the device is."""
        self.device = resolve_device(device)
        self.name = folder.name
        self._checkpoint = load_checkpoint(folder, self.device)
        seen = self._checkpoint.trained_on
        self._groups = [seen.index(formulas) for formulas in seen]
        shipped = folder.parent == MODELS_FOLDER
        results = RESULTS_FOLDER / f"modes-{folder.name}.json"
        self._mode_calibrations = read_calibrations(results) if shipped else {}
        self._metals = read_metals(folder, self.device)
        self._predictions = folder / FILE
        card = folder / CARD
        self.card = card.read_text() if card.is_file() else ""
        taught_by = citation_of(self._checkpoint.about.get("data", ""))
        self.citation = " ".join(self.card.partition(CITE)[2].split()) or taught_by

    @classmethod
    def load(cls, name: str | Path | None = None, device: str = "auto") -> "Predictor":
        """The default shipped model, one of `available_models()`, or a model or run folder.

        Raises:
            EngineError: there is no such model, or no such device.
        """
        return cls(model_folder(name), device)

    @property
    def targets(self) -> tuple[str, ...]:
        """What the model predicts: "electronic", "ionic" or both."""
        return self.model_config.targets

    @property
    def functionals(self) -> tuple[Functional, ...]:
        """Of DFT, whose tensors the model can give; it is calibrated for the first."""
        return ("PBE", "PBEsol") if self.model_config.direct else ("PBE",)

    @property
    def graph_config(self) -> GraphConfig:
        """How the model's graphs are built."""
        if self.model_config.backbone != "scratch":
            return potential.GRAPH
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
    def trained_on(self) -> tuple[frozenset[str], ...]:
        """Reduced formulas that each of `networks` was trained on."""
        return self._checkpoint.trained_on

    @property
    def about(self) -> dict[str, str]:
        """What the model was made from."""
        return dict(self._checkpoint.about)

    def shipped(self, crystal: Crystal) -> Prediction | None:
        """The prediction that ships with the model, at once: out-of-fold, by PBE and by PBEsol, see shipped.py.

        None for a crystal that has none; one that lies otherwise in space, or in another cell, has none either.

        Raises:
            EngineError: the file of predictions is damaged.
        """
        if self._shipped is None:
            return None
        calibration = self._checkpoint.calibration
        return self._shipped.prediction(crystal, calibration, self._mode_calibrations, self.citation)

    @cached_property
    def _shipped(self) -> ShippedPredictions | None:
        return read_predictions(self._predictions)

    def predict(
        self,
        structure: Input,
        out_of_fold: bool = False,
        targets: Sequence[str] | None = None,
        functional: Functional = "PBE",
        ionic_method: AskedMethod = "full",
        steps: Callable[[int, int], None] | None = None,
        also_by_pbesol: bool = False,
    ) -> Prediction:
        """The tensors of one crystal.

        Args:
            structure: pymatgen Structure, periodic ASE Atoms, or the path of a file that holds one crystal; a
                Material comes with force constants that are shipped or cached, and is answered faster.
            out_of_fold: ask only the networks that were never trained on this reduced formula, where there are
                any; right for comparing with DFT, while all together are the more accurate for a new crystal.
            targets: which of the model's targets to answer, all by default; the electronic tensor alone needs no
                force constants, which take most of the time.
            functional: of DFT, one of `functionals`.
            ionic_method: "direct" does without the potential's force constants, and is many times as fast; see
                `Prediction.ionic_method`.
            steps: called with (done, total) while the potential's force constants are computed.
            also_by_pbesol: answer by PBEsol too, see `Prediction.by_pbesol`, unless the model knows PBE alone or
                the ionic part is not asked for.

        Raises:
            EngineError: this is not one ordered, periodic crystal, or the model lacks a target or the functional.
        """
        return self.predict_many(
            [structure],
            out_of_fold=out_of_fold,
            targets=targets,
            functional=functional,
            ionic_method=ionic_method,
            steps=steps,
            also_by_pbesol=also_by_pbesol,
        )[0]

    def predict_many(
        self,
        structures: Iterable[Input],
        batch_size: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        out_of_fold: bool = False,
        targets: Sequence[str] | None = None,
        functional: Functional = "PBE",
        ionic_method: AskedMethod = "full",
        steps: Callable[[int, int], None] | None = None,
        also_by_pbesol: bool = False,
    ) -> list[Prediction]:
        """`predict` for many crystals, in order.

        Args:
            batch_size: crystals at once.
            progress: called with (done, total) after each batch.
            targets, functional, ionic_method, steps, also_by_pbesol: see `predict`.

        Raises:
            EngineError: one of them is not an ordered, periodic crystal or too large for the memory that is free,
                or the model lacks a target or the functional; none is predicted then.
        """
        check(
            functional in self.functionals,
            f"the model {self.name} answers as {' or '.join(self.functionals)} would, got {functional!r}",
        )
        crystals = [as_crystal(structure) for structure in structures]
        size, wanted = batch_size or BATCH_SIZE, self._wanted(targets)
        springs = "ionic" in wanted and ionic_method == "full"
        twice = also_by_pbesol and "ionic" in wanted and functional == "PBE" and "PBEsol" in self.functionals

        def ask(some: Sequence[Crystal]) -> list[Prediction]:
            graphs = unlabelled_graphs(some, self.graph_config, self.model_config, self.device, springs, steps)
            try:
                found = self._predict_batch(some, graphs, out_of_fold, wanted, functional)
                if not twice:
                    return found
                others = self._predict_batch(some, graphs, out_of_fold, wanted, "PBEsol")
                return [replace(one, by_pbesol=other) for one, other in zip(found, others, strict=True)]
            except torch.linalg.LinAlgError as error:
                if len(some) > 1:
                    return [answer for one in some for answer in ask([one])]
                raise EngineError(f"{_formula(some[0])}: {NO_ANSWER}") from error

        for crystal in crystals:
            self._check_memory(crystal, wanted)
        found: dict[int, Prediction] = {}
        order = sorted(range(len(crystals)), key=lambda i: len(structure_of(crystals[i])))  # a batch of like size
        for start in range(0, len(crystals), size):
            chosen = order[start : start + size]
            answers = ask([crystals[i] for i in chosen])
            found |= {i: _with_own_response(one, ask) for i, one in zip(chosen, answers, strict=True)}
            if progress:
                progress(len(found), len(crystals))
        return [found[i] for i in range(len(crystals))]

    def check_memory(self, structure: Input, targets: Sequence[str] | None = None) -> None:
        """Whether a crystal can be predicted on this machine as it is now, without predicting it.

        Raises:
            EngineError: its primitive cell holds too many atoms for the memory that is free; says how many would
                do. Or it is no ordered, periodic crystal, or the model lacks a target.
        """
        self._check_memory(as_crystal(structure), self._wanted(targets))

    def _check_memory(self, crystal: Crystal, wanted: Sequence[str]) -> None:
        if self.device.type == "cpu" and len(structure_of(crystal)) > ALONE:
            check_fits(crystal, self.graph_config, self.model_config, wanted)

    def _wanted(self, targets: Sequence[str] | None) -> tuple[str, ...]:
        """Those of the model's targets that are asked for, in its order."""
        if targets is None:
            return self.targets
        missing = [target for target in targets if target not in self.targets]
        check(
            bool(targets) and not missing,
            f"the model {self.name} predicts {' and '.join(self.targets)}, got {', '.join(targets) or 'nothing'}",
        )
        return tuple(target for target in self.targets if target in targets)

    def _predict_batch(
        self,
        crystals: Sequence[Crystal],
        graphs: list[CrystalGraph],
        out_of_fold: bool,
        wanted: tuple[str, ...],
        functional: Functional,
    ) -> list[Prediction]:
        checkpoint, r_max = self._checkpoint, self.graph_config.r_max
        graphs = by_pbesol(graphs) if functional == "PBEsol" else graphs
        structures = [structure_of(crystal) for crystal in crystals]
        formulas = [structure.composition.reduced_formula for structure in structures]
        asked, held_out = self._asked(formulas, out_of_fold)
        answer = ensemble_answers(checkpoint.networks, graphs, self.device, wanted, asked)
        embedding = answer.embedding
        volume = torch.cat([graph.volume_per_atom for graph in graphs])
        found, spread = combine(answer.latents, asked, self._groups, wanted, volume)
        near = checkpoint.neighbourhood
        distance = near.distances(embedding, formulas).tolist() if near else [math.nan] * len(crystals)
        gaps = near.gap(embedding, formulas).tolist() if near else [math.nan] * len(crystals)
        metallic = self._metallic(structures, embedding)
        ions = _ions(graphs, answer)
        neighbours = near.nearest(embedding, formulas, NEIGHBOURS) if near else [()] * len(crystals)
        electronic, ionic = (found.get(target, [None] * len(crystals)) for target in ("electronic", "ionic"))
        return [
            Prediction(
                structure=structure,
                electronic=electronic[i],
                ionic=ionic[i],
                ions=ions[i],
                calibration=checkpoint.calibration,
                mode_calibrations=self._mode_calibrations.get(functional, {}),
                spread={target: values[i] for target, values in spread.items()},
                distance=distance[i],
                gap_nearby=gaps[i],
                neighbours=neighbours[i],
                metallic=metallic[i],
                ionic_method=_ionic_method(graph, self.model_config) if "ionic" in wanted else None,
                functional=functional,
                doubts=doubts(
                    structure,
                    graph,
                    checkpoint,
                    r_max,
                    electronic[i],
                    ionic[i],
                    distance[i],
                    held_out[i],
                    ions[i],
                    metallic[i],
                    gaps[i],
                ),
                held_out=held_out[i],
                citation=self.citation,
            )
            for i, (structure, graph) in enumerate(zip(structures, graphs, strict=True))
        ]

    def _metallic(self, structures: Sequence[Structure], embedding: torch.Tensor) -> list[float]:
        """`Prediction.metallic` of each crystal."""
        if self._metals is None:
            return [math.nan] * len(structures)
        found = self._metals.probability(embedding).tolist()
        return [
            max(one, CERTAIN) if is_elemental_metal(structure) else one
            for one, structure in zip(found, structures, strict=True)
        ]

    def _asked(self, formulas: Sequence[str], out_of_fold: bool) -> tuple[torch.Tensor, list[bool]]:
        """[S, B] which networks are asked about each formula, and whether none of these was trained on it."""
        unseen = torch.tensor([[f not in seen for f in formulas] for seen in self._checkpoint.trained_on])
        answers = torch.ones_like(unseen)
        if out_of_fold:
            answers = torch.where(unseen.any(0), unseen, answers)
        return answers, (unseen | ~answers).all(0).tolist()


def _formula(crystal: Crystal) -> str:
    return str(structure_of(crystal).composition.reduced_formula)


def _with_own_response(prediction: Prediction, ask: Callable[[Sequence[Crystal]], list[Prediction]]) -> Prediction:
    """The prediction, with what belongs to the sheet, chain or molecule that stands in a box."""
    box = in_vacuum(prediction.structure)
    if box is None:
        return prediction
    sheet = box.dimensionality == 2
    found = _sheet(box, ask) if sheet else low_dimensional(box, prediction.electronic, prediction.total)
    return replace(prediction, low_dimensional=found, doubts=[in_a_box(box.kind, box.vacuum), *prediction.doubts])


def _sheet(box: InVacuum, ask: Callable[[Sequence[Crystal]], list[Prediction]]) -> LowDimensional:
    """By the tensors of the crystal that the sheet makes when it is stacked, see stacking.py."""
    crystal = stacked(box)
    answer = ask([crystal])[0]
    return low_dimensional(box, answer.electronic, answer.total, crystal.lattice.matrix[2:])


def _ions(graphs: Sequence[CrystalGraph], answer: Answers) -> Sequence[Ions | None]:
    """Ions of each crystal by the mean of the networks that are asked; None where there are none."""
    if not answer.charges:
        return [None] * len(graphs)
    return [
        Ions(
            cell=graph.cell[0].double().cpu().numpy(),
            atomic_numbers=graph.atomic_numbers.cpu().numpy(),
            pos=graph.pos.double().cpu().numpy(),
            charges=charges.numpy(),
            force_constants=constants.numpy(),
        )
        for graph, charges, constants in zip(graphs, answer.charges, answer.force_constants, strict=True)
    ]


def _ionic_method(graph: CrystalGraph, model: ModelConfig) -> Literal["full", "direct", "coarse"]:
    if "has_springs" in graph and bool(graph.has_springs):
        return "full"
    return "direct" if model.direct else "coarse"
