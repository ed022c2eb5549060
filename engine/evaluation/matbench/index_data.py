"""Crystals known by their refractive index, as flat tensors: the atoms of all crystals, one after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.crystals.material import Material
from engine.network.feature_cache import material_features
from engine.network.network import VOLUME_UNIT
from engine.network.potential import IRREPS


@dataclass(frozen=True, kw_only=True)
class IndexData:
    """B crystals with N atoms in all.

    Attributes:
        invariants: [N, K] what of the potential's features no rotation changes.
        counts: [B] atoms of each crystal.
        volume_per_atom: [B] Å^3.
        n: [B] refractive index.
    """

    invariants: torch.Tensor
    counts: torch.Tensor
    volume_per_atom: torch.Tensor
    n: torch.Tensor

    @property
    def crystal_index(self) -> torch.Tensor:
        """[N] crystal of each atom."""
        return torch.repeat_interleave(self.counts)

    def take(self, chosen: torch.Tensor) -> "IndexData":
        """The crystals of these indices, in their order."""
        counts = self.counts[chosen]
        start = (self.counts.cumsum(0) - self.counts)[chosen] - (counts.cumsum(0) - counts)
        rows = torch.repeat_interleave(start, counts) + torch.arange(int(counts.sum()), device=start.device)
        return IndexData(
            invariants=self.invariants[rows],
            counts=counts,
            volume_per_atom=self.volume_per_atom[chosen],
            n=self.n[chosen],
        )

    def to(self, device: torch.device) -> "IndexData":
        """The same on a device."""
        return IndexData(**{name: tensor.to(device) for name, tensor in vars(self).items()})

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """[N, ...] -> [B, ...], the mean over each crystal's atoms."""
        total = values.new_zeros(len(self.counts), *values.shape[1:]).index_add(0, self.crystal_index, values)
        return total / self.counts.view(-1, *[1] * (values.dim() - 1))

    def latent(self, floor: float) -> torch.Tensor:
        """[B] log((v / v0) (n^2 - 1)), the logarithm of a polarisability, with n^2 - 1 raised to `floor`."""
        return (self.volume_per_atom / VOLUME_UNIT * (self.n**2 - 1).clamp(min=floor)).log()


def index_of(latent: torch.Tensor, volume_per_atom: torch.Tensor) -> torch.Tensor:
    """Refractive index of `IndexData.latent`, [B] and [B] Å^3 -> [B]: n = sqrt(1 + (v0 / v) exp(latent))."""
    return (1 + VOLUME_UNIT / volume_per_atom * latent.exp()).sqrt()


def index_data(
    materials: Sequence[Material],
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> IndexData:
    """Data on the CPU; features that the cache lacks are computed on `device`, see feature_cache.py."""
    features = torch.cat(material_features(materials, device, progress))
    volume = [abs(np.linalg.det(material.cell)) / material.natoms for material in materials]
    return IndexData(
        invariants=_invariants(features),
        counts=torch.tensor([material.natoms for material in materials]),
        volume_per_atom=torch.tensor(volume, dtype=features.dtype),
        n=torch.tensor([material.n for material in materials], dtype=features.dtype),
    )


def _invariants(features: torch.Tensor) -> torch.Tensor:
    """Scalars, and the norm of each l = 2 channel."""
    scalars = IRREPS.count("0e")
    norms = torch.linalg.vector_norm(features[:, scalars:].unflatten(1, (-1, 5)), dim=2)
    return torch.cat([features[:, :scalars], norms], 1)
