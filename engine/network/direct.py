"""Force constants without the potential's forces, from the features of the atoms and where they stand.

Derivation. The energy of small displacements u is a sum of three parts, each unchanged when the crystal moves as a
whole. What is near an atom resists to being deformed:

    sum_i |G_i u|^2 / 2,    G_i u = sum_j g_ij (u_j - u_i) over the neighbours j of i,

where a row of G_i is a scalar, a vector's component or one of an l = 2 tensor that the network makes of the edge.
This part is never negative. Springs between neighbours, along the edge and across it, may have either sign: they
let a crystal be unstable. And ions feel each other's dipoles, as far as the field reaches,

    e^2 / epsilon_0  sum_ij u_i^T Z_i^T T_ij Z_j u_j / 2,

with Z the Born charges, scaled by what the network says of each atom, T of dipoles.py, and on the diagonal what
makes the rows add up to zero. The matrix is symmetric, turns with the crystal, and does not depend on the volume
of the cell: a layer in a higher cell keeps its springs, and the ionic tensor dilutes.
"""

import math

import torch
from e3nn import o3
from torch import nn

from engine.network.constants import UNIT
from engine.network.heads import CorrectionHead, crystal_context, scalar_inputs
from engine.network.layers import radial_embedding
from engine.network.padding import atoms_present, matrix_blocks, padded_atoms, padded_pairs
from engine.network.places import blocks_of_places
from engine.network.springs import on_diagonal, without_whole
from engine.tensors.irreps import irreps_to_matrix

REACH = 5.0  # Å
LARGE = 100  # atoms; G of a larger cell is mostly zeros
BASIS = 8
EDGE_WIDTH = 48
SCALARS, VECTORS, TENSORS = 16, 6, 4  # rows of G are SCALARS + 3 VECTORS + 9 TENSORS
ROW = 0.3  # sqrt(eV)/Å, scale of a row of G
PAIR = 0.5  # eV/Å^2, scale of a spring
FIRST_CHARGE = 0.5  # of a Born charge, before training


class DirectHead(nn.Module):
    """Force constants of crystals, and how PBE's differ from PBEsol's, which teach them."""

    def __init__(self, irreps_in: o3.Irreps, width: int) -> None:
        super().__init__()
        self.scalars, self.channels = irreps_in.count("0e"), irreps_in.count("2e")
        self.first = nn.Linear(self.scalars + self.channels, width)
        self.second = nn.Linear(3 * width, width)
        self.receiver, self.sender = nn.Linear(width, EDGE_WIDTH), nn.Linear(width, EDGE_WIDTH, bias=False)
        self.distance = nn.Linear(BASIS, EDGE_WIDTH, bias=False)
        self.parts = (SCALARS, SCALARS, VECTORS, VECTORS, TENSORS, 2)
        self.edge = nn.Sequential(
            nn.SiLU(), nn.Linear(EDGE_WIDTH, EDGE_WIDTH), nn.SiLU(), nn.Linear(EDGE_WIDTH, sum(self.parts))
        )
        self.radial = nn.Linear(BASIS, sum(self.parts))
        self.gates = nn.Linear(width, self.channels)
        self.even = o3.Linear(irreps_in, o3.Irreps([(self.channels, "2e")]))
        self.charge = nn.Linear(width, 1)
        nn.init.constant_(self.charge.bias, math.log(FIRST_CHARGE))
        self.level = CorrectionHead(irreps_in, firmer=1.0)

    def forward(
        self,
        node: torch.Tensor,
        edge_index: torch.Tensor,
        edge_vec: torch.Tensor,
        charges: torch.Tensor,
        field: torch.Tensor,
        crystal_index: torch.Tensor,
    ) -> torch.Tensor:
        """[B, n, n, 3, 3] eV/Å^2 of PBEsol, block i, j of a crystal for its atoms i and j, zero where none is.

        Args:
            node: [N, irreps_in] features at unit scale.
            edge_index: [2, E] sender and receiver; both directions of a pair are there.
            edge_vec: [E, 3] Å, from sender to receiver; longer ones than `REACH` do not count.
            charges: [N, 3, 3] Born charges in e, first axis the field.
            field: [P, 3, 3] `dipoles.dipole_field` of each crystal, one after the other.
            crystal_index: [N] crystal of each atom, ascending.
        """
        hidden = nn.functional.silu(self.first(scalar_inputs(node, self.scalars)))
        context = torch.cat([hidden, *crystal_context(hidden, crystal_index)], 1)
        hidden = hidden + nn.functional.silu(self.second(context))
        counts = torch.bincount(crystal_index)
        present = atoms_present(counts)
        edges = _Edges.of(edge_index, edge_vec.to(node), crystal_index, counts)
        basis = radial_embedding(edges.length, REACH, BASIS)
        pair = self.receiver(hidden)[edges.receiver] + self.sender(hidden)[edges.sender] + self.distance(basis)
        cutoff = (1 + torch.cos(math.pi * edges.length / REACH)) / 2
        weights = (self.edge(pair) * (1 + self.radial(basis)) * 3 * cutoff[:, None]).split(self.parts, 1)
        gated = torch.einsum("nu,num->nm", self.gates(hidden), self.even(node).unflatten(1, (-1, 5)))
        bent = irreps_to_matrix(nn.functional.pad(gated, (1, 0)) / self.channels**0.5)  # [N, 3, 3]
        near = edges.resistance(_rows(weights[:5], edges.direction, bent[edges.receiver]), present)
        scaled = charges * self.charge(hidden).exp()[:, :, None]
        return near + edges.springs(weights[5], present) + _dipoles(scaled, field, present)


