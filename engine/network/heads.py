"""Readouts of one atom: from its features to a symmetric tensor, a Born charge, the correction of its springs."""

import math

import torch
from e3nn import o3
from pymatgen.core import Element
from torch import nn
from torch_geometric.utils import scatter

from engine.crystals.material import MAX_Z
from engine.network.springs import lattice_susceptibility, neutral
from engine.tensors.irreps import IRREPS, irreps_to_matrix

BOUND = 8.0  # no irrep that a head puts out is longer
CRYSTAL_WIDTH = 32
FARTHEST = 5.0  # standard deviations; an input farther from its mean counts as this far
MIDDLE_NORM = 0.8  # about the mean of an l = 2 norm whose root mean square is 1
UNKNOWN_ELECTRONEGATIVITY = 2.5  # of the noble gases that Pauling's scale leaves out
CHARGE_ANISOTROPY = 0.5  # of the scale of a charge's scalar part
CHARGE_PRODUCT = 0.3
PRODUCTS = 8  # of l = 2 channels
CHARGE_PER_ELECTRONEGATIVITY = 2.0  # e, before training
FIRMER = 1.1  # than the potential's springs, before training
CORRECTION = 0.5  # of an atom's logarithm, what a head can add without effort
CORRECTION_ANISOTROPY = 0.15
LARGEST_CORRECTION = 0.6
SHIFT_WIDTH = 32


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
        hidden = self.net[:2](scalar_inputs(node, self.scalars))
        shared = self.crystal(torch.cat(crystal_context(hidden, crystal_index), 1))
        gates = self.net[2](hidden)
        return self.output(node, torch.cat([gates[:, :1] + shared, gates[:, 1:]], 1))


class ChargeHead(nn.Module):
    """Node features -> Born charges [N, 3, 3], 0e + 1e + 2e, of which a crystal's add up to zero.

    They begin as what an atom's electronegativity is below the crystal's mean. The antisymmetric part, 1e, comes
    from products of l = 2 channels: for symmetric A and B, AB - BA is antisymmetric and turns with the crystal.
    """

    electronegativity: torch.Tensor

    def __init__(self, irreps_in: o3.Irreps, width: int) -> None:
        super().__init__()
        self.scalars, self.channels = irreps_in.count("0e"), irreps_in.count("2e")
        self.first = nn.Linear(self.scalars + self.channels, width)
        self.second = nn.Linear(3 * width, width)
        self.gates = nn.Linear(width, 1 + self.channels + 2 * PRODUCTS)
        self.even = o3.Linear(irreps_in, o3.Irreps([(self.channels + 2 * PRODUCTS, "2e")]))
        self.element = nn.Embedding(MAX_Z + 1, 1)
        nn.init.zeros_(self.element.weight)
        pauling = [Element.from_Z(z).data.get("X") or UNKNOWN_ELECTRONEGATIVITY for z in range(1, MAX_Z + 1)]
        self.register_buffer("electronegativity", torch.tensor([0.0, *pauling]), persistent=False)

    def forward(
        self, node: torch.Tensor, atomic_numbers: torch.Tensor, crystal_index: torch.Tensor
    ) -> torch.Tensor:
        """[N, 3, 3] e, first axis the field, second the displacement.

        Args:
            node: [N, irreps_in] features at unit scale.
            atomic_numbers: [N].
            crystal_index: [N] crystal of each atom.
        """
        hidden = nn.functional.silu(self.first(scalar_inputs(node, self.scalars)))
        context = torch.cat([hidden, *crystal_context(hidden, crystal_index)], 1)
        hidden = hidden + nn.functional.silu(self.second(context))
        gates = self.gates(hidden).split([1, self.channels, PRODUCTS, PRODUCTS], 1)
        even = self.even(node).unflatten(1, (-1, 5))
        anisotropic = torch.einsum("nu,num->nm", gates[1], even[:, : self.channels]) / self.channels**0.5
        scalar = gates[0] + self.element(atomic_numbers)
        scalar = scalar - CHARGE_PER_ELECTRONEGATIVITY * self.electronegativity[atomic_numbers, None]
        plain = irreps_to_matrix(torch.cat([3**0.5 * scalar, CHARGE_ANISOTROPY * anisotropic], 1))
        one, other = matrices(even[:, self.channels :]).chunk(2, 1)  # [N, PRODUCTS, 3, 3]
        product = one @ other
        turned = torch.einsum("nu,nuxy->nxy", gates[2], product - product.mT)
        bent = torch.einsum("nu,nuxy->nxy", gates[3], product + product.mT) / 2
        charges = plain + CHARGE_PRODUCT * (turned + bent) / PRODUCTS**0.5
        return neutral(charges, crystal_index)


