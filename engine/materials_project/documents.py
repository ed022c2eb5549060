"""What Materials Project is asked for, and the form in which it should come.

Any field may be missing or of another form: reconciliation.py looks before it believes.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

StructureDocument = Mapping[
    str, Any
]  # a pymatgen Structure as a document, which `reconciliation.read_structure` reads
Tensor = list[list[float]]


class Symmetry(TypedDict, total=False):
    """Of a summary: number and symbol of the space group."""

    number: int
    symbol: str


class Summary(TypedDict, total=False):
    """What there is of a material beside tensors."""

    material_id: str
    structure: StructureDocument
    symmetry: Symmetry
    band_gap: float | None
    energy_above_hull: float | None
    theoretical: bool | None


class Origin(TypedDict, total=False):
    """A calculation that a dielectric document rests on."""

    task_id: str


class Dielectric(TypedDict, total=False):
    """Tensors in IEEE axes."""

    material_id: str
    total: Tensor
    electronic: Tensor
    origins: list[Origin]


class TaskInput(TypedDict, total=False):
    """Of a calculation: the structure that its tensors belong to."""

    structure: StructureDocument


class TaskOutput(TypedDict, total=False):
    """Of a calculation: the electronic and the ionic tensor."""

    epsilon_static: Tensor
    epsilon_ionic: Tensor


class Task(TypedDict, total=False):
    """A calculation, its tensors in the axes of its structure."""

    task_id: str
    input: TaskInput
    output: TaskOutput