def _rows(weights: tuple[torch.Tensor, ...], direction: torch.Tensor, bent: torch.Tensor) -> torch.Tensor:
    """[E, R, 3]: what each row of G makes of a displacement along an edge.

    Args:
        weights: [E, C] of u, of A u, of a vector along it, of the vector itself, and of l = 2 tensors.
        direction: [E, 3] u.
        bent: [E, 3, 3] A, symmetric without a trace, of the receiver.
    """
    along, turned, whole, parallel, tensor = weights
    unit = torch.eye(3).to(direction)
    outer = direction[:, :, None] * direction[:, None]
    scalars = along[..., None] * direction[:, None] + 0.3 * turned[..., None] * (bent @ direction[..., None]).mT
    vectors = whole[..., None, None] * unit + parallel[..., None, None] * outer[:, None]
    product = torch.einsum("ex,yz->exyz", direction, unit)
    even = (product + product.transpose(1, 2)) / 2 - torch.einsum("xy,ez->exyz", unit, direction) / 3
    tensors = 0.7 * tensor[..., None, None] * even.flatten(1, 2)[:, None]
    return ROW * torch.cat([scalars, vectors.flatten(1, 2), tensors.flatten(1, 2)], 1)


class _Edges:
    """Edges of padded crystals.

    Attributes:
        receiver, sender: [E] atoms, of all crystals together.
        length, direction: [E] Å and [E, 3].
        crystal, place, other: [E] crystal of an edge, and the places of receiver and sender in it.
    """

    def __init__(
        self, receiver: torch.Tensor, sender: torch.Tensor, vector: torch.Tensor, places: tuple[torch.Tensor, ...]
    ) -> None:
        self.receiver, self.sender = receiver, sender
        self.length = torch.linalg.vector_norm(vector, dim=1)
        self.direction = vector / self.length[:, None]
        self.crystal, self.place, self.other = places

    @classmethod
    def of(
        cls, edge_index: torch.Tensor, edge_vec: torch.Tensor, crystal_index: torch.Tensor, counts: torch.Tensor
    ) -> "_Edges":
        """Those that are not farther than `REACH`."""
        near = torch.linalg.vector_norm(edge_vec, dim=1) < REACH
        sender, receiver = edge_index[:, near]
        first = (counts.cumsum(0) - counts)[crystal_index]
        slot = torch.arange(len(crystal_index), device=counts.device) - first
        return cls(receiver, sender, edge_vec[near], (crystal_index[receiver], slot[receiver], slot[sender]))

    def resistance(self, rows: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """G^T G of rows [E, R, 3], padded to [B, n, n, 3, 3]."""
        crystals, size = present.shape
        if size > LARGE:
            return self._resistance_of_neighbours(rows, present)
        block = (self.crystal * size + self.place) * size
        matrix = rows.new_zeros(crystals * size * size, rows.shape[1], 3)
        matrix = matrix.index_add(0, block + self.other, rows).index_add(0, block + self.place, -rows)
        local = matrix.unflatten(0, (crystals, size, size)).permute(0, 1, 3, 2, 4)  # [B, i, R, j, 3]
        flat = local.reshape(crystals, -1, 3 * size)
        return (flat.mT @ flat).unflatten(1, (size, 3)).unflatten(3, (size, 3)).transpose(2, 3)

    def _resistance_of_neighbours(self, rows: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """The same, of each atom's own neighbours alone: G_i has no other columns than theirs and its own."""
        crystals, size = present.shape
        found = rows.new_zeros(crystals * size * size, 3, 3)
        atom = self.crystal * size + self.place
        for places in blocks_of_places(torch.stack([atom, self.crystal * size + self.other]), crystals * size):
            near = places.of(rows).unflatten(0, (places.atoms, -1))  # [N, K, R, 3]
            near = torch.cat([near, -near.sum(1, keepdim=True)], 1).permute(0, 2, 1, 3).flatten(2)  # [N, R, 3 K']
            product = matrix_blocks(near.mT @ near)  # [N, K', K', 3, 3]
            own = torch.arange(places.first, places.first + places.atoms, device=atom.device)[:, None]
            column = torch.cat([places.sender.view(places.atoms, -1), own], 1)  # [N, K'], of all atoms
            pair = column[:, :, None] * size + (column % size)[:, None]
            found.index_add_(0, pair.flatten(), product.flatten(0, 2))
        return found.unflatten(0, (crystals, size, size))

    def springs(self, weights: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Springs along and across edges, [E, 2], padded to [B, n, n, 3, 3]."""
        crystals, size = present.shape
        outer = self.direction[:, :, None] * self.direction[:, None]
        across = torch.eye(3).to(outer) - outer
        spring = PAIR * (weights[:, 0, None, None] * outer + weights[:, 1, None, None] * across)
        first = self.crystal * size * size
        found = spring.new_zeros(crystals * size * size, 3, 3)
        for row, column, sign in (
            (self.place, self.other, -1),
            (self.other, self.place, -1),
            (self.place, self.place, 1),
            (self.other, self.other, 1),
        ):
            found.index_add_(0, first + row * size + column, sign * spring)
        return found.unflatten(0, (crystals, size, size))


def _dipoles(charges: torch.Tensor, field: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """[B, n, n, 3, 3] eV/Å^2 that the dipoles of displaced charges [N, 3, 3] add; rows add up to zero."""
    own = padded_atoms(charges, present)
    found = UNIT * own.mT[:, :, None] @ padded_pairs(field.to(own), present) @ own[:, None]
    diagonal = -found.sum(2)
    return without_whole(found + on_diagonal((diagonal + diagonal.mT) / 2), present)
