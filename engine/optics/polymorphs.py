"""Polymorphs by the names that measurements give them, with the space groups that tell them apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

QUARTZ = frozenset({152, 154})


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A polymorph.

    Attributes:
        name: how pages call it.
        words: regular expression for how entries call it.
        groups: numbers of its space groups, both hands.
        natoms: atoms in its primitive cell, or None where the space groups say enough.
        formula: reduced formula that this name belongs to, or None for any.
    """

    name: str
    words: str
    groups: frozenset[int]
    natoms: int | None = None
    formula: str | None = None

    def fits(self, group: int, natoms: int) -> bool:
        """Whether a crystal of this space group and primitive cell can be this polymorph."""
        return group in self.groups and self.natoms in (None, natoms)


def _phase(name: str, words: str, *groups: int, natoms: int | None = None, formula: str | None = None) -> Phase:
    return Phase(name=name, words=words, groups=frozenset(groups), natoms=natoms, formula=formula)


# Space groups: Mehl et al., The AFLOW Library of Crystallographic Prototypes, Comput. Mater. Sci. 136, S1 (2017),
# doi:10.1016/j.commatsci.2017.01.017, and its later parts, but for paratellurite, proustite and β-BaB₂O₄, which
# is the name that crystal growers give to the form without inversion.
OF_A_FORMULA = (
    _phase("rutile", "rutile", 136, formula="TiO2"),
    _phase("anatase", "anatase", 141, formula="TiO2"),
    _phase("brookite", "brookite", 61, formula="TiO2"),
    _phase("α-quartz", "quartz", *QUARTZ, formula="SiO2"),
    _phase("sapphire", "sapphire|α-Al2O3", 167, formula="Al2O3"),
    _phase("hematite", "hematite|α-Fe2O3", 167, formula="Fe2O3"),
    _phase("calcite", "calcite", 167, formula="CaCO3"),
    _phase("aragonite", "aragonite", 62, formula="CaCO3"),
    _phase("cinnabar", "α-HgS|cinnabar", *QUARTZ, formula="HgS"),
    _phase("paratellurite", "α-TeO2|paratellurite", 92, 96, formula="TeO2"),
    _phase("β-BaB₂O₄", "beta barium borate|[ßβ]-BaB|BBO", 161, formula="Ba(BO2)2"),
    _phase("ε-GaSe", "[εɛ]-GaSe", 187, natoms=8, formula="GaSe"),
    _phase("proustite", "proustite", 161, formula="Ag3AsS3"),
    _phase("spinel", "spinel", 227, formula="MgAl2O4"),
    _phase("diamond", "diamond", 227, formula="C"),
    _phase("graphite", "graphit", 194, natoms=4, formula="C"),
    _phase("h-BN", "hBN|h-BN|hexagonal", 194, natoms=4, formula="BN"),
    _phase("4H", "4H", 186, natoms=8, formula="SiC"),
    _phase("6H", "6H", 186, natoms=12, formula="SiC"),
    _phase("3C", "β-SiC", 216, formula="SiC"),
    _phase("hexagonal, polytype not stated", "α-SiC", 186, formula="SiC"),
)
OF_ANY_FORMULA = (
    _phase("wurtzite", "wurtzite", 186, natoms=4),
    _phase("zincblende", "zinc.?blende?|sphalerite", 216, natoms=2),
    _phase("chalcopyrite", "chalcopyrite", 122),
    _phase("2H", "2H-", 194),
    _phase("cubic", r"\bcubic", *range(195, 231)),
    _phase("hexagonal", "hexagonal", *range(168, 195)),
    _phase("tetragonal", "tetragonal", *range(75, 143)),
    _phase("orthorhombic", "orthorhombic", *range(16, 75)),
)


def named_phases(formula: str, *entries: tuple[str, str]) -> list[Phase]:
    """The polymorphs that measurements on one formula name; more than one where they contradict each other.

    Args:
        formula: reduced.
        entries: of each, what it says of its sample, and the titles of its sources. Titles count where the sample
            is not named; they may speak of several crystals, and two names that fit any formula then say nothing.
    """
    own = [phase for phase in OF_A_FORMULA if phase.formula == formula]
    found: list[Phase] = []
    for sample, titles in entries:
        in_titles = _named(OF_ANY_FORMULA, titles)
        named = _named(own, sample) or _named(own, titles) or _named(OF_ANY_FORMULA, sample)
        named = named or (in_titles if len(in_titles) == 1 else [])
        found += [phase for phase in named if phase not in found]
    return found


def _named(phases: Sequence[Phase], text: str) -> list[Phase]:
    return [phase for phase in phases if re.search(phase.words, text, re.IGNORECASE)]
