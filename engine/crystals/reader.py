"""Reading structure files that a stranger uploaded, whatever program wrote them."""

import gzip
import io
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from engine.crystals import warm_readers
from engine.crystals.reader_process import Answer, Parsed
from engine.crystals.refusal import MOST_ATOMS
from engine.crystals.room import check_room
from engine.crystals.warm_readers import ReaderStopped
from engine.errors import EngineError, check, required

MAX_BYTES = 1024**2  # of a structure
MAX_FILE = 5 * 1024**2  # with the reflections that a refinement program puts into its CIF
TIME_LIMIT = 9.0  # seconds; with starting and stopping the reader, an answer comes within 10
MAX_RUN = 32 * 1024**2  # of a vasprun.xml, of which a few lines are kept
MAX_NAME = 200  # bytes of a name; file systems take 255
FORMATS = "CIF, POSCAR, extended XYZ, XSF, JSON, phonopy.yaml or vasprun.xml"

_SUFFIXES = {
    "cif": "cif",
    "mcif": "cif",
    "vasp": "poscar",
    "poscar": "poscar",
    "contcar": "poscar",
    "xyz": "xyz",
    "extxyz": "xyz",
    "json": "json",
    "xsf": "xsf",
}
_OTHERS = {  # what files of other programs look like
    "a LAMMPS data file": r"^[ \t]*\d+[ \t]+atom types",
    "an input of ABINIT": r"^[ \t]*(acell|znucl)\b",
    "an output of VASP": r"^[ \t]*(vasp\.\d|INCAR:)",
    "a PDB file": r"^(ATOM  |HETATM|CRYST1)",
    "a SHELX file": r"^ZERR\b",
}
_REFLECTIONS = re.compile(
    rb"^_(?:shelx|iucr_refine)_\w+[ \t]*\r?\n;.*?^;[ \t]*$", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_GZIP, _TABLE = b"\x1f\x8b", b"PAR1"
_RUN, _HEAD = b"<modeling>", 2000  # what a vasprun.xml begins with, and where to look for it
_MINUS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"))
_COMPRESSED = (b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")


class SettingNeeded(EngineError):
    """A CIF fits several settings of its space group; `choices` are the crystals that they give, by name."""

    def __init__(self, message: str, choices: dict[str, Structure]) -> None:
        super().__init__(message)
        self.choices = choices

    def __reduce__(self) -> tuple[type, tuple[str, dict[str, Structure]]]:
        """How it is told to another process."""
        return type(self), (str(self), self.choices)


class Disordered(EngineError):
    """Sites of a crystal are shared or partly occupied, and nothing else is wrong with it: `structure`."""

    def __init__(self, message: str, structure: Structure) -> None:
        super().__init__(message)
        self.structure = structure

    def __reduce__(self) -> tuple[type, tuple[str, Structure]]:
        """How it is told to another process."""
        return type(self), (str(self), self.structure)


def read_structures(name: str, content: bytes, setting: str = "") -> list[Structure]:
    """Structures of an uploaded file, or of pasted text where `name` is empty.

    POSCAR, XYZ and JSON keep the file's Cartesian axes; a CIF has none, and gets pymatgen's. The file is read
    in a process of its own, which is killed when it takes too long or too much memory. Among the properties of a
    structure are "notes", what was assumed, and "tensors", those that the file holds.

    Args:
        setting: of the space group, such as "F d -3 m:2", to take where the file leaves it open.

    Raises:
        SettingNeeded: the file leaves open which of several settings it means, and `setting` is none of them.
        Disordered: its one crystal is disordered; `approximations` may offer ordered ones that stand for it.
        EngineError: the file is too large, of no known format, no ordered crystal, squeezed beyond all crystals,
            or took too long to read.
    """
    (found,) = read_each([(name, content)])
    if isinstance(found, SettingNeeded) and setting in found.choices:
        chosen = found.choices[setting]
        chosen.properties["notes"] = [f"The setting {setting} was chosen by hand."]
        check_room(chosen, shown_name(name))
        return [chosen]
    if isinstance(found, EngineError):
        raise found
    return found


def read_each(files: Sequence[tuple[str, bytes]]) -> list[list[Structure] | EngineError]:
    """`read_structures` for many (name, content), in order, faster; in the place of a refused file, why it is."""
    found: list[list[Structure] | EngineError] = []
    texts: list[tuple[str, str, str]] = []  # shown name, kind, text
    for name, content in files:
        shown = shown_name(name)
        try:
            texts.append((shown, *_prepared(name, shown, content)))
            found.append([])
        except EngineError as error:
            found.append(error)
    answers = iter(parse_each(texts))
    return [one if isinstance(one, EngineError) else next(answers) for one in found]


def shown_name(name: str) -> str:
    """A file's name without what could hurt where it is shown, short enough to be a file's name again."""
    plain = re.sub(r"[^\w .,()+-]", "_", Path(name).name)[:80]
    return plain.encode()[:MAX_NAME].decode(errors="ignore") or "the pasted text"


def distinct_names(names: Iterable[str]) -> list[str]:
    """`shown_name` of each, with a number where it was there before: "POSCAR", "POSCAR-2"."""
    found: list[str] = []
    for name in map(shown_name, names):
        stem, suffix, number = Path(name).stem, Path(name).suffix, 1
        while (one := name if number == 1 else f"{stem}-{number}{suffix}") in found:
            number += 1
        found.append(one)
    return found


def _prepared(name: str, shown: str, content: bytes) -> tuple[str, str]:
    """Kind and text of a file within its limits; raises EngineError for any other."""
    check(bool(content.strip()), f"{shown}: it is empty; give a {FORMATS} file")
    if content.startswith(_GZIP):
        name, content = name.lower().removesuffix(".gz"), _unpacked(shown, content)
    run = _RUN in content[:_HEAD]
    most = MAX_RUN if run else MAX_FILE
    check(not content.startswith((_GZIP, *_COMPRESSED)), f"{shown}: it is compressed; unpack it first")
    check(len(content) <= most, f"{shown}: it is larger than {most >> 20} MiB; give the structure alone")
    content = content if run else _REFLECTIONS.sub(b"", content)
    small = run or len(content) <= MAX_BYTES
    check(small, f"{shown}: it is larger than 1 MiB; give a smaller cell or fewer frames")
    check(
        not content.startswith(_TABLE),
        f"{shown}: it is a Parquet table, which a screening alone reads, whole and with columns of structures",
    )
    check(b"\0" not in content, f"{shown}: it is not a text file; give a {FORMATS} file")
    text = text_of(content)
    kind = "vasprun" if run else required(_kind(name, text), f"{shown}: {_what_it_is(text)}")
    return kind, text


def read_path(path: str | Path, setting: str = "") -> list[Structure]:
    """Structures of a file on disk, within the same limits.

    Raises:
        EngineError: there is no such file, or `read_structures` refuses it.
    """
    path = Path(path)
    check(path.is_file(), f"{path}: no such file; give a {FORMATS} file")
    with path.open("rb") as file:
        return read_structures(path.name, file.read(MAX_RUN + 1), setting)


def _unpacked(shown: str, content: bytes) -> bytes:
    """What gzip holds, up to a byte more than a file may have."""
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(content)).read(MAX_RUN + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise EngineError(f"{shown}: its compression is damaged; unpack it first") from error


def _what_it_is(text: str) -> str:
    """Why a file of no format that is read here is refused, and what to give instead."""
    for kind, sign in _OTHERS.items():
        if re.search(sign, text[:20_000], re.MULTILINE | re.IGNORECASE):
            return f"it is {kind}, which is not read here; export the structure as {FORMATS}"
    return f"it is not a known format; give a {FORMATS} file"


def text_of(content: bytes) -> str:
    """The file with line feeds, and hyphens for all that editors make of a minus sign."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return re.sub(r"\r\n?", "\n", text).translate(_MINUS)


def _structure(parsed: Parsed) -> Structure:
    elements = [Element.from_Z(number) for number in parsed["atomic_numbers"]]
    properties = {"notes": parsed["notes"], "tensors": {k: np.array(v) for k, v in parsed["tensors"].items()}}
    return Structure(Lattice(parsed["cell"]), elements, parsed["frac_coords"], properties=properties)


def _kind(name: str, text: str) -> str | None:
    """Format by what the text looks like, else by the name's ending."""
    path = Path(name.lower())
    by_name = "poscar" if re.match(r"(poscar|contcar)", path.name) else _SUFFIXES.get(path.suffix[1:])
    return _by_content(text) or by_name


def _by_content(text: str) -> str | None:
    lines = [_numbers(line) for line in text.split("\n", 5)[:5]]
    if lines[1:2] in ([1], [2], [3]) and lines[2:] == [3, 3, 3]:
        return "poscar"
    if text.lstrip()[:1] in ("{", "["):
        return "json"
    if lines[0] == 1:
        return "xyz"
    signs = {
        "cif": r"^[ \t]*(data_|_cell[_.]length_a\b)",
        "phonopy": r"^unit_cell:",
        "xsf": r"^[ \t]*PRIMVEC\b",
        "espresso": r"^[ \t]*&(control|system)\b",
        "castep": r"^[ \t]*%block[ \t]+(lattice|positions)_",
    }
    return next(
        (kind for kind, sign in signs.items() if re.search(sign, text, re.MULTILINE | re.IGNORECASE)), None
    )


def _numbers(line: str) -> int:
    """How many numbers a line holds before a comment; 0 where it holds anything else."""
    try:
        return len([float(word) for word in re.split("[!#]", line)[0].split()])
    except ValueError:
        return 0


def parse(shown: str, kind: str, text: str) -> list[Structure]:
    """Structures that the child process makes of a text of that kind, "notes" among their properties.

    Raises:
        SettingNeeded, Disordered, EngineError: as `read_structures` does; the message begins with `shown`.
    """
    (found,) = parse_each([(shown, kind, text)])
    if isinstance(found, EngineError):
        raise found
    return found


def parse_each(texts: Sequence[tuple[str, str, str]]) -> list[list[Structure] | EngineError]:
    """`parse` for many (shown, kind, text), in order; in the place of a refused text, why it is."""
    found: list[list[Structure] | EngineError] = []
    most_atoms = os.environ.get(MOST_ATOMS, "")
    answers = warm_readers.ask_each([(kind, text) for _, kind, text in texts], TIME_LIMIT, most_atoms)
    for (shown, _, _), answer in zip(texts, answers, strict=True):
        try:
            found.append(_understood(shown, answer))
        except EngineError as error:
            found.append(error)
    return found


def _understood(shown: str, answer: Answer | TimeoutError | ReaderStopped) -> list[Structure]:
    """Structures of an answer of the child process; raises as `parse` does."""
    if isinstance(answer, TimeoutError):
        raise EngineError(
            f"{shown}: reading it took over {TIME_LIMIT:.0f} s; give a smaller or simpler cell"
        ) from answer
    if isinstance(answer, ReaderStopped):
        raise EngineError(
            f"{shown}: reading it took too much time or memory; give a smaller or simpler cell"
        ) from answer
    if "choices" in answer:
        choices = {name: _structure(parsed) for name, parsed in answer["choices"].items()}
        raise SettingNeeded(f"{shown}: {answer['refused']}", choices)
    if "disordered" in answer:
        raise Disordered(f"{shown}: {answer['refused']}", Structure.from_dict(answer["disordered"]))
    check("structures" in answer, f"{shown}: {answer.get('refused')}")
    found = [_structure(parsed) for parsed in answer["structures"]]
    for structure in found:
        check_room(structure, shown)
    return found
