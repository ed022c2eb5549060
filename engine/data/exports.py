"""Materials as files for other programs: CSV, Parquet and extended XYZ."""

import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms

from engine.crystals.material import Material
from engine.data.citations import citation_of
from engine.data.parquet import write_materials

_TENSORS = ("electronic", "ionic", "total")
_FACTS = ("material_id", "formula", "n", "band_gap", "space_group_number", "space_group_symbol", "source")


def to_csv(facts: pd.DataFrame, materials: Sequence[Material]) -> str:
    """A table of facts, a row a material, with the tensors spread over columns electronic_xx to total_zz.

    The components are in the structure's own Cartesian axes, in which columns lattice_ax to lattice_cz hold the
    lattice vectors, Å; empty where there is no tensor. The last columns say what is to be cited.
    """
    components = pd.DataFrame([_components(material) for material in materials], index=facts.index)
    return facts.join(components).to_csv(index=False)


def to_parquet(materials: Sequence[Material]) -> bytes:
    """A file in the layout of `parquet.SCHEMA`; `load_dataset` and `engine train --data` read it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "materials.parquet"
        sources = dict.fromkeys(material.source for material in materials)
        cited = {source: text for source in sources if (text := citation_of(source))}
        write_materials(path, materials, {f"citation of {source}": text for source, text in cited.items()})
        return path.read_bytes()


def to_extxyz(materials: Sequence[Material]) -> str:
    """One frame a material; its facts and tensors (nine components, row by row) stand in the comment line.

    The tensors are in the Cartesian axes of the frame.
    """
    file = io.StringIO()
    ase.io.write(file, [_frame(material) for material in materials], format="extxyz")
    return file.getvalue()


def _components(material: Material) -> dict[str, float | str | None]:
    found = {name: getattr(material, name) for name in _TENSORS}
    components: dict[str, float | str | None] = {
        f"{name}_{a}{b}": np.nan if tensor is None else tensor[i, j]
        for name, tensor in found.items()
        for i, a in enumerate("xyz")
        for j, b in enumerate("xyz")
    }
    return components | {
        **{f"lattice_{v}{a}": material.cell[i, j] for i, v in enumerate("abc") for j, a in enumerate("xyz")},
        "frame": "structure",
        "citation": citation_of(material.source),
    }


def _frame(material: Material) -> Atoms:
    facts = {name: getattr(material, name) for name in (*_FACTS, *_TENSORS)}
    facts |= {"citation": citation_of(material.source), "doubts": "; ".join(material.doubts) or None}
    known = {name: value for name, value in facts.items() if value is not None}
    return Atoms(
        numbers=material.atomic_numbers,
        cell=material.cell,
        scaled_positions=material.frac_coords,
        pbc=True,
        info={name: value.ravel() if name in _TENSORS else value for name, value in known.items()},
    )
