"""Parts of a data set that share no reduced formula, so that polymorphs stay together."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from engine.crystals.material import Material
from engine.errors import check


def formula_rank(formula: str) -> float:
    """A fixed number in [0, 1) for each formula: those below x are a random share x of all."""
    return int(hashlib.sha256(formula.encode()).hexdigest()[:12], 16) / 16**12


def formula_folds(materials: Sequence[Material], folds: int, seed: int = 0) -> list[np.ndarray]:
    """Indices of each fold, all crystals of one reduced formula in the same one.

    Formulas are shuffled, then each goes to the fold with the fewest crystals so far, the largest groups
    first, so that folds differ by a crystal or so.

    Raises:
        EngineError: there are fewer formulas than folds.
    """
    groups: dict[str, list[int]] = {}
    for index, material in enumerate(materials):
        groups.setdefault(material.formula, []).append(index)
    check(folds >= 2, f"folds must be at least 2, got {folds}")
    check(len(groups) >= folds, f"{folds} folds need as many formulas, got {len(groups)}")
    formulas = np.array(sorted(groups))
    np.random.default_rng(seed).shuffle(formulas)
    members: list[list[int]] = [[] for _ in range(folds)]
    for formula in sorted(formulas, key=lambda f: -len(groups[f])):
        min(members, key=len).extend(groups[formula])
    return [np.array(sorted(fold)) for fold in members]


def formulas_of_folds(
    materials: Sequence[Material], parts: Sequence[np.ndarray], beside: Iterable[str]
) -> list[frozenset[str]]:
    """Formulas that each fold leaves out: those of its crystals, and its share of others that teach too.

    Args:
        materials: that `parts`, of `formula_folds`, are indices of.
        beside: formulas of whatever teaches; those of no material are dealt out evenly.
    """
    others = sorted({*beside} - {material.formula for material in materials}, key=formula_rank)
    return [
        frozenset(materials[index].formula for index in part) | {*others[number :: len(parts)]}
        for number, part in enumerate(parts)
    ]


def holdout_split(materials: Sequence[Material], share: float, seed: int) -> tuple[list[Material], list[Material]]:
    """Training and validation materials that share no reduced formula; about `share` of them validate."""
    fold = formula_folds(materials, max(2, round(1 / share)), seed)[0]
    held_out = set(fold.tolist())
    train = [m for i, m in enumerate(materials) if i not in held_out]
    return train, [materials[i] for i in fold]
