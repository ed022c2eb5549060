"""Which symmetry operations a CIF means: those that it lists, of its Hall symbol, or of a setting of its group.

A Hermann-Mauguin symbol or a number leaves open the origin, the axes of a rhombohedral group and the unique axis
of a monoclinic one. `settings` gives every setting that the file's own cell allows; the rest of the file decides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np

from engine.crystals.refusal import MAX_OPERATIONS, Refused, check

OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
MAGNETIC = ("_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_operation")
CENTERINGS = "_space_group_symop_magn_centering_xyz"
HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
NAMES = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
    "_space_group_name_h-m",
    "_symmetry_space_group_name_h-m_full",
)
NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
SYSTEMS = ("_space_group_crystal_system", "_symmetry_cell_setting", "_space_group_crystal_system_name")
UNKNOWN = ("", "?", ".")
MISFIT = 2e-2  # of a metric that operations of the group should keep, relative
NEAR = 1e-3  # the same, of a cell written with few digits

_OPERATION = re.compile(r"[-+0-9xyzXYZ/.,* ]{5,100}")
_EXTENSIONS = {"1": "1", "2": "2", "z": "2", "s": "1", "r": "R", "rs": "R", "h": "H", "hr": "H"}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Operations x' = W x + w on fractional coordinates.

    Attributes:
        rotations, translations: [K, 3, 3] and [K, 3].
        group: number of the space group, where it is known.
        name: what to call the setting before a reader.
        said: whether the file itself leaves no other choice.
    """

    rotations: np.ndarray
    translations: np.ndarray
    group: int | None
    name: str
    said: bool


def settings(tags: Mapping[str, Sequence[str]], cell: np.ndarray) -> list[Setting]:
    """Every setting that a file may mean, the listed operations alone if there are any.

    Args:
        tags: values by lower-case name.
        cell: [3, 3] Å, rows are lattice vectors.

    Raises:
        Refused: operations or symbols that cannot be understood, or that contradict each other or the cell.
    """
    named = _named(tags)
    listed = _listed(tags)
    if listed is not None:
        _check_agreement(listed, named)
        return [listed]
    check(
        not any(name.startswith("_space_group_magn") for name in tags),
        "it names a magnetic space group and lists no symmetry operations of it; add them",
    )
    hall = _first(tags, HALL)
    if hall:
        try:
            return [_of_operations(list(gemmi.symops_from_hall(hall)), f"Hall symbol {hall}", said=True)]
        except (ValueError, RuntimeError) as error:
            check(bool(named), f"its Hall symbol {hall} cannot be understood ({error})")
    if named:
        return _allowed(named, cell)
    system = _first(tags, SYSTEMS)
    check(
        not system or system.lower() == "triclinic",
        f"it is {system}, and gives neither a space group nor symmetry operations; add them",
    )
    check(
        not (_first(tags, NAMES) or _first(tags, NUMBERS)),
        "its space group is not known here; write its symmetry operations (_space_group_symop_operation_xyz)",
    )
    return [Setting(rotations=np.eye(3)[None], translations=np.zeros((1, 3)), group=None, name="P1", said=False)]


def _first(tags: Mapping[str, Sequence[str]], names: Sequence[str]) -> str:
    """The first of some values that is known."""
    for name in names:
        value = (tags.get(name) or [""])[0].strip()
        if value not in UNKNOWN:
            return value
    return ""


def _listed(tags: Mapping[str, Sequence[str]]) -> Setting | None:
    """Operations that the file lists, those of a magnetic group without what they do to moments."""
    for name in OPERATIONS:
        texts = [one for one in tags.get(name, ()) if one not in UNKNOWN]
        if texts:
            return _of_operations([_operation(text) for text in texts], "its symmetry operations", said=True)
    for name in MAGNETIC:
        texts = [one for one in tags.get(name, ()) if one not in UNKNOWN]
        if texts:
            shifts = [_operation(_without_time(text)) for text in tags.get(CENTERINGS, ["x,y,z,+1"])]
            check(len(texts) * len(shifts) <= MAX_OPERATIONS, "more symmetry operations than any group has")
            operations = [_operation(_without_time(text)) for text in texts]
            return _of_operations(
                [shift * one for shift in shifts for one in operations], "its symmetry operations", said=True
            )
    return None


def _without_time(text: str) -> str:
    return ",".join(text.split(",")[:3])


def _operation(text: str) -> gemmi.Op:
    text = text.replace("*", "")
    check(bool(_OPERATION.fullmatch(text)), "a symmetry operation must read like -x,y+1/2,z")
    try:
        found = gemmi.Op(text.replace(" ", "").lower())
    except (ValueError, RuntimeError) as error:
        raise Refused("a symmetry operation must read like -x,y+1/2,z") from error
    check(abs(found.det_rot()) == gemmi.Op.DEN**3, "a symmetry operation must keep the volume, as -x,y+1/2,z does")
    return found


