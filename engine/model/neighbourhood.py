"""How far a crystal lies from all training crystals, in the features that the network works with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

DIMENSIONS = 16
GAP_OF = 5  # nearest training crystals
NO_DISTANCE = 0.2  # added to a distance that weighs a gap
QUANTILE = 0.99  # of the training crystals lie nearer to another formula than `far`


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A training formula near a crystal; `distance` as in `Neighbourhood`, to its nearest crystal."""

    formula: str
    distance: float


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """The training crystals in the leading principal components of their mean scalar features.

    Distances are in units of the median over training crystals, and always to a crystal of another formula.

    Attributes:
        center: [F] mean of the training crystals' features.
        projection: [F, D] to the principal components, in units of the median distance.
        points: [n, D] training crystals.
        formulas: [n] their reduced formulas.
        gaps: [n] their DFT gaps, eV, nan where it is not known.
        far: distance beyond which a crystal is unlike the training set.
    """

    center: torch.Tensor
    projection: torch.Tensor
    points: torch.Tensor
    formulas: tuple[str, ...]
    gaps: torch.Tensor
    far: float

    @classmethod
    def of(
        cls, features: torch.Tensor, formulas: Sequence[str], gaps: Sequence[float | None] = ()
    ) -> "Neighbourhood":
        """From the features [n, F] of training crystals of at least two formulas, and their gaps where known."""
        center = features.mean(0)
        rank = min(DIMENSIONS, *features.shape)
        projection = torch.linalg.svd(features - center, full_matrices=False).Vh[:rank].T
        points = (features - center) @ projection
        nearest = _nearest(points, formulas, points, formulas)
        scale = nearest.median().clamp(min=1e-6)
        return cls(
            center=center,
            projection=projection / scale,
            points=points / scale,
            formulas=tuple(formulas),
            gaps=torch.tensor([math.nan if gap is None else gap for gap in gaps or [None] * len(formulas)]),
            far=float(torch.quantile(nearest / scale, QUANTILE)),
        )

    def distances(self, features: torch.Tensor, formulas: Sequence[str]) -> torch.Tensor:
        """[n] distance of crystals with features [n, F] to the nearest training crystal of another formula."""
        points = (features.to(self.center) - self.center) @ self.projection
        return _nearest(points, formulas, self.points, self.formulas)

    def gap(self, features: torch.Tensor, formulas: Sequence[str]) -> torch.Tensor:
        """[n] eV, mean DFT gap of the `GAP_OF` nearest training crystals of other formulas; nan if unknown."""
        points = (features.to(self.center) - self.center) @ self.projection
        known = ~self.gaps.isnan()
        if not known.any():
            return torch.full((len(features),), torch.nan)
        theirs = [formula for formula, one in zip(self.formulas, known.tolist(), strict=True) if one]
        distance = _distances(points, formulas, self.points[known], theirs)
        found = distance.topk(min(GAP_OF, distance.shape[1]), largest=False)
        weight = 1 / (found.values + NO_DISTANCE)
        return (weight * self.gaps.to(weight)[known][found.indices]).sum(1) / weight.sum(1)

    def nearest(self, features: torch.Tensor, formulas: Sequence[str], count: int) -> list[tuple[Neighbour, ...]]:
        """Of each crystal with features [n, F], the `count` other formulas with the nearest training crystals."""
        points = (features.to(self.center) - self.center) @ self.projection
        return [
            self._nearest_formulas(row, own, count)
            for row, own in zip(torch.cdist(points, self.points).tolist(), formulas, strict=True)
        ]

    def _nearest_formulas(self, distances: list[float], own: str, count: int) -> tuple[Neighbour, ...]:
        found: dict[str, float] = {}
        for distance, formula in sorted(zip(distances, self.formulas, strict=True)):
            if formula != own:
                found.setdefault(formula, distance)
            if len(found) == count:
                break
        return tuple(Neighbour(formula=formula, distance=distance) for formula, distance in found.items())


def _nearest(
    points: torch.Tensor, formulas: Sequence[str], others: torch.Tensor, their: Sequence[str]
) -> torch.Tensor:
    return _distances(points, formulas, others, their).min(1).values


def _distances(
    points: torch.Tensor, formulas: Sequence[str], others: torch.Tensor, their: Sequence[str]
) -> torch.Tensor:
    """[n, m], infinite between crystals of one formula."""
    distance = torch.cdist(points, others)
    numbers = {formula: number for number, formula in enumerate({*formulas, *their})}
    own, other = (torch.tensor([numbers[f] for f in names], device=points.device) for names in (formulas, their))
    distance[own[:, None] == other[None]] = torch.inf
    return distance
