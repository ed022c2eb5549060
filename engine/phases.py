"""Polymorphs by the names that measurements give them, with the space groups that tell them apart."""

import re
from dataclasses import dataclass

TRIGONAL_QUARTZ = frozenset({152, 154})
CUBIC = frozenset(range(195, 231))
HEXAGONAL = frozenset(range(168, 195))


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


# Structures: Villars and Cenzual, Pearson's Crystal Data. The first of a formula that is named counts.
OF_A_FORMULA = (
    Phase(formula="TiO2", name="rutile", words="rutile", groups=frozenset({136})),
    Phase(formula="TiO2", name="anatase", words="anatase", groups=frozenset({141})),
    Phase(formula="TiO2", name="brookite", words="brookite", groups=frozenset({61})),
    Phase(formula="SiO2", name="α-quartz", words="quartz", groups=TRIGONAL_QUARTZ),
    Phase(formula="Al2O3", name="sapphire", words="sapphire|α-Al2O3", groups=frozenset({167})),
    Phase(formula="Fe2O3", name="hematite", words="hematite|α-Fe2O3", groups=frozenset({167})),
    Phase(formula="CaCO3", name="calcite", words="calcite", groups=frozenset({167})),
    Phase(formula="CaCO3", name="aragonite", words="aragonite", groups=frozenset({62})),
    Phase(formula="HgS", name="cinnabar", words="α-HgS|cinnabar", groups=TRIGONAL_QUARTZ),
    Phase(formula="TeO2", name="paratellurite", words="α-TeO2|paratellurite", groups=frozenset({92, 96})),
    Phase(formula="BaB2O4", name="β-BaB₂O₄", words="beta barium borate|[ßβ]-BaB", groups=frozenset({161})),
    Phase(formula="C", name="diamond", words="diamond", groups=frozenset({227})),
    Phase(formula="C", name="graphite", words="graphit", groups=frozenset({194}), natoms=4),
    Phase(formula="BN", name="h-BN", words="hBN|h-BN|hexagonal", groups=frozenset({194}), natoms=4),
    Phase(formula="SiC", name="4H", words="4H", groups=frozenset({186}), natoms=8),
    Phase(formula="SiC", name="6H", words="6H", groups=frozenset({186}), natoms=12),
    Phase(formula="SiC", name="3C", words="β-SiC", groups=frozenset({216})),
)
OF_ANY_FORMULA = (
    Phase(name="wurtzite", words="wurtzite", groups=frozenset({186}), natoms=4),
    Phase(name="zincblende", words="zinc.?blende?|sphalerite", groups=frozenset({216}), natoms=2),
    Phase(name="cubic", words="cubic", groups=CUBIC),
    Phase(name="hexagonal", words="hexagonal", groups=HEXAGONAL),
)


def named_phases(formula: str, *entries: tuple[str, str]) -> list[Phase]:
    """The polymorphs that measurements on one formula name; more than one where they contradict each other.

    Args:
        formula: reduced.
        entries: of each, what it says of its sample, and the titles of its sources. In titles only names that
            belong to the formula count: they may speak of other crystals as well.
    """
    found: list[Phase] = []
    for sample, titles in entries:
        own = [phase for phase in OF_A_FORMULA if phase.formula == formula]
        named = [phase for phase in own if re.search(phase.words, sample, re.IGNORECASE)]
        named = named or [phase for phase in own if re.search(phase.words, titles, re.IGNORECASE)]
        named = named or [phase for phase in OF_ANY_FORMULA if re.search(phase.words, sample, re.IGNORECASE)]
        found += [phase for phase in named if phase not in found]
    return found
