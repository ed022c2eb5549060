"""Predictions as records: what `python -m engine predict` and the Predict page write as JSON and CSV."""

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import pandas as pd
from pymatgen.core import Structure

from engine.crystals.approximations import ordered_approximations
from engine.crystals.inputs import as_structure
from engine.crystals.material import Material
from engine.crystals.own_tensors import own_tensors
from engine.crystals.read_as import ReadAs, read_as
from engine.crystals.reader import Disordered, read_path
from engine.crystals.vacuum import in_vacuum
from engine.data.citations import citation_of
from engine.data.mechanical import SOURCES, Orientation, mechanical_of
from engine.errors import EngineError
from engine.prediction.low_dimensional import OwnResponse, flat_response, low_dimensional, own_response
from engine.prediction.prediction import Functional, Prediction
from engine.prediction.spread import Approximated, approximated
from engine.tensors.tensors import principal_values

if TYPE_CHECKING:
    from engine.prediction.predictor import AskedMethod, Predictor

Part = Literal["electronic", "ionic", "total"]
PARTS: tuple[Part, ...] = ("electronic", "ionic", "total")
Matrix = list[list[float]]  # [3, 3]
_UNKNOWN = [[None] * 3] * 3


class Intervals(TypedDict):
    """Low and high at 90 %: of the mean of the diagonal, and of each principal value, ascending."""

    mean: list[float]
    principal_values: Matrix


class Tensors(TypedDict):
    """Relative permittivities; None for a part that is not known."""

    electronic: Matrix | None
    ionic: Matrix | None
    total: Matrix | None


class MechanicalRecord(TypedDict):
    """DFT tensors in Voigt's notation and the axes of the record, see `mechanical.Mechanical`; None: not known.

    `elastic_GPa` [6, 6]; `piezoelectric_C_per_m2` [3, 6], but for the sign of it all, None where `orientation` is
    not "whole"; `piezoelectric_ieee_C_per_m2` [3, 6] as published, in IEEE axes. `citations` by tensor.
    """

    elastic_GPa: Matrix | None
    piezoelectric_C_per_m2: Matrix | None
    piezoelectric_ieee_C_per_m2: Matrix | None
    orientation: Orientation
    citations: dict[str, str | None]


class Record(TypedDict):
    """One crystal, in the order of the file; of a refused one only `source` and `error` are known.

    Tensors are in the axes of `frame`; `lattice` holds its vectors as rows, Å. `n`, `principal_values` and
    `interval90`, low and high of the mean, are the electronic tensor's. `dft` are tensors that the file holds, in
    the same axes. `metallic` is the probability of a metal, for which the tensors stand for nothing. `citation` is
    of DFT data, or of what taught the model. `approximation` marks an ordered crystal that stands for a disordered
    one. Of a structure with `low_dimensional`, all tensors and what follows from them are the box's.
    `mechanical` has the elastic and piezoelectric tensors of an embedded crystal.
    """

    source: str
    formula: str | None
    natoms: int | None
    read_as: ReadAs | None
    approximation: Approximated | None
    electronic: Matrix | None
    ionic: Matrix | None
    total: Matrix | None
    dft: Tensors | None
    ionic_method: str | None
    functional: str | None
    frame: str | None
    lattice: Matrix | None
    n: float | None
    principal_values: list[float] | None
    interval90: list[float] | None
    intervals90: dict[Part, Intervals] | None
    metallic: float | None
    low_dimensional: OwnResponse | None
    mechanical: MechanicalRecord | None
    citation: str | None
    warnings: list[str]
    error: str | None


Answer = tuple[str, Prediction | str]  # a crystal's source, and its prediction or why there is none


def to_records(answers: Sequence[Answer]) -> list[Record]:
    """The JSON output that `python -m engine predict` writes; ordered approximations come one behind the other."""
    marks = approximated([answer for _, answer in answers])
    return [
        refusal(source, answer)
        if isinstance(answer, str)
        else to_record(source, answer) | {"read_as": read_as(answer.structure), "approximation": mark}
        for (source, answer), mark in zip(answers, marks, strict=True)
    ]


def to_record(source: str, prediction: Prediction) -> Record:
    """The record of a crystal that stands for itself; `read_as`, which takes longest, is left open."""
    intervals, own = _intervals(prediction), own_tensors(prediction.structure)
    return {
        "source": source,
        "formula": prediction.formula,
        "natoms": len(prediction.structure),
        "read_as": None,
        "approximation": None,
        **_tensors(prediction),
        "dft": None if own is None else _tensors(own),
        "ionic_method": prediction.ionic_method,
        "functional": prediction.functional,
        "frame": "structure",
        "lattice": prediction.structure.lattice.matrix.tolist(),
        "n": prediction.n,
        "principal_values": _listed(prediction.principal_values),
        "interval90": intervals["electronic"]["mean"] if "electronic" in intervals else None,
        "intervals90": intervals or None,
        "metallic": None if math.isnan(prediction.metallic) else prediction.metallic,
        "low_dimensional": own_response(prediction.low_dimensional),
        "mechanical": None,
        "citation": prediction.citation,
        "warnings": prediction.warnings,
        "error": None,
    }


def material_record(material: Material) -> Record:
    """The DFT tensors of a material in the same layout; what only a prediction has is None."""
    electronic, box = material.electronic, in_vacuum(material)
    own = None if box is None else low_dimensional(box, electronic, material.total)
    return refusal(f"DFT, {material.source}, {material.material_id or 'no ID'}", "") | {
        "formula": material.formula,
        "natoms": material.natoms,
        **_tensors(material),
        "frame": "structure",
        "lattice": material.cell.tolist(),
        "n": material.n,
        "principal_values": None if electronic is None else principal_values(electronic).tolist(),
        "low_dimensional": own_response(own),
        "mechanical": _mechanical(material),
        "citation": citation_of(material.source),
        "warnings": [*material.flags, *material.doubts],
        "error": None,
    }


