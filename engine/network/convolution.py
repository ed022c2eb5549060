"""The potential's convolutions, with less memory moved than by e3nn's tensor product; the sums are the same.

On a GPU whose user has installed them the kernels of cuEquivariance do it, `FusedConvolution`, elsewhere
`NeighbourConvolution` by matrix products.

A message along the edge e from sender j is, for each path (l1, l2, l3) and channel u,

    w_u(|r_e|) sum_a,b C_abc x_j,u,a Y_b(r_e),

and an atom adds up those of its K neighbours. The matrix of an edge, sum_b C_abc Y_b, is made first; then product
and sum over neighbours are one matrix multiplication for each atom, [u, K a] by [K a, c], and messages themselves
are never written down. Atoms with fewer neighbours than others get edges of weight zero, see places.py.
"""

from importlib.util import find_spec
from typing import Any

import torch
from e3nn import o3
from torch import nn

from engine.network.places import Places, blocks_of_places


class NeighbourConvolution(nn.Module):
    """A convolution of SevenNet, in place of its `IrrepsConvolution`, whose weights it takes."""

    def __init__(self, convolution: Any) -> None:
        super().__init__()
        self.weight_nn, self.denominator = convolution.weight_nn, convolution.denominator
        product: o3.TensorProduct = convolution.convolution
        inputs, harmonics, outputs = product.irreps_in1, product.irreps_in2, product.irreps_out
        self.inputs = [(mul, ir.dim) for mul, ir in inputs]
        self.sizes = [mul * ir.dim for mul, ir in inputs], [ir.dim for _, ir in harmonics]
        self.order = [path.i_out for path in product.instructions]
        self.paths = [(path.i_in1, path.i_in2) for path in product.instructions]
        self.widths = [inputs[first].mul for first, _ in self.paths]
        for number, path in enumerate(product.instructions):
            ls = [inputs[path.i_in1].ir.l, harmonics[path.i_in2].ir.l, outputs[path.i_out].ir.l]
            coupling = path.path_weight * o3.wigner_3j(*ls).double()
            self.register_buffer(f"coupling{number}", coupling.transpose(0, 1).flatten(1), persistent=False)

    def forward(self, data: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """`data` with new features `x` of the atoms; edges are [receiver, sender]."""
        blocks = blocks_of_places(data["edge_index"], len(data["x"]))
        data["x"] = torch.cat([self._received(data, places) for places in blocks]) / self.denominator
        return data

    def _received(self, data: dict[str, torch.Tensor], places: Places) -> torch.Tensor:
        """[N, F] sums of messages to the atoms of a block."""
        weights = places.filled(self.weight_nn(data["edge_embedding"][places.edges])).split(self.widths, 1)
        harmonics = places.of(data["edge_attr"]).split(self.sizes[1], 1)
        atoms = [
            places.senders(part.unflatten(1, shape).mT)  # [N K, a, u]
            for part, shape in zip(data["x"].split(self.sizes[0], 1), self.inputs, strict=True)
        ]
        found = {}
        for number, ((first, second), weight) in enumerate(zip(self.paths, weights, strict=True)):
            coupling = self.get_buffer(f"coupling{number}")  # [b, a c]
            channels, component = self.inputs[first]
            matrix = (harmonics[second] @ coupling).view(places.atoms, -1, coupling.shape[1] // component)
            scaled = (atoms[first] * weight[:, None]).view(places.atoms, -1, channels)
            found[self.order[number]] = (matrix.mT @ scaled).mT.flatten(1)  # [N, u c]
        return torch.cat([found[place] for place in sorted(found)], 1)


class FusedConvolution(nn.Module):
    """The same in one kernel of cuEquivariance, that writes down neither messages nor matrices of edges.

    SevenNet's own arrangement of it. Source: NVIDIA, https://github.com/NVIDIA/cuEquivariance (Apache-2.0).
    """

    def __init__(self, convolution: Any, method: str = "uniform_1d") -> None:
        """`method`: of cuEquivariance, "uniform_1d" on a GPU; "naive" runs everywhere, slowly."""
        from cuequivariance import Irreps
        from sevenn.nn.cue_helper import cueq_fused_scatter_channelwise_conv

        super().__init__()
        self.weight_nn, self.denominator = convolution.weight_nn, convolution.denominator
        product: o3.TensorProduct = convolution.convolution
        self.width = product.irreps_out.dim
        irreps = (product.irreps_in1, product.irreps_in2, product.irreps_out)
        # The potential knows no parity.
        inputs, harmonics, outputs = (Irreps("SO3", str(one).replace("e", "")) for one in irreps)
        self.product = cueq_fused_scatter_channelwise_conv(inputs, harmonics, outputs, method)

    def forward(self, data: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """As of `NeighbourConvolution`."""
        receiver, sender = data["edge_index"]
        atoms, harmonics, weights = data["x"], data["edge_attr"], self.weight_nn(data["edge_embedding"])
        if len(sender):
            data["x"] = self.product(atoms, harmonics, weights, sender, receiver) / self.denominator
        else:  # for which the kernels are not made; the sums are zero, and keep what gradients are asked of
            data["x"] = atoms.new_zeros(len(atoms), self.width) + harmonics.sum() + weights.sum()
        return data


def has_kernels(device: torch.device) -> bool:
    """Whether `FusedConvolution` runs fast on a device: a GPU, and the extra `gpu` is installed."""
    return device.type == "cuda" and find_spec("cuequivariance_ops_torch") is not None
