"""The whole network: backbone, readout to 1x0e+1x2e, and the physics that makes a tensor of it."""

from collections.abc import Sequence

import torch
from torch import nn
from torch_geometric.utils import scatter

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph
from engine.errors import required
from engine.network.backbones import ConvolutionBackbone, FrozenBackbone, TunedBackbone
from engine.network.dipoles import dipole_field, susceptibility
from engine.network.direct import DirectHead
from engine.network.frozen_features import irreps_of
from engine.network.heads import (
    SHIFT_WIDTH,
    CorrectionHead,
    CrystalHead,
    LatticeHead,
    ShiftHead,
    TensorHead,
    bounded,
)
from engine.network.lattice import FLOOR, Lattice, Potentials, logarithm
from engine.tensors.irreps import irreps_to_matrix, matrix_to_irreps, symmetric_log

VOLUME_UNIT = 20.0  # Å^3 per atom, a typical solid
ZERO = 1e-5  # what rounding leaves of an ionic value of zero, relative to FLOOR
FITTED = ("offset", "spread", "center", "scale")  # buffers that a network takes from its training set
DIRECT_WIDTH = 128
LOCAL_ANISOTROPY = 0.1  # of an atom's own logarithm: what its neighbours can explain is left to their dipoles


class DielectricNetwork(nn.Module):
    """Symmetric, positive dielectric tensors that turn with the crystal.

    The mean over atoms of the heads' 1x0e+1x2e output is a symmetric matrix M for each target, and

        electronic = I + (v0 / v) exp(M_electronic),    ionic = (exp(2 M_ionic) - f^2)^(1/2),

    with v the cell's volume per atom, v0 = VOLUME_UNIT and f = FLOOR: an ionic tensor that symmetry makes zero has
    the M of f, and one below f is zero. With the readout "dipoles", each atom's electronic M is
    its own polarisability v0 exp(M), and the crystal's M follows from the coupled dipoles of dipoles.py. With the
    crystal's `pbesol` of 1 shifts the electronic logarithms from those of PBE to those of PBEsol. With the
    ionic readout "springs", the ionic M is the logarithm of the tensor that springs.py makes of Born charges and
    force constants; for crystals whose graph carries none, it stays the mean, the coarse M. With `direct`, force
    constants of the network's own take part, and do alone for such crystals.

    Attributes:
        offset: [T] mean of M's 0e component on the training set, one for each of `model.targets`.
        spread: [T] standard deviation of the same.
    """

    offset: torch.Tensor
    spread: torch.Tensor

    def __init__(self, graph: GraphConfig, model: ModelConfig) -> None:
        super().__init__()
        self.graph_config, self.model_config = graph, model
        self.backbone = _backbone(graph, model)
        has_springs = model.has_charges
        irreps, width = self.backbone.irreps_out, model.readout_width
        narrow = width // 2 if has_springs else width  # the coarse head has a fifth of the crystals
        head = TensorHead if model.backbone == "scratch" else CrystalHead
        self.heads = nn.ModuleList(
            nn.Identity()
            if target == "ionic" and model.direct
            else head(irreps, narrow if target == "ionic" else width)
            for target in model.targets
        )
        coupled = model.readout == "dipoles" and "electronic" in model.targets
        self.pbesol = ShiftHead(irreps, SHIFT_WIDTH) if coupled else None
        self.springs = LatticeHead(irreps, width) if has_springs else None
        self.direct = DirectHead(irreps, DIRECT_WIDTH) if model.direct else None
        both = model.direct and model.asks_potential
        self.potential_level = CorrectionHead(irreps, firmer=1.0) if both else None
        self.register_buffer("offset", torch.zeros(len(model.targets)))
        self.register_buffer("spread", torch.ones(len(model.targets)))

    def embedding(self, graph: CrystalGraph) -> torch.Tensor:
        """Mean over atoms of the backbone's scalars, [B, F]: where a crystal lies among others."""
        scalars = self.backbone(graph)[:, : self.backbone.irreps_out.count("0e")]
        return scatter(scalars, graph.crystal_index, dim=0, dim_size=len(graph.cell), reduce="mean")

    def latent(self, graph: CrystalGraph) -> torch.Tensor:
        """M of each target and crystal, [T, B, 3, 3]."""
        found = self.latents(graph, self.model_config.targets)
        return torch.stack([found[target] for target in self.model_config.targets])

    def latents(
        self, graph: CrystalGraph, targets: Sequence[str], lattice: Lattice | None = None
    ) -> dict[str, torch.Tensor]:
        """M of the named targets, [B, 3, 3] each, and the "coarse" ionic M where the other comes from springs.

        Args:
            lattice: of `graph`, where it is known.
        """
        node = self.backbone(graph)
        found = {}
        if "electronic" in targets:
            coupled = self.model_config.readout == "dipoles"
            found["electronic"] = (self._coupled if coupled else self._mean)("electronic", node, graph)
        if "ionic" in targets and self.direct is not None:
            found["ionic"] = (lattice or self.lattice(graph)).ionic()
        elif "ionic" in targets:
            coarse = self._mean("ionic", node, graph)
            if self.springs is not None and "springs" in graph:
                found |= {"coarse": coarse, "ionic": self._from_springs(self.springs, node, graph, coarse)}
            else:
                found["ionic"] = coarse
        return found

    def born_charges(self, graph: CrystalGraph) -> torch.Tensor:
        """[N, 3, 3] e, first axis the field, second the displacement; those of a crystal add up to zero.

        Raises:
            EngineError: the ionic readout does not work with charges.
        """
        springs = required(self.springs, "this network has no Born charges; train one with the readout springs")
        return springs.charge(self.backbone(graph), graph.atomic_numbers, graph.crystal_index)

    def lattice(self, graph: CrystalGraph) -> Lattice:
        """Charges and force constants of crystals, in the network's own view of them.

        Raises:
            EngineError: the network has no force constants of its own.
        """
        direct = required(self.direct, "this network has no force constants of its own")
        springs = required(self.springs, "direct force constants come with springs")
        node, index = self.backbone(graph), graph.crystal_index
        charges = springs.charge(node, graph.atomic_numbers, index)
        field = graph.dipole_field if "dipole_field" in graph else dipole_fields(graph, self.model_config.sigma)
        constants = direct(node, graph.edge_index, graph.edge_vec, charges, field, index)
        return Lattice(
            charges=charges,
            force_constants=constants,
            level=_level(direct.level, node, graph),
            crystal_index=index,
            volume=torch.linalg.det(graph.cell.double()).abs(),
            potentials=self._potentials(springs, node, graph),
        )

    def _potentials(self, springs: LatticeHead, node: torch.Tensor, graph: CrystalGraph) -> Potentials | None:
        if "springs" not in graph or self.potential_level is None:
            return None
        return Potentials(
            springs=graph.springs,
            bare=graph.bare_springs if "bare_springs" in graph else None,
            known=graph.has_springs,
            correction=springs.correction(node, graph.crystal_index),
            level=_level(self.potential_level, node, graph),
        )

    def _mean(self, target: str, node: torch.Tensor, graph: CrystalGraph) -> torch.Tensor:
        """M of each crystal, [B, 3, 3], the mean of what its atoms put out."""
        output = self._head(target, node, graph)
        mean = scatter(output, graph.crystal_index, dim=0, dim_size=len(graph.cell), reduce="mean")
        return self._scaled(target, mean)

    def _head(self, target: str, node: torch.Tensor, graph: CrystalGraph) -> torch.Tensor:
        """What the atoms put out for a target, [N, 6]."""
        head = self.heads[self.model_config.targets.index(target)]
        return head(node, graph.crystal_index)

    def _scaled(self, target: str, output: torch.Tensor) -> torch.Tensor:
        """Output of a head, [..., 6], at the scale of the training set's M, [..., 3, 3]."""
        index = self.model_config.targets.index(target)
        offset = nn.functional.pad(self.offset[index, None], (0, 5))
        return irreps_to_matrix(bounded(output * self.spread[index]) + offset)

    def _coupled(self, target: str, node: torch.Tensor, graph: CrystalGraph) -> torch.Tensor:
        """M of each crystal, [B, 3, 3], from the coupled polarisabilities of its atoms."""
        output = self._head(target, node, graph)
        if self.pbesol is not None and "pbesol" in graph:
            output = output + graph.pbesol[graph.crystal_index, None] * self.pbesol(node, graph.crystal_index)
        # [N, 3, 3] logarithms of the polarisabilities
        local = self._scaled(target, output * output.new_tensor([1.0] + 5 * [LOCAL_ANISOTROPY]))
        field = graph.dipole_field if "dipole_field" in graph else dipole_fields(graph, self.model_config.sigma)
        volume = torch.linalg.det(graph.cell.double()).abs()
        root = VOLUME_UNIT**0.5 * torch.linalg.matrix_exp(local.double() / 2)
        chi = susceptibility(root, field, graph.crystal_index, volume)
        return symmetric_log(chi * (graph.volume_per_atom / VOLUME_UNIT)[:, None, None]).to(local.dtype)

    def _from_springs(
        self, springs: LatticeHead, node: torch.Tensor, graph: CrystalGraph, coarse: torch.Tensor
    ) -> torch.Tensor:
        """Ionic M of each crystal, [B, 3, 3]; the coarse one where a crystal has no springs."""
        has_springs = graph.has_springs
        if not has_springs.any():
            return coarse
        atoms = has_springs[graph.crystal_index]
        tensor = springs(
            node[atoms],
            graph.atomic_numbers[atoms],
            graph.springs,
            (has_springs.cumsum(0) - 1)[graph.crystal_index][atoms],
            torch.linalg.det(graph.cell[has_springs].double()).abs(),
        )
        return coarse.index_copy(0, has_springs.nonzero()[:, 0], logarithm(tensor).to(coarse.dtype))

    def forward(self, graph: CrystalGraph) -> torch.Tensor:
        """Tensor of each target and crystal, [T, B, 3, 3], in the axes of the graph."""
        return physical(self.latent(graph), self.model_config.targets, graph.volume_per_atom)


