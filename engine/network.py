"""The whole network: backbone, readout to 1x0e+1x2e, and the physics that makes a tensor of it."""

import torch
from e3nn import o3
from torch import nn
from torch_geometric.utils import scatter

from engine.backbones import ConvolutionBackbone, FrozenBackbone
from engine.config import GraphConfig, ModelConfig
from engine.dipoles import dipole_field, susceptibility
from engine.graph import CrystalGraph
from engine.tensors import IRREPS, irreps_to_matrix, matrix_to_irreps, symmetric_log

VOLUME_UNIT = 20.0  # Å^3 per atom, a typical solid
FLOOR = 0.02  # smaller principal values count as this in the logarithm
LOCAL_ANISOTROPY = 0.1  # of an atom's own logarithm: what its neighbours can explain is left to their dipoles
BOUND = 8.0  # no irrep of the logarithm leaves its training mean by more


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


class DielectricNetwork(nn.Module):
    """Symmetric, positive dielectric tensors that turn with the crystal.

    The mean over atoms of the heads' 1x0e+1x2e output is a symmetric matrix M for each target, and

        electronic = I + (v0 / v) exp(M_electronic),    ionic = exp(M_ionic),

    with v the cell's volume per atom and v0 = VOLUME_UNIT. With the readout "dipoles", each atom's electronic M is
    its own polarisability v0 exp(M), and the crystal's M follows from the coupled dipoles of dipoles.py.

    Attributes:
        offset: [T] mean of M's 0e component on the training set, one for each of `model.targets`.
        spread: [T] standard deviation of the same.
    """

    def __init__(self, graph: GraphConfig, model: ModelConfig) -> None:
        super().__init__()
        self.graph_config, self.model_config = graph, model
        frozen = model.backbone == "pretrained"
        self.backbone = FrozenBackbone() if frozen else ConvolutionBackbone(graph, model)
        self.heads = nn.ModuleList(
            TensorHead(self.backbone.irreps_out, model.readout_width) for _ in model.targets
        )
        self.offset = nn.Parameter(torch.zeros(len(model.targets)), requires_grad=False)
        self.spread = nn.Parameter(torch.ones(len(model.targets)), requires_grad=False)

    def latent(self, graph: CrystalGraph) -> torch.Tensor:
        """M of each target and crystal, [T, B, 3, 3]."""
        node = self.backbone(graph)
        latents = []
        for index, (target, head) in enumerate(zip(self.model_config.targets, self.heads, strict=True)):
            output = head(node)  # [N, 6]
            coupled = target == "electronic" and self.model_config.readout == "dipoles"
            if coupled:
                output = output * output.new_tensor([1.0] + 5 * [LOCAL_ANISOTROPY])
            else:
                output = scatter(output, graph.crystal_index, dim=0, dim_size=len(graph.cell), reduce="mean")
            offset = torch.nn.functional.pad(self.offset[index, None], (0, 5))
            matrix = irreps_to_matrix(bounded(output * self.spread[index]) + offset)
            latents.append(self._coupled(matrix, graph) if coupled else matrix)
        return torch.stack(latents)

    def _coupled(self, local: torch.Tensor, graph: CrystalGraph) -> torch.Tensor:
        """M of each crystal, [B, 3, 3], from the logarithms of its atoms' polarisabilities, [N, 3, 3]."""
        field = graph.dipole_field if "dipole_field" in graph else dipole_fields(graph, self.model_config.sigma)
        volume = torch.linalg.det(graph.cell.double()).abs()
        root = VOLUME_UNIT**0.5 * torch.linalg.matrix_exp(local.double() / 2)
        chi = susceptibility(root, field, graph.crystal_index, volume)
        return symmetric_log(chi * (graph.volume_per_atom / VOLUME_UNIT)[:, None, None]).to(local.dtype)

    def forward(self, graph: CrystalGraph) -> torch.Tensor:
        """Tensor of each target and crystal, [T, B, 3, 3], in the axes of the graph."""
        return physical(self.latent(graph), self.model_config.targets, graph.volume_per_atom)


def dipole_fields(graph: CrystalGraph, sigma: float) -> torch.Tensor:
    """`dipole_field` of each crystal of a graph, one after the other."""
    counts = torch.bincount(graph.crystal_index, minlength=len(graph.cell)).tolist()
    parts = zip(graph.pos.split(counts), graph.cell, strict=True)
    return torch.cat([dipole_field(pos, cell, sigma) for pos, cell in parts])


def bounded(irreps: torch.Tensor) -> torch.Tensor:
    """1x0e+1x2e components [..., 6], the norm of each irrep kept below BOUND and its direction as it is."""
    parts = []
    for part in irreps.split([ir.dim for _, ir in o3.Irreps(IRREPS)], dim=-1):
        norm = (part.square().sum(-1, keepdim=True) + 1e-12).sqrt() / BOUND
        parts.append(part * torch.tanh(norm) / norm)
    return torch.cat(parts, -1)


def physical(latent: torch.Tensor, targets: tuple[str, ...], volume_per_atom: torch.Tensor) -> torch.Tensor:
    """Tensors of M, [T, B, 3, 3] and [B] Å^3 -> [T, B, 3, 3]: the formulas of `DielectricNetwork`."""
    tensors = []
    for matrix, target in zip(torch.linalg.matrix_exp(latent.contiguous()), targets, strict=True):
        if target == "electronic":
            dilution = (VOLUME_UNIT / volume_per_atom)[:, None, None]
            matrix = torch.eye(3, dtype=matrix.dtype, device=matrix.device) + dilution * matrix
        tensors.append(matrix)
    return torch.stack(tensors)


def latent_of(tensor: torch.Tensor, target: str, volume_per_atom: torch.Tensor) -> torch.Tensor:
    """M that `physical` turns into `tensor`, [B, 3, 3]; principal values too small for it are raised."""
    values, axes = torch.linalg.eigh(tensor.double())
    if target == "electronic":
        values = (values - 1) * (volume_per_atom.double() / VOLUME_UNIT)[:, None]
    logarithm = values.clamp(min=FLOOR).log()
    return (axes * logarithm[:, None, :]) @ axes.transpose(1, 2)


def isotropic_part(latent: torch.Tensor) -> torch.Tensor:
    """0e component of M, [..., 3, 3] -> [...]."""
    return matrix_to_irreps(latent)[..., 0]
