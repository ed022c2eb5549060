"""The ions of a batch of crystals as a network sees them, and the ionic tensor that they make."""

from dataclasses import dataclass
from functools import cached_property

import torch

from engine.network.constants import UNIT
from engine.network.padding import atoms_present, matrix_blocks, padded_pairs, to_matrix
from engine.network.quadrature import quadratic_form
from engine.network.springs import corrected, firm, held, neutral, susceptibility_of_pairs
from engine.tensors.irreps import symmetric_log

FLOOR = 0.02  # smaller principal values count as this in the logarithm, see `network.physical`
LARGE = 100  # atoms; of larger cells, what no one asks for is not made
OWN = 1 / 3  # weight of a network's own force constants beside the potential's, chosen on the first fold


@dataclass(frozen=True, kw_only=True)
class Potentials:
    """Force constants of the potential, for those crystals that have them.

    Attributes:
        springs: [P, 3, 3] `springs.stiffness` of each such crystal, one after the other.
        bare: [P, 3, 3] the same before it was made firm, or None.
        known: [B] bool, which crystals they are.
        correction: [N, 3, 3] of each atom, see `springs.corrected`; makes them those of PBEsol.
        level: [N, 3, 3] the same once more, to those of the functional of each crystal.
    """

    springs: torch.Tensor
    bare: torch.Tensor | None
    known: torch.Tensor
    correction: torch.Tensor
    level: torch.Tensor

    def corrected(self, pairs: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """`springs` or `bare` by the functional of each crystal, [B, n, n, 3, 3]; zero where there are none."""
        found = padded_pairs(pairs, present & self.known[:, None])
        return corrected(corrected(found, self.correction, present), self.level, present)

    def mean(self, own: torch.Tensor, pairs: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Of a network's own pairs [B, n, n, 3, 3] and `corrected` ones; its own where it is alone."""
        known = self.known[:, None, None, None, None]
        return torch.where(known, OWN * own + (1 - OWN) * self.corrected(pairs, present), own)


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """Ions of a batch of crystals.

    Attributes:
        charges: [N, 3, 3] e, Born charges.
        force_constants: [B, n, n, 3, 3] eV/Å^2 of PBEsol, the network's own.
        level: [N, 3, 3] what makes them those of the functional of each crystal, see `springs.corrected`.
        crystal_index, volume: [N], and [B] Å^3 of the cells.
        potentials: None where no crystal comes with any.
    """

    charges: torch.Tensor
    force_constants: torch.Tensor
    level: torch.Tensor
    crystal_index: torch.Tensor
    volume: torch.Tensor
    potentials: Potentials | None = None

    @cached_property
    def direct(self) -> torch.Tensor:
        """[B, n, n, 3, 3] float64, stiffness of the network's own by the functional of each crystal."""
        firmed = matrix_blocks(firm(to_matrix(self.force_constants.double())))
        return corrected(firmed, self.level, self._present)

    @cached_property
    def stiffness(self) -> torch.Tensor:
        """The weighted mean of that and of the corrected potential's, where a crystal has springs."""
        if self.potentials is None:
            return self.direct
        return self.potentials.mean(self.direct, self.potentials.springs, self._present)

    @property
    def bare(self) -> torch.Tensor:
        """The same before anything was made firm (see springs.py), what the crystal's vibrations follow."""
        own = corrected(self.force_constants.double(), self.level, self._present)
        if self.potentials is None or self.potentials.bare is None:
            return own
        return self.potentials.mean(own, self.potentials.bare, self._present)

    def ionic(self, charges: torch.Tensor | None = None, stiffness: torch.Tensor | None = None) -> torch.Tensor:
        """M of the ionic tensors, [B, 3, 3], for other charges or another stiffness if given."""
        charges = self.charges if charges is None else charges
        if stiffness is None and self._too_large_for_eigenvectors:
            return logarithm(self._of_large_cells(charges)).to(charges)
        stiffness = self.stiffness if stiffness is None else stiffness
        tensor = susceptibility_of_pairs(charges, stiffness, self.crystal_index, self.volume)
        return logarithm(tensor).to(charges)

    @cached_property
    def _present(self) -> torch.Tensor:
        return atoms_present(torch.bincount(self.crystal_index))

    @property
    def _too_large_for_eigenvectors(self) -> bool:
        alone = self.potentials is None or not bool(self.potentials.known.any())
        return alone and self.force_constants.shape[1] > LARGE and not torch.is_grad_enabled()

    def _of_large_cells(self, charges: torch.Tensor) -> torch.Tensor:
        """Ionic tensors [B, 3, 3] of the network's own force constants."""
        counts = torch.bincount(self.crystal_index).tolist()
        atoms = zip(charges.split(counts), self.level.split(counts), strict=True)
        return torch.stack(
            [
                _susceptibility(own, level, to_matrix(pairs[None, : len(own), : len(own)].double())[0]) / volume
                for (own, level), pairs, volume in zip(atoms, self.force_constants, self.volume, strict=True)
            ]
        )


def logarithm(ionic: torch.Tensor) -> torch.Tensor:
    """M of ionic tensors, [B, 3, 3]."""
    return symmetric_log(ionic @ ionic + FLOOR**2 * torch.eye(3).to(ionic)) / 2


def _susceptibility(charges: torch.Tensor, level: torch.Tensor, constants: torch.Tensor) -> torch.Tensor:
    """The ionic tensor of one crystal times its volume, [3, 3] float64.

    With L the atoms' `level`, S = L f(Phi) L, and E the three motions as a whole, on which nothing pulls,

        Z^T S^-1 Z - Z^T S^-1 E (E^T S^-1 E)^-1 E^T S^-1 Z,

    all of it blocks of W^T (1 / f)(Phi) W with the six columns W = L^-1 (Z, E).

    Args:
        charges, level: [n, 3, 3].
        constants: Phi, [3 n, 3 n] float64.
    """
    own = neutral(charges.double(), torch.zeros(len(charges), dtype=torch.int64, device=charges.device))
    back = torch.linalg.inv(level.double())
    columns = torch.cat([back @ own.mT, back], 2).flatten(0, 1)  # [3n, 6]
    form = quadratic_form(constants, columns, lambda k: 1 / held(k))
    pull, mixed, whole = form[:3, :3], form[:3, 3:], form[3:, 3:]
    tensor = UNIT * (pull - mixed @ torch.linalg.solve(whole, mixed.mT))
    return (tensor + tensor.mT) / 2
