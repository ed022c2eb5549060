"""Readouts of one atom: from its features to a symmetric tensor, a Born charge, the spring that holds it."""

import torch
from e3nn import o3
from pymatgen.core import Element
from torch import nn
from torch_geometric.utils import scatter

from engine.crystals.material import MAX_Z
from engine.network.springs import lattice_susceptibility
from engine.tensors.tensors import IRREPS, irreps_to_matrix

BOUND = 8.0  # no irrep that a head puts out is longer
CRYSTAL_WIDTH = 32
FARTHEST = 5.0  # standard deviations; an input farther from its mean counts as this far
MIDDLE_NORM = 0.8  # about the mean of an l = 2 norm whose root mean square is 1
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

    def forward(self, node: torch.Tensor, crystal_index: torch.Tensor) -> torch.Tensor:
        """[N, 6] of node features [N, irreps_in], whatever their crystals [N]."""
        return self.output(node, self.net(node[:, : self.scalars]))  # scalars come first

    def output(self, node: torch.Tensor, gates: torch.Tensor) -> torch.Tensor:
        """[N, 6] of gates [N, 1 + channels]."""
        even = self.even(node).reshape(len(node), self.channels, 5)
        anisotropic = torch.einsum("nu,num->nm", gates[:, 1:], even) / self.channels**0.5
        return torch.cat([gates[:, :1], anisotropic], 1)


class CrystalHead(TensorHead):
    """A head for features at unit scale, whose scalar depends on the whole crystal too:

    h_i = SiLU(W (scalars, norms of the l = 2 channels)_i),    gates_i = V h_i + (g(mean h, std h), 0, 0, ...).
    """

    def __init__(self, irreps_in: o3.Irreps, width: int) -> None:
        super().__init__(irreps_in, width)
        self.net[0] = nn.Linear(self.scalars + self.channels, width)
        self.crystal = nn.Sequential(nn.Linear(2 * width, CRYSTAL_WIDTH), nn.SiLU(), nn.Linear(CRYSTAL_WIDTH, 1))

    def forward(self, node: torch.Tensor, crystal_index: torch.Tensor) -> torch.Tensor:
        """[N, 6] of node features [N, irreps_in] and the crystal of each atom, [N]."""
        norms = node[:, self.scalars :].unflatten(1, (-1, 5)).square().mean(-1).add(1e-6).sqrt()
        inputs = torch.cat([node[:, : self.scalars], norms - MIDDLE_NORM], 1).clamp(-FARTHEST, FARTHEST)
        hidden = self.net[:2](inputs)
        mean = scatter(hidden, crystal_index, dim=0, reduce="mean")
        square = scatter(hidden.square(), crystal_index, dim=0, reduce="mean")
        spread = ((square - mean.square()).clamp(min=0) + 1e-4).sqrt()
        shared = self.crystal(torch.cat([mean, spread], 1))[crystal_index]
        gates = self.net[2](hidden)
        return self.output(node, torch.cat([gates[:, :1] + shared, gates[:, 1:]], 1))


class SpringHead(nn.Module):
    """Node features -> ionic tensor [B, 3, 3] through each atom's Born charge and holding spring, see springs.py.

    The charge begins as what the atom's electronegativity is below the crystal's mean.
    """

    electronegativity: torch.Tensor

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
        """[B, 3, 3] of node features [N, irreps_in]; the others as in `springs.lattice_susceptibility`."""
        unit = node.new_tensor([CHARGE_UNIT] + 5 * [CHARGE_UNIT * CHARGE_ANISOTROPY])
        charges = irreps_to_matrix(bounded(self.charge(node, crystal_index) * unit * 3**0.5))
        pull = CHARGE_PER_ELECTRONEGATIVITY * self.log_scale.exp() * self.electronegativity[atomic_numbers]
        charges = charges - torch.diag_embed(pull[:, None].expand(-1, 3))
        held = HELD * torch.linalg.matrix_exp(irreps_to_matrix(bounded(self.held(node, crystal_index))))
        return lattice_susceptibility(charges, held, springs, crystal_index, volume)


def bounded(irreps: torch.Tensor) -> torch.Tensor:
    """1x0e+1x2e components [..., 6], the norm of each irrep kept below BOUND and its direction as it is."""
    parts = []
    for part in irreps.split([ir.dim for _, ir in o3.Irreps(IRREPS)], dim=-1):
        norm = (part.square().sum(-1, keepdim=True) + 1e-12).sqrt() / BOUND
        parts.append(part * torch.tanh(norm) / norm)
    return torch.cat(parts, -1)
