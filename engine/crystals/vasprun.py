"""The last structure of a vasprun.xml, and the dielectric tensors that the run itself computed.

The file is read as a stream: all but a few arrays of its many megabytes is passed over. Names of the arrays: VASP
wiki, LEPSILON and LRPA, https://www.vasp.at/wiki/index.php/LEPSILON.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

import gemmi
import numpy as np

from engine.crystals.refusal import Refused, check, check_count

PARTS = {"epsilon": "electronic", "epsilon_rpa": "electronic_rpa", "epsilon_ion": "ionic"}
STILL = 0.05  # Å; finite differences move an atom by 0.015
_CUT_SHORT = {"r": "Zr", "X": "Xe"}  # how VASP 5 writes these two
_ELSEWHERE = "The dielectric tensor of the run belongs to another structure than its last one, and is left out."
_NO_LOCAL_FIELDS = "The electronic tensor of the run is epsilon_rpa, by the random-phase approximation."
_NO_TENSOR = "The dielectric tensor of the run is none of an insulator, and is left out."


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is taken from a run.

    Attributes:
        cell: [3, 3] Å, rows are lattice vectors.
        numbers, positions: [N] atomic numbers and [N, 3] fractional coordinates.
        tensors: [3, 3] "electronic" and "ionic" in the axes of `cell`, made symmetric; those that the run has.
        notes: what was left out or taken otherwise, a sentence each.
    """

    cell: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray
    tensors: Mapping[str, np.ndarray]
    notes: tuple[str, ...]


@dataclass
class _Reader:
    """Gathers the wanted arrays while the parser walks through the file."""

    symbols: list[str] = field(default_factory=list)
    last: dict[str, np.ndarray] = field(default_factory=dict)  # of the last structure
    tensors: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]] = field(default_factory=dict)  # and its structure
    _structure: dict[str, np.ndarray] | None = None
    _name: str = ""  # of the array that is read
    _rows: list[str] | None = None
    _words: list[str] | None = None
    _passed_over: bool = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = attributes.get("name", "")
        if tag == "structure":
            self._structure, self._passed_over = {}, name == "primitive_cell"
        elif (tag, name) == ("array", "atoms") or (tag == "varray" and name in self._wanted()):
            self._name, self._rows = name, []
        elif tag in ("v", "c") and self._rows is not None:
            self._words = []

    def _wanted(self) -> Collection[str]:
        return PARTS if self._structure is None else ("basis", "positions")

    def text(self, words: str) -> None:
        if self._words is not None:
            self._words.append(words)

    def end(self, tag: str) -> None:
        if tag in ("v", "c") and self._words is not None and self._rows is not None:
            self._rows.append("".join(self._words))
            self._words = None
        elif tag in ("array", "varray") and self._rows is not None:
            self._keep(self._name, self._rows)
            self._rows = None
        elif tag == "structure":
            if self._structure and not self._passed_over:
                self.last = self._structure
            self._structure = None

    def _keep(self, name: str, rows: list[str]) -> None:
        if name == "atoms":
            self.symbols = rows[::2]  # each row is an element and its type
        elif self._structure is not None:
            self._structure[name] = _matrix(rows, name)
        else:
            self.tensors[PARTS[name]] = (_matrix(rows, name), self.last)


def read_vasprun(text: str) -> Run:
    """The last structure of a run and its own tensors.

    Raises:
        Refused: it is cut off, declares entities, or holds no structure.
    """
    reader, parser = _Reader(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_entities
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise Refused(
            f"its XML breaks off or is damaged at line {error.lineno}: did the run end? Else give its CONTCAR"
        ) from error
    cell, positions = reader.last.get("basis"), reader.last.get("positions")
    if cell is None or positions is None:
        raise Refused("it holds no structure; give the CONTCAR of the run")
    check_count(len(positions))
    check(len(positions) == len(reader.symbols), "its atoms and its positions are not equally many")
    numbers = np.array([_atomic_number(symbol.strip()) for symbol in reader.symbols])
    return Run(cell=cell, numbers=numbers, positions=positions, **_tensors(reader))


def _refuse_entities(*_: object) -> None:
    raise Refused("it declares a document type, which VASP does not write")


def _matrix(rows: list[str], name: str) -> np.ndarray:
    """[rows, 3] numbers."""
    try:
        found = np.array([[float(word) for word in row.split()] for row in rows], dtype=float)
    except ValueError as error:
        raise Refused(f"its {name} is not numbers, 3 a line") from error
    check(found.ndim == 2 and found.shape[1] == 3, f"its {name} is not numbers, 3 a line")
    check(bool(np.isfinite(found).all()), "a number in it is not finite")
    return found


def _atomic_number(symbol: str) -> int:
    element = gemmi.Element(_CUT_SHORT.get(symbol, symbol.partition("_")[0]))
    check(element.atomic_number > 0, "an atom's symbol is no element")
    return element.atomic_number


def _tensors(reader: _Reader) -> dict:
    """The tensors that belong to the last structure, and notes on the others."""
    found, notes = {}, []
    for part, (tensor, structure) in reader.tensors.items():
        if not _same(structure, reader.last):
            notes.append(_ELSEWHERE)
        elif tensor.shape != (3, 3) or (part != "ionic" and np.linalg.eigvalsh(tensor + tensor.T).min() <= 0):
            notes.append(_NO_TENSOR)
        else:
            found[part] = (tensor + tensor.T) / 2 + 0.0  # no -0
    rpa = found.pop("electronic_rpa", None)
    if rpa is not None and "electronic" not in found:
        found["electronic"] = rpa
        notes.append(_NO_LOCAL_FIELDS)
    return {"tensors": found, "notes": tuple(dict.fromkeys(notes))}


def _same(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    """Whether two structures of a run are one, but for the steps of finite differences."""
    if one is other:
        return True
    if set(one) != set(other) or one["positions"].shape != other["positions"].shape:
        return False
    moved = one["positions"] - other["positions"]
    moved = (moved - moved.round()) @ other["basis"]
    stretched = np.abs(one["basis"] - other["basis"]).max(initial=0)
    return bool(np.linalg.norm(moved, axis=1).max(initial=0) <= STILL and stretched <= STILL)