def _of_operations(operations: list[gemmi.Op], name: str, said: bool, group: int | None = None) -> Setting:
    check(
        len(operations) <= 2 * MAX_OPERATIONS, f"{len(operations)} symmetry operations are more than any group has"
    )
    found = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(operations)) if group is None else None
    triplets = sorted({one.wrap().triplet() for one in operations})
    kept = [gemmi.Op(triplet) for triplet in triplets]
    return Setting(
        rotations=np.array([one.rot for one in kept]) / gemmi.Op.DEN,
        translations=np.array([one.tran for one in kept]) / gemmi.Op.DEN,
        group=found.number if found else group,
        name=name,
        said=said,
    )


def _named(tags: Mapping[str, Sequence[str]]) -> list[gemmi.SpaceGroup]:
    """Settings that the file's symbol and number allow; none where it gives neither that is known."""
    symbol, number = _first(tags, NAMES), _first(tags, NUMBERS)
    by_number = [one for one in gemmi.spacegroup_table() if str(one.number) == number]
    by_symbol = _by_symbol(symbol) if symbol else []
    if not by_symbol:  # a symbol written otherwise: C 2/m m m
        return [one for one in by_number if not symbol or one.hm[0] == symbol.strip(" '\"")[0].upper()]
    if not by_number:
        return by_symbol
    both = [one for one in by_symbol if str(one.number) == number]
    check(bool(both), f"its symbol {symbol} is not that of space group {number}; one of them is wrong")
    return both


def _by_symbol(symbol: str) -> list[gemmi.SpaceGroup]:
    name = re.sub(r"[_()\"']", "", symbol).strip()
    bare, extension = name, ""
    found = re.fullmatch(r"(.+?)(?:\s*:\s*|\s+|(?<=[a-z0-9]))(1|2|[ZSzsHRhr]|RS|HR|rs|hr)", name)
    if found and (":" in name or not found[2].isdigit()):
        bare, extension = found[1], _EXTENSIONS[found[2].lower()]
    known = _table().get(_key(bare), [])
    if not known:
        other = gemmi.find_spacegroup_by_name(bare)
        known = [
            one for one in gemmi.spacegroup_table() if other and (one.number, one.hm) == (other.number, other.hm)
        ]
    if extension:
        known = [one for one in known if one.ext == extension] or known
    return list(known)


@lru_cache(maxsize=1)
def _table() -> dict[str, list[gemmi.SpaceGroup]]:
    """Settings by symbol, in full and without the 1s of a monoclinic one."""
    table: dict[str, list[gemmi.SpaceGroup]] = {}
    for one in gemmi.spacegroup_table():
        short = one.hm if one.number < 3 else " ".join(part for part in one.hm.split() if part != "1")
        for key in {_key(one.hm), _key(short) if 3 <= one.number <= 15 else _key(one.hm)}:
            table.setdefault(key, []).append(one)
    return table


def _key(symbol: str) -> str:
    return re.sub(r"\s", "", symbol).lower()


def _allowed(named: Sequence[gemmi.SpaceGroup], cell: np.ndarray) -> list[Setting]:
    """Of settings those whose operations keep the lengths and angles of the cell."""
    metric = cell @ cell.T
    found = [
        (_misfit(metric, setting), setting)
        for setting in (
            _of_operations(list(one.operations()), one.xhm(), said=len(named) == 1, group=one.number)
            for one in named
        )
    ]
    best = min(misfit for misfit, _ in found)
    check(best <= MISFIT, f"its cell has not the symmetry of its space group {found[0][1].name.partition(':')[0]}")
    return [setting for misfit, setting in found if misfit <= max(NEAR, 3 * best)]


def _misfit(metric: np.ndarray, setting: Setting) -> float:
    """How far the rotations change the metric tensor, relative to its largest entry."""
    turned = setting.rotations.swapaxes(1, 2) @ metric @ setting.rotations
    return float(np.abs(turned - metric).max() / np.abs(metric).max())


def _check_agreement(listed: Setting, named: Sequence[gemmi.SpaceGroup]) -> None:
    """Refuse operations that make another group than the symbol or the number says."""
    if not named or listed.group is None or len(listed.rotations) == 1:  # all atoms listed: its atoms tell
        return
    numbers = {one.number for one in named}
    check(
        listed.group in numbers,
        f"its symmetry operations are those of space group {listed.group}, and it says "
        f"{named[0].hm} ({named[0].number}); one of them is wrong",
    )