class ShiftHead(TensorHead):
    """A head for features at unit scale that puts out zero before training."""

    def __init__(self, irreps_in: o3.Irreps, width: int) -> None:
        super().__init__(irreps_in, width)
        last = nn.Linear(width, 1 + self.channels)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.net = nn.Sequential(nn.Linear(self.scalars + self.channels, width), nn.SiLU(), last)

    def forward(self, node: torch.Tensor, crystal_index: torch.Tensor) -> torch.Tensor:
        """[N, 6] of node features [N, irreps_in], whatever their crystals [N]."""
        return self.output(node, self.net(scalar_inputs(node, self.scalars)))


class CorrectionHead(nn.Module):
    """Node features -> [N, 3, 3] symmetric, positive: how each atom's springs are corrected, see springs.py.

    Before training, springs become `firmer` by one factor.
    """

    def __init__(self, irreps_in: o3.Irreps, firmer: float) -> None:
        super().__init__()
        self.shift = ShiftHead(irreps_in, SHIFT_WIDTH)
        self.log_scale = nn.Parameter(torch.tensor(math.log(firmer) / 2))

    def forward(self, node: torch.Tensor, crystal_index: torch.Tensor) -> torch.Tensor:
        """[N, 3, 3] of node features [N, irreps_in] at unit scale, whatever their crystals [N]."""
        output = self.shift(node, crystal_index)
        small = bounded(output * output.new_tensor([CORRECTION] + 5 * [CORRECTION_ANISOTROPY]), LARGEST_CORRECTION)
        return self.log_scale.exp() * torch.linalg.matrix_exp(irreps_to_matrix(small))


class LatticeHead(nn.Module):
    """Node features -> ionic tensor [B, 3, 3] through Born charges and the potential's springs, see springs.py."""

    def __init__(self, irreps_in: o3.Irreps, width: int) -> None:
        super().__init__()
        self.charge = ChargeHead(irreps_in, width)
        self.correction = CorrectionHead(irreps_in, FIRMER)

    def forward(
        self,
        node: torch.Tensor,
        atomic_numbers: torch.Tensor,
        springs: torch.Tensor,
        crystal_index: torch.Tensor,
        volume: torch.Tensor,
    ) -> torch.Tensor:
        """[B, 3, 3] of node features [N, irreps_in]; the others as in `springs.lattice_susceptibility`."""
        charges = self.charge(node, atomic_numbers, crystal_index)
        return lattice_susceptibility(
            charges, self.correction(node, crystal_index), springs, crystal_index, volume
        )


def scalar_inputs(node: torch.Tensor, scalars: int) -> torch.Tensor:
    """Scalars and norms of the l = 2 channels, [N, scalars + channels], of features [N, irreps] at unit scale."""
    norms = node[:, scalars:].unflatten(1, (-1, 5)).square().mean(-1).add(1e-6).sqrt()
    return torch.cat([node[:, :scalars], norms - MIDDLE_NORM], 1).clamp(-FARTHEST, FARTHEST)


def crystal_context(hidden: torch.Tensor, crystal_index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of [N, F] over the atoms of each atom's crystal, [N, F] each."""
    mean = scatter(hidden, crystal_index, dim=0, reduce="mean")
    square = scatter(hidden.square(), crystal_index, dim=0, reduce="mean")
    spread = ((square - mean.square()).clamp(min=0) + 1e-4).sqrt()
    return mean[crystal_index], spread[crystal_index]


def matrices(even: torch.Tensor) -> torch.Tensor:
    """l = 2 components [..., 5] -> symmetric matrices without a trace, [..., 3, 3]."""
    return irreps_to_matrix(nn.functional.pad(even, (1, 0)))


def bounded(irreps: torch.Tensor, bound: float = BOUND) -> torch.Tensor:
    """1x0e+1x2e components [..., 6], the norm of each irrep kept below `bound` and its direction as it is."""
    parts = []
    for part in irreps.split([ir.dim for _, ir in o3.Irreps(IRREPS)], dim=-1):
        norm = (part.square().sum(-1, keepdim=True) + 1e-12).sqrt() / bound
        parts.append(part * torch.tanh(norm) / norm)
    return torch.cat(parts, -1)