def _backbone(graph: GraphConfig, model: ModelConfig) -> ConvolutionBackbone | FrozenBackbone | TunedBackbone:
    if model.backbone == "scratch":
        return ConvolutionBackbone(graph, model)
    return TunedBackbone(model.tuned_layers) if model.tuned_layers else FrozenBackbone(irreps_of(model.backbone))


def _level(head: CorrectionHead, node: torch.Tensor, graph: CrystalGraph) -> torch.Tensor:
    """[N, 3, 3] from the force constants of PBEsol to those of each crystal's functional."""
    found = head(node, graph.crystal_index)
    if "pbesol" not in graph:
        return found
    same = graph.pbesol[graph.crystal_index].bool()[:, None, None]
    return torch.where(same, torch.eye(3).to(found), found)


def dipole_fields(graph: CrystalGraph, sigma: float) -> torch.Tensor:
    """`dipole_field` of each crystal of a graph, one after the other."""
    counts = torch.bincount(graph.crystal_index, minlength=len(graph.cell)).tolist()
    parts = zip(graph.pos.split(counts), graph.cell, strict=True)
    return torch.cat([dipole_field(pos, cell, sigma) for pos, cell in parts])


def learnt(network: nn.Module) -> dict[str, torch.Tensor]:
    """What a network is made of beside its config: parameters, and the buffers `FITTED`, by name."""
    fitted = {name: t for name, t in network.named_buffers() if name.rpartition(".")[2] in FITTED}
    return dict(network.named_parameters()) | fitted


