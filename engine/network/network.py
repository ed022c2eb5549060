"""The whole network: backbone, readout to 1x0e+1x2e, and the physics that makes a tensor of it."""

from collections.abc import Sequence

import torch
from torch import nn
from torch_geometric.utils import scatter

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph
from engine.network.backbones import ConvolutionBackbone, FrozenBackbone, TunedBackbone
from engine.network.dipoles import dipole_field, susceptibility
from engine.network.heads import CrystalHead, SpringHead, TensorHead, bounded
from engine.tensors.tensors import irreps_to_matrix, matrix_to_irreps, symmetric_log

VOLUME_UNIT = 20.0  # Å^3 per atom, a typical solid
FLOOR = 0.02  # smaller principal values count as this in the logarithm
LOCAL_ANISOTROPY = 0.1  # of an atom's own logarithm: what its neighbours can explain is left to their dipoles


class DielectricNetwork(nn.Module):
    """Symmetric, positive dielectric tensors that turn with the crystal.

    The mean over atoms of the heads' 1x0e+1x2e output is a symmetric matrix M for each target, and

        electronic = I + (v0 / v) exp(M_electronic),    ionic = exp(M_ionic),

    with v the cell's volume per atom and v0 = VOLUME_UNIT. With the readout "dipoles", each atom's electronic M is
    its own polarisability v0 exp(M), and the crystal's M follows from the coupled dipoles of dipoles.py. With the
    ionic readout "springs", the ionic M is the logarithm of the tensor that springs.py makes of Born charges and
    force constants; for crystals whose graph carries none, it stays the mean, the coarse M.

    Attributes:
        offset: [T] mean of M's 0e component on the training set, one for each of `model.targets`.
        spread: [T] standard deviation of the same.
    """

    def __init__(self, graph: GraphConfig, model: ModelConfig) -> None:
        super().__init__()
        self.graph_config, self.model_config = graph, model
        self.backbone = _backbone(graph, model)
        sprung = model.ionic_readout == "springs" and "ionic" in model.targets
        irreps, width = self.backbone.irreps_out, model.readout_width
        narrow = width // 2 if sprung else width  # three ionic heads, each with a fifth of the crystals
        head = CrystalHead if model.backbone == "pretrained" else TensorHead
        self.heads = nn.ModuleList(
            head(irreps, narrow if target == "ionic" else width) for target in model.targets
        )
        self.springs = SpringHead(irreps, narrow) if sprung else None
        self.offset = nn.Parameter(torch.zeros(len(model.targets)), requires_grad=False)
        self.spread = nn.Parameter(torch.ones(len(model.targets)), requires_grad=False)

    def embedding(self, graph: CrystalGraph) -> torch.Tensor:
        """Mean over atoms of the backbone's scalars, [B, F]: where a crystal lies among others."""
        scalars = self.backbone(graph)[:, : self.backbone.irreps_out.count("0e")]
        return scatter(scalars, graph.crystal_index, dim=0, dim_size=len(graph.cell), reduce="mean")

    def latent(self, graph: CrystalGraph) -> torch.Tensor:
        """M of each target and crystal, [T, B, 3, 3]."""
        found = self.latents(graph, self.model_config.targets)
        return torch.stack([found[target] for target in self.model_config.targets])

    def latents(self, graph: CrystalGraph, targets: Sequence[str]) -> dict[str, torch.Tensor]:
        """M of the named targets, [B, 3, 3] each, and the "coarse" ionic M where the other comes from springs."""
        node = self.backbone(graph)
        found = {}
        for target in targets:
            index = self.model_config.targets.index(target)
            output = self.heads[index](node, graph.crystal_index)  # [N, 6]
            coupled = target == "electronic" and self.model_config.readout == "dipoles"
            if coupled:
                output = output * output.new_tensor([1.0] + 5 * [LOCAL_ANISOTROPY])
            else:
                output = scatter(output, graph.crystal_index, dim=0, dim_size=len(graph.cell), reduce="mean")
            offset = torch.nn.functional.pad(self.offset[index, None], (0, 5))
            matrix = irreps_to_matrix(bounded(output * self.spread[index]) + offset)
            if coupled:
                matrix = self._coupled(matrix, graph)
            elif target == "ionic" and self.springs is not None and "springs" in graph:
                found["coarse"] = matrix
                matrix = self._sprung(self.springs, node, graph, matrix)
            found[target] = matrix
        return found

    def _coupled(self, local: torch.Tensor, graph: CrystalGraph) -> torch.Tensor:
        """M of each crystal, [B, 3, 3], from the logarithms of its atoms' polarisabilities, [N, 3, 3]."""
        field = graph.dipole_field if "dipole_field" in graph else dipole_fields(graph, self.model_config.sigma)
        volume = torch.linalg.det(graph.cell.double()).abs()
        root = VOLUME_UNIT**0.5 * torch.linalg.matrix_exp(local.double() / 2)
        chi = susceptibility(root, field, graph.crystal_index, volume)
        return symmetric_log(chi * (graph.volume_per_atom / VOLUME_UNIT)[:, None, None]).to(local.dtype)

    def _sprung(
        self, springs: SpringHead, node: torch.Tensor, graph: CrystalGraph, coarse: torch.Tensor
    ) -> torch.Tensor:
        """Ionic M of each crystal, [B, 3, 3]; the coarse one where a crystal has no springs."""
        sprung = graph.sprung
        if not sprung.any():
            return coarse
        atoms = sprung[graph.crystal_index]
        tensor = springs(
            node[atoms],
            graph.atomic_numbers[atoms],
            graph.springs,
            (sprung.cumsum(0) - 1)[graph.crystal_index][atoms],
            torch.linalg.det(graph.cell[sprung].double()).abs(),
        )
        square = tensor @ tensor + FLOOR**2 * torch.eye(3, dtype=tensor.dtype, device=tensor.device)
        matrix = symmetric_log(square) / 2
        return coarse.index_copy(0, sprung.nonzero()[:, 0], matrix.to(coarse.dtype))

    def forward(self, graph: CrystalGraph) -> torch.Tensor:
        """Tensor of each target and crystal, [T, B, 3, 3], in the axes of the graph."""
        return physical(self.latent(graph), self.model_config.targets, graph.volume_per_atom)


def _backbone(graph: GraphConfig, model: ModelConfig) -> ConvolutionBackbone | FrozenBackbone | TunedBackbone:
    if model.backbone == "scratch":
        return ConvolutionBackbone(graph, model)
    return TunedBackbone(model.tuned_layers) if model.tuned_layers else FrozenBackbone()


def dipole_fields(graph: CrystalGraph, sigma: float) -> torch.Tensor:
    """`dipole_field` of each crystal of a graph, one after the other."""
    counts = torch.bincount(graph.crystal_index, minlength=len(graph.cell)).tolist()
    parts = zip(graph.pos.split(counts), graph.cell, strict=True)
    return torch.cat([dipole_field(pos, cell, sigma) for pos, cell in parts])


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
