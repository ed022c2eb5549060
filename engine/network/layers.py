"""The equivariant building blocks: radial embedding, convolution and gate."""

import torch
from e3nn import o3
from e3nn.math import soft_one_hot_linspace, soft_unit_step
from e3nn.nn import FullyConnectedNet, Gate
from torch import nn

EDGES_AT_ONCE = 2**12  # messages of all edges of a large cell take gigabytes


def natural_irreps(mul: int, lmax: int, scalars: int | None = None) -> o3.Irreps:
    """`mul` channels of each degree 0..lmax with the parity of its spherical harmonic, (-1)^l.

    Only these can be built from edge directions without a pseudo-tensor in between.
    """
    return o3.Irreps([(scalars if scalars and ell == 0 else mul, (ell, (-1) ** ell)) for ell in range(lmax + 1)])


def radial_embedding(edge_length: torch.Tensor, r_max: float, num_basis: int) -> torch.Tensor:
    """Bessel functions under a smooth cutoff; [E] Å -> [E, num_basis].

    B_k(r) = sqrt(2 / r_max) sin(k pi r / r_max) / r * u(r), u and all its derivatives zero at r_max.
    Source: Gasteiger et al., arXiv:2003.03123.
    """
    basis = soft_one_hot_linspace(edge_length, 0.0, r_max, num_basis, basis="bessel", cutoff=True)
    cutoff = soft_unit_step(10 * (1 - edge_length / r_max))
    return basis * cutoff[:, None] * r_max**0.5


class Convolution(nn.Module):
    """Messages along edges plus a self-connection, both linear in the node features:

    x'_i = S x_i + L2 [ 1/sqrt(num_neighbors) sum_j (L1 x_j) ⊗_{R(|r_ij|)} Y(r_ij) ]

    where ⊗ is the Clebsch-Gordan product with one learned weight R per path and channel.
    Source: Thomas et al., arXiv:1802.08219; Batzner et al., arXiv:2101.03164.
    """

    def __init__(
        self,
        irreps_in: o3.Irreps,
        irreps_sh: o3.Irreps,
        irreps_out: o3.Irreps,
        num_basis: int,
        radial_width: int,
        num_neighbors: float,
    ) -> None:
        super().__init__()
        self.num_neighbors = num_neighbors
        self.self_connection = o3.Linear(irreps_in, irreps_out)
        self.linear_in = o3.Linear(irreps_in, irreps_in)
        irreps_message, instructions = _paths(irreps_in, irreps_sh, irreps_out)
        self.product = o3.TensorProduct(
            irreps_in, irreps_sh, irreps_message, instructions, shared_weights=False, internal_weights=False
        )
        self.radial = FullyConnectedNet(
            [num_basis, radial_width, radial_width, self.product.weight_numel], nn.functional.silu
        )
        self.linear_out = o3.Linear(irreps_message.simplify(), irreps_out)

    def forward(
        self,
        node: torch.Tensor,  # [N, irreps_in]
        edge_index: torch.Tensor,  # [2, E]
        edge_sh: torch.Tensor,  # [E, irreps_sh]
        edge_radial: torch.Tensor,  # [E, num_basis]
    ) -> torch.Tensor:
        """x' of the formula, [N, irreps_out]."""
        sent = self.linear_in(node)
        received = node.new_zeros(len(node), self.product.irreps_out.dim)
        parts = (
            edge_index.split(EDGES_AT_ONCE, 1),
            edge_sh.split(EDGES_AT_ONCE),
            edge_radial.split(EDGES_AT_ONCE),
        )
        for (edge_src, edge_dst), harmonics, radial in zip(*parts, strict=True):
            message = self.product(sent[edge_src], harmonics, self.radial(radial))
            received.index_add_(0, edge_dst, message)
        return self.self_connection(node) + self.linear_out(received / self.num_neighbors**0.5)


def _paths(
    irreps_in: o3.Irreps, irreps_sh: o3.Irreps, irreps_out: o3.Irreps
) -> tuple[o3.Irreps, list[tuple[int, int, int, str, bool]]]:
    """Message irreps and instructions of every Clebsch-Gordan path that ends in an irrep of `irreps_out`."""
    found = [
        (mul, ir_out, i, j)
        for i, (mul, ir_in) in enumerate(irreps_in)
        for j, (_, ir_sh) in enumerate(irreps_sh)
        for ir_out in ir_in * ir_sh
        if ir_out in irreps_out
    ]
    found.sort(key=lambda path: path[1])
    irreps = o3.Irreps([(mul, ir) for mul, ir, _, _ in found])
    return irreps, [(i, j, k, "uvu", True) for k, (_, _, i, j) in enumerate(found)]


def gate_for(irreps: o3.Irreps) -> Gate:
    """SiLU on the scalars of `irreps`, and each higher channel times its own learned sigmoid."""
    scalars = o3.Irreps([(mul, ir) for mul, ir in irreps if ir.l == 0])
    gated = o3.Irreps([(mul, ir) for mul, ir in irreps if ir.l > 0])
    gates = o3.Irreps([(gated.num_irreps, "0e")])
    return Gate(scalars, [nn.functional.silu] * len(scalars), gates, [torch.sigmoid], gated)