def physical(latent: torch.Tensor, targets: Sequence[str], volume_per_atom: torch.Tensor) -> torch.Tensor:
    """Tensors of M, [T, B, 3, 3] and [B] Å^3 -> [T, B, 3, 3]: the formulas of `DielectricNetwork`."""
    tensors = []
    for matrix, target in zip(latent, targets, strict=True):
        if target == "electronic":
            dilution = (VOLUME_UNIT / volume_per_atom)[:, None, None]
            unit = torch.eye(3, dtype=matrix.dtype, device=matrix.device)
            tensors.append(unit + dilution * torch.linalg.matrix_exp(matrix.contiguous()))
        else:
            values, axes = torch.linalg.eigh(matrix)
            large = values.exp().clamp(min=FLOOR * (1 + ZERO)) / FLOOR
            ionic = torch.where(large > 1 + ZERO, FLOOR * (large.square() - 1).sqrt(), 0)
            tensors.append((axes * ionic[:, None, :]) @ axes.mT)
    return torch.stack(tensors)


def latent_of(tensor: torch.Tensor, target: str, volume_per_atom: torch.Tensor) -> torch.Tensor:
    """M that `physical` turns into `tensor`, [B, 3, 3]; electronic values too small for it are raised."""
    values, axes = torch.linalg.eigh(tensor.double())
    if target == "electronic":
        values = ((values - 1) * (volume_per_atom.double() / VOLUME_UNIT)[:, None]).clamp(min=FLOOR)
    else:
        values = (values.clamp(min=0).square() + FLOOR**2).sqrt()
    logarithm = values.log()
    return (axes * logarithm[:, None, :]) @ axes.transpose(1, 2)


def isotropic_part(latent: torch.Tensor) -> torch.Tensor:
    """0e component of M, [..., 3, 3] -> [...]."""
    return matrix_to_irreps(latent)[..., 0]
