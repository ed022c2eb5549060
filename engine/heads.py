"""Readouts of one atom: from its features to a symmetric tensor, a Born charge, the spring that holds it."""

import torch
from e3nn import o3
from pymatgen.core import Element
from torch import nn

from engine.springs import lattice_susceptibility
from engine.tensors import IRREPS, irreps_to_matrix

BOUND = 8.0  # no irrep that a head puts out is longer
MAX_Z = 118
UNKNOWN_ELECTRONEGATIVITY = 2.5  # of the noble gases that Pauling's scale leaves out
CHARGE_UNIT = 1.0  # e, what a head can add to an atom's Born charge without effort
CHARGE_ANISOTROPY = 0.3
CHARGE_PER_ELECTRONEGATIVITY = 2.0  # e, before training
HELD = 0.5  # eV/Å^2, the springs that hold single atoms, before training


class TensorHead(nn.Module):
    """Node features -> [N, 6]: one scalar, and the l = 2 channels weighed by gates that the scalars set."""

    def __init__(self, irreps_in: o3.Irreps, width: int) -> None:
        super().__init__()
        self.scalars = irreps_in.count("0e")
        self.even = o3.Linear(irreps_in, o3.Irreps([(irreps_in.count("2e"), "2e")]))
        self.channels = irreps_in.count("2e")
        self.net = nn.Sequential(
            nn.Linear(self.scalars, width),
            nn.SiLU(),
            nn.Linear(width, 1 + self.channels),
        )

    def forward(self, node: torch.Tensor) -> torch.Tensor:
        gates = self.net(node[:, : self.scalars])  # scalars come first
        even = self.even(node).reshape(len(node), self.channels, 5)
        anisotropic = torch.einsum("nu,num->nm", gates[:, 1:], even) / self.channels**0.5
        return torch.cat([gates[:, :1], anisotropic], 1)


class SpringHead(nn.Module):
    """Node features -> ionic tensor [B, 3, 3] through each atom's Born charge and holding spring, see springs.py.

    The charge begins as what the atom's electronegativity is below the crystal's mean.
    """

    def __init__(self, irreps_in: o3.Irreps, width: int) -> None:
        super().__init__()
        self.charge = TensorHead(irreps_in, width)
        self.held = TensorHead(irreps_in, width)
        self.log_scale = nn.Parameter(torch.zeros(()))
        pauling = [Element.from_Z(z).data.get("X") or UNKNOWN_ELECTRONEGATIVITY for z in range(1, MAX_Z + 1)]
        self.register_buffer("electronegativity", torch.tensor([0.0, *pauling]), persistent=False)

    def forward(
        self,
        node: torch.Tensor,
        atomic_numbers: torch.Tensor,
        springs: torch.Tensor,
        crystal_index: torch.Tensor,
        volume: torch.Tensor,
    ) -> torch.Tensor:
        unit = node.new_tensor([CHARGE_UNIT] + 5 * [CHARGE_UNIT * CHARGE_ANISOTROPY])
        charges = irreps_to_matrix(bounded(self.charge(node) * unit * 3**0.5))
        pull = CHARGE_PER_ELECTRONEGATIVITY * self.log_scale.exp() * self.electronegativity[atomic_numbers]
        charges = charges - torch.diag_embed(pull[:, None].expand(-1, 3))
        held = HELD * torch.linalg.matrix_exp(irreps_to_matrix(bounded(self.held(node))))
        return lattice_susceptibility(charges, held, springs, crystal_index, volume)


def bounded(irreps: torch.Tensor) -> torch.Tensor:
    """1x0e+1x2e components [..., 6], the norm of each irrep kept below BOUND and its direction as it is."""
    parts = []
    for part in irreps.split([ir.dim for _, ir in o3.Irreps(IRREPS)], dim=-1):
        norm = (part.square().sum(-1, keepdim=True) + 1e-12).sqrt() / BOUND
        parts.append(part * torch.tanh(norm) / norm)
    return torch.cat(parts, -1)