def _mechanical(material: Material) -> MechanicalRecord | None:
    found = mechanical_of(material)
    if found is None:
        return None
    whole = found.piezoelectric if found.orientation == "whole" else None
    held = {"elastic": found.elastic, "piezoelectric": found.piezoelectric_ieee}
    return {
        "elastic_GPa": _listed(found.elastic),
        "piezoelectric_C_per_m2": _listed(whole),
        "piezoelectric_ieee_C_per_m2": _listed(found.piezoelectric_ieee),
        "orientation": found.orientation,
        "citations": {name: citation_of(SOURCES[name]) for name, one in held.items() if one is not None},
    }


def _tensors(source: Prediction | Material) -> Tensors:
    return {
        "electronic": _listed(source.electronic),
        "ionic": _listed(source.ionic),
        "total": _listed(source.total),
    }


def _listed(array: np.ndarray | None) -> Any:
    return None if array is None else array.tolist()


def _intervals(prediction: Prediction) -> dict[Part, Intervals]:
    """Of each target that has them: the mean of the diagonal, and the principal values."""
    found: dict[Part, Intervals] = {}
    for target in PARTS:
        with suppress(EngineError):  # a model without this target, or never calibrated
            found[target] = {
                "mean": list(prediction.interval(target)),
                "principal_values": prediction.principal_intervals(target).tolist(),
            }
    return found


def refusal(source: str, reason: str) -> Record:
    """The entry of a file that could not be predicted."""
    return {
        "source": source,
        "formula": None,
        "natoms": None,
        "read_as": None,
        "approximation": None,
        "electronic": None,
        "ionic": None,
        "total": None,
        "dft": None,
        "ionic_method": None,
        "functional": None,
        "frame": None,
        "lattice": None,
        "n": None,
        "principal_values": None,
        "interval90": None,
        "intervals90": None,
        "metallic": None,
        "low_dimensional": None,
        "mechanical": None,
        "citation": None,
        "warnings": [],
        "error": reason,
    }


def predict_files(
    predictor: "Predictor",
    paths: Iterable[str],
    targets: Sequence[str] | None = None,
    functional: Functional = "PBE",
    ionic_method: "AskedMethod" = "full",
    setting: str = "",
    orderings: bool = False,
) -> list[Answer]:
    """The answer for each crystal of each file, in order; a file that is refused says why and stops no other.

    Args:
        targets, functional, ionic_method: see `Predictor.predict`.
        setting: see `reader.read_structures`.
        orderings: answer a file whose crystal is disordered by ordered approximations of it.
    """
    answers: list[tuple[str, Structure | str]] = []
    for path in paths:
        try:
            for crystal in _crystals(path, setting, orderings):
                structure = as_structure(crystal)
                predictor.check_memory(structure)
                answers.append((str(path), structure))
        except EngineError as error:
            answers.append((str(path), str(error)))
    crystals = [crystal for _, crystal in answers if isinstance(crystal, Structure)]
    predictions = iter(
        predictor.predict_many(crystals, targets=targets, functional=functional, ionic_method=ionic_method)
    )
    return [(source, answer if isinstance(answer, str) else next(predictions)) for source, answer in answers]


def _crystals(path: str, setting: str, orderings: bool) -> list[Structure]:
    try:
        return read_path(Path(path), setting)
    except Disordered as disordered:
        if not orderings:
            raise EngineError(f"{disordered}, or ask for ordered approximations (--orderings)") from disordered
        return ordered_approximations(disordered.structure)


def records_to_csv(records: Sequence[Record]) -> str:
    """The records as CSV, tensors spread over columns like electronic_xy and lattice vectors over lattice_ax.

    Of `intervals90` it has those of the means, columns like ionic_interval90_low, and of `low_dimensional` means
    along and across; what is nested deeper is left to JSON: `read_as`, `dft` and `mechanical`.
    """
    return pd.DataFrame([flat_record(record) for record in records]).to_csv(index=False)


def flat_record(record: Record) -> dict[str, str | float | None]:
    """The row of a record in `records_to_csv`."""
    mark = record["approximation"]
    row: dict[str, str | float | None] = {
        "source": record["source"],
        "formula": record["formula"],
        "natoms": record["natoms"],
        "frame": record["frame"],
        "n": record["n"],
    }
    for target in PARTS:
        matrix = record[target] or _UNKNOWN
        row |= {f"{target}_{a}{b}": matrix[i][j] for i, a in enumerate("xyz") for j, b in enumerate("xyz")}
    lattice = record["lattice"] or _UNKNOWN
    row |= {f"lattice_{v}{a}": lattice[i][j] for i, v in enumerate("abc") for j, a in enumerate("xyz")}
    values = record["principal_values"] or _UNKNOWN[0]
    row |= {f"principal_value_{i + 1}": value for i, value in enumerate(values)}
    for target in PARTS:
        bounds = (record["intervals90"] or {}).get(target)
        low, high = bounds["mean"] if bounds else (None, None)
        row |= {f"{target}_interval90_low": low, f"{target}_interval90_high": high}
    row |= {
        "metallic": record["metallic"],
        "ionic_method": record["ionic_method"],
        "functional": record["functional"],
    }
    row |= flat_response(record["low_dimensional"])
    row["approximation"] = f"{mark['number']} of {mark['count']} of {mark['of']}" if mark else None
    return row | {
        "citation": record["citation"],
        "warnings": " ".join(record["warnings"]),
        "error": record["error"],
    }
