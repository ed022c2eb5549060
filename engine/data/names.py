"""What people call crystals: minerals, everyday names, elements, compounds named by their ions.

data/names.csv holds names, each with a formula and the space groups that it stands for; a row without a name
says which structure of a formula is the usual one at room conditions.
"""

import csv
import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ase.data import reference_states
from pymatgen.core import Composition, Element

from engine.crystals.material import MAX_Z, Material
from engine.files import DATA_FOLDER

FILE = "names.csv"
SIMPLE_ANIONS = {
    "hydride": "H", "boride": "B", "carbide": "C", "nitride": "N", "oxide": "O", "fluoride": "F", "silicide": "Si",
    "phosphide": "P", "sulphide": "S", "sulfide": "S", "chloride": "Cl", "germanide": "Ge", "arsenide": "As",
    "selenide": "Se", "bromide": "Br", "antimonide": "Sb", "telluride": "Te", "iodide": "I",
}  # fmt: skip
OXYANIONS = {
    "borate": "B", "carbonate": "C", "nitrate": "N", "aluminate": "Al", "silicate": "Si", "phosphate": "P",
    "sulphate": "S", "sulfate": "S", "chlorate": "Cl", "titanate": "Ti", "vanadate": "V", "chromate": "Cr",
    "ferrate": "Fe", "gallate": "Ga", "germanate": "Ge", "arsenate": "As", "selenate": "Se", "zirconate": "Zr",
    "niobate": "Nb", "molybdate": "Mo", "stannate": "Sn", "antimonate": "Sb", "tellurate": "Te", "iodate": "I",
    "hafnate": "Hf", "tantalate": "Ta", "tungstate": "W", "plumbate": "Pb", "bismuthate": "Bi",
}  # fmt: skip
STRUCTURES = {  # what is said of a structure beside its formula -> space groups
    "rock salt": {225}, "halite": {225}, "zinc blende": {216}, "sphalerite": {216}, "wurtzite": {186},
    "fluorite": {225}, "antifluorite": {225}, "cesium chloride": {221}, "rutile": {136}, "anatase": {141},
    "corundum": {167}, "ilmenite": {148}, "spinel": {227}, "diamond": {227}, "nickel arsenide": {194},
    "cubic": set(range(195, 231)), "hexagonal": set(range(168, 195)), "trigonal": set(range(143, 168)),
    "rhombohedral": {146, 148, 155, 160, 161, 166, 167}, "tetragonal": set(range(75, 143)),
    "orthorhombic": set(range(16, 75)), "monoclinic": set(range(3, 16)), "triclinic": {1, 2},
}  # fmt: skip
_OTHER_SPELLINGS = {"aluminium": "aluminum", "sulphur": "sulfur", "caesium": "cesium"}
_LATTICES = {"fcc": 225, "bcc": 229, "hcp": 194, "diamond": 227, "sc": 221}  # as ASE calls them
_PHASE = re.compile(r"^(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa) (?=.)")
_ALIKE = 0.8  # of difflib, for a word that was mistyped
_COUNTS = re.compile(r"^(mono|di|tri|tetra|penta|sesqui)(?=.{4})")


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a name asks for: crystals of a formula or of a set of elements, in some space groups or in any."""

    formula: str | None = None
    elements: frozenset[str] = frozenset()
    space_groups: frozenset[int] = frozenset()

    def fits(self, material: Material) -> bool:
        """Whether a material is one of these, its space group aside."""
        if self.formula is not None:
            return material.formula == self.formula
        return frozenset(material.elements) == self.elements


def plain_name(text: str) -> str:
    """Small letters, single spaces for hyphens and the like: "Zinc-Blende" and "zinc  blende" are one name.

    Greek letters are written out: "α-quartz" is "alpha quartz".
    """
    written = re.sub("[α-ω]", lambda letter: f"{unicodedata.name(letter[0]).split()[-1]} ", text.casefold())
    return " ".join(re.sub(r"[\s_\-]+", " ", written.casefold()).split())


@lru_cache(maxsize=1)
def _rows() -> tuple[tuple[str, Meaning], ...]:
    with (DATA_FOLDER / FILE).open(encoding="utf-8", newline="") as file:
        return tuple(
            (
                plain_name(row["name"]),
                Meaning(
                    formula=Composition(row["formula"]).reduced_formula,
                    space_groups=frozenset(int(number) for number in row["space_groups"].split()),
                ),
            )
            for row in csv.DictReader(file)
        )


def known_names() -> dict[str, Meaning]:
    """The names in data/names.csv."""
    return {name: meant for name, meant in _rows() if name}


def is_usual(material: Material) -> bool:
    """Whether a crystal has the structure that its formula usually has at room conditions, where that is known.

    Of an element that names.csv has nothing on, ASE's reference state is the usual one.
    """
    known = [meant.space_groups for name, meant in _rows() if not name and meant.fits(material)]
    if not known and len(material.elements) == 1:
        state = reference_states[material.atomic_numbers[0]] or {}
        known = [frozenset({_LATTICES.get(str(state.get("symmetry")), 0)})]
    return any(material.space_group_number in groups for groups in known)


def meaning(text: str, formulas: Iterable[str] = ()) -> Meaning | None:
    """What a name means; None where it is none.

    Args:
        text: "quartz", "barium titanate", "silicon", "GaAs zinc blende", "hexagonal BN".
        formulas: the one word of `text` that is no name of a structure must be one of these, or one of the names.
    """
    name = plain_name(text)
    found = known_names().get(name) or _by_ions(name)
    if found is not None:
        return found
    for words, groups in STRUCTURES.items():
        rest = " ".join(re.sub(rf"\b{words}\b", " ", name).split())
        if rest != name and rest:
            narrowed = _of_formula(rest, formulas) or known_names().get(rest) or _by_ions(rest)
            if narrowed is not None:
                return Meaning(
                    formula=narrowed.formula, elements=narrowed.elements, space_groups=frozenset(groups)
                )
    any_phase = _PHASE.sub("", name)
    return None if any_phase == name else _of_formula(any_phase, formulas) or meaning(any_phase, formulas)


def respelt(text: str) -> str | None:
    """A name of words that names are made of, "gallium arsenid" put right; None where a word is none of these."""
    found = [difflib.get_close_matches(word, _vocabulary(), 1, _ALIKE) for word in plain_name(text).split()]
    return " ".join(words[0] for words in found) if found and all(found) else None


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[str, ...]:
    names = [*known_names(), *_elements(), *_OTHER_SPELLINGS, *SIMPLE_ANIONS, *OXYANIONS, *STRUCTURES]
    counted = [f"{count}{anion}" for anion in SIMPLE_ANIONS for count in ("di", "tri")]
    return tuple({word for name in names + counted for word in name.split() if len(word) > 2})


def _of_formula(text: str, formulas: Iterable[str]) -> Meaning | None:
    found = next((formula for formula in formulas if formula.casefold() == text.replace(" ", "")), None)
    return None if found is None else Meaning(formula=found)


@lru_cache(maxsize=1)
def _elements() -> dict[str, str]:
    """Name of an element -> symbol."""
    elements = [Element.from_Z(z) for z in range(1, MAX_Z + 1)]
    return {_spelt_alike(element.long_name.casefold()): element.symbol for element in elements}


def _element(word: str) -> str | None:
    return _elements().get(_spelt_alike(word))


def _spelt_alike(word: str) -> str:
    return _OTHER_SPELLINGS.get(word, word)


def _by_ions(name: str) -> Meaning | None:
    """An element, or a compound named by its ions: "zinc oxide", "lead zirconate", "titanium dioxide"."""
    *cations, last = name.split() or [""]
    found = [_element(word) for word in cations]
    symbols = {symbol for symbol in found if symbol is not None}
    if len(symbols) < len(found):
        return None
    if not symbols:
        alone = _element(last)
        return None if alone is None else Meaning(elements=frozenset({alone}))
    anion = _COUNTS.sub("", last)
    if anion in SIMPLE_ANIONS:
        return Meaning(elements=frozenset(symbols | {SIMPLE_ANIONS[anion]}))
    if anion in OXYANIONS:
        return Meaning(elements=frozenset(symbols | {OXYANIONS[anion], "O"}))
    return None
