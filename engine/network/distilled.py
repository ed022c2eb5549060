"""A small equivariant network that gives atoms nearly what the pretrained potential gives them, much faster.

Its features are taught by the potential's (training/distillation.py), which know of no dielectric property;
readouts are trained on them as on the potential's own. Atoms hold scalars, vectors and l = 2 tensors,
0e + 1o + 2e. A layer sends messages along edges,

    m_i = K^(-1/2) sum_j w(|r_ij|, Z_i, Z_j) x_j ⊗ Y(r_ij),

as convolution.py writes them, then multiplies what arrived with itself, atom by atom, and lets a small net of the
scalars and lengths set gates. Under inversion, every part keeps its parity by construction.
Source: Thomas et al., arXiv:1802.08219; Batatia et al., arXiv:2206.07697, for products at an atom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from e3nn import o3
from torch import nn

from engine.crystals.graph import CrystalGraph
from engine.errors import EngineError, check
from engine.files import read_tensors, write_tensors
from engine.network.embedding import AtomEmbedding
from engine.network.layers import radial_embedding
from engine.network.places import Places, blocks_of_places

R_MAX = 5.0  # Å
LMAX = 2
BASIS = 8
PRODUCT_PATHS = ((1, 1, 2), (2, 2, 2), (1, 2, 1))  # l of the factors and of the product
TYPICAL_DEGREE = 40.0
AT_ONCE = 2**15  # places of neighbours; more would not fit into memory for a large cell

Features = list[torch.Tensor]  # of l = 0, 1, 2: [N, 2 l + 1, channels]


@dataclass(frozen=True, kw_only=True)
class StudentSize:
    """Size of the network: channels of l = 0, 1, 2, layers, and of what it gives, scalars and l = 2 tensors."""

    channels: tuple[int, int, int] = (128, 64, 32)
    layers: int = 3
    edge_width: int = 48
    product_channels: int = 32
    output_width: int = 256
    scalars: int = 256
    tensors: int = 64

    @property
    def irreps(self) -> o3.Irreps:
        """Of an atom's features."""
        return o3.Irreps([(self.scalars, "0e"), (self.tensors, "2e")])


class Student(nn.Module):
    """Graph with edges up to `R_MAX` -> [N, scalars x 0e + tensors x 2e]."""

    def __init__(self, size: StudentSize) -> None:
        super().__init__()
        self.size = size
        self.irreps_out = size.irreps
        self.embedding = AtomEmbedding(size.channels[0])
        width = size.edge_width
        self.distance, self.pair = nn.Linear(BASIS, width), AtomEmbedding(2 * width)
        self.edge = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        inputs = [(size.channels[0], 0, 0), *(size.layers - 1) * [size.channels]]
        self.layers = nn.ModuleList(Interaction(one, size) for one in inputs)
        scalars, tensors = size.layers * size.channels[0], size.layers * size.channels[2]
        self.hidden = nn.Sequential(nn.Linear(scalars, size.output_width), nn.SiLU())
        self.scalars = nn.Linear(scalars + size.output_width, size.scalars)
        self.gates = nn.Linear(size.output_width, tensors)
        self.tensors = mixing(tensors, size.tensors)

    def forward(self, graph: CrystalGraph) -> torch.Tensor:
        """[N, irreps_out] of a graph with edges up to `R_MAX`."""
        dtype = self.distance.weight.dtype
        blocks = list(blocks_of_places(graph.edge_index.flip(0), graph.num_nodes, AT_ONCE))
        vector = graph.edge_vec.to(dtype)
        length = torch.linalg.vector_norm(vector, dim=1)
        basis = radial_embedding(length, R_MAX, BASIS)
        cutoff = (1 - (length / R_MAX).clamp(max=1).square()).square()
        harmonics = o3.spherical_harmonics(list(range(LMAX + 1)), vector, True, normalization="component")
        harmonics = harmonics * cutoff[:, None]
        own, other = self.pair(graph.atomic_numbers).chunk(2, 1)
        sender, receiver = graph.edge_index
        edge = self.edge(self.distance(basis) + own[receiver] + other[sender])
        atoms: Features = [self.embedding(graph.atomic_numbers)[:, None]]
        scalars, tensors = [], []
        for layer in self.layers:
            atoms = layer(atoms, blocks, harmonics, edge)
            scalars.append(atoms[0][:, 0])
            tensors.append(atoms[2])
        every = torch.cat(scalars, 1)
        hidden = self.hidden(every)
        even = self.tensors(torch.cat(tensors, 2) * (1 + self.gates(hidden))[:, None])  # [N, 5, tensors]
        return torch.cat([self.scalars(torch.cat([every, hidden], 1)), even.mT.flatten(1)], 1)


class Interaction(nn.Module):
    """One layer: messages, products at each atom, and gates."""

    def __init__(self, inputs: tuple[int, int, int], size: StudentSize) -> None:
        super().__init__()
        kept, products = size.channels, size.product_channels
        self.inputs = inputs
        self.before = nn.ModuleList(mixing(mul, mul) for mul in inputs if mul)
        self.messages = Messages(inputs, size.edge_width)
        arrived = self.messages.channels
        self.after = nn.ModuleList(mixing(a, k) for a, k in zip(arrived, kept, strict=True))
        self.first = nn.ModuleList(mixing(kept[one], products) for one, _, _ in PRODUCT_PATHS)
        self.second = nn.ModuleList(mixing(kept[other], products) for _, other, _ in PRODUCT_PATHS)
        self.product = nn.ModuleList(mixing(products, kept[result]) for _, _, result in PRODUCT_PATHS)
        for number, path in enumerate(PRODUCT_PATHS):
            self.register_buffer(f"coupling{number}", coupling(*path), persistent=False)
        self.net = nn.Sequential(nn.Linear(kept[0] + inputs[0] + kept[1] + kept[2], 2 * kept[0]), nn.SiLU())
        self.update = nn.Linear(2 * kept[0], kept[0])
        self.gates = nn.Linear(2 * kept[0], kept[1] + kept[2])

    def forward(
        self, atoms: Features, blocks: Sequence[Places], harmonics: torch.Tensor, edge: torch.Tensor
    ) -> Features:
        """Features after the layer, from those before it, and harmonics [E, 9] and net [E, width] of edges."""
        mixed = [mix(part) for mix, part in zip(self.before, atoms, strict=True)]
        received = [self.messages(mixed, places, harmonics, edge) for places in blocks]
        found = [torch.cat(parts) for parts in zip(*received, strict=True)]
        own = [mix(part) for mix, part in zip(self.after, found, strict=True)]
        for number, (one, other, result) in enumerate(PRODUCT_PATHS):
            first, second = self.first[number](own[one]), self.second[number](own[other])
            outer = (first[:, :, None] * second[:, None]).flatten(1, 2)  # [N, a b, u]
            own[result] = own[result] + self.product[number](self.get_buffer(f"coupling{number}").T @ outer)
        lengths = [part.square().mean(1).add(1e-4).sqrt() for part in own[1:]]
        hidden = self.net(torch.cat([own[0][:, 0], atoms[0][:, 0], *lengths], 1))
        gates = self.gates(hidden)[:, None].sigmoid().split([part.shape[2] for part in own[1:]], 2)
        new = [self.update(hidden)[:, None], *(2 * gate * part for gate, part in zip(gates, own[1:], strict=True))]
        return [part + atoms[ell] if ell < len(atoms) else part for ell, part in enumerate(new)]


class Messages(nn.Module):
    """The sum over neighbours; of l = 0, 1, 2 it gives `channels` channels."""

    def __init__(self, inputs: tuple[int, int, int], edge_width: int) -> None:
        super().__init__()
        ells = range(LMAX + 1)
        self.paths = [
            (a, b, c)
            for a in ells
            if inputs[a]
            for b in ells
            for c in ells
            if abs(a - b) <= c <= a + b and (a + b + c) % 2 == 0
        ]
        self.widths = [inputs[a] for a, _, _ in self.paths]
        self.channels = tuple(sum(inputs[a] for a, _, end in self.paths if end == c) for c in ells)
        self.weights = mixing(edge_width, sum(self.widths))
        for number, (a, b, c) in enumerate(self.paths):
            shape = coupling(a, b, c).view(2 * a + 1, 2 * b + 1, 2 * c + 1)
            self.register_buffer(f"coupling{number}", shape.transpose(0, 1).flatten(1), persistent=False)

    def forward(self, atoms: Features, places: Places, harmonics: torch.Tensor, edge: torch.Tensor) -> Features:
        """Features [N, 2 l + 1, channels] that arrive at a block's atoms; else as of `Interaction.forward`."""
        parts = places.of(harmonics).split([2 * ell + 1 for ell in range(LMAX + 1)], 1)
        weights = self.weights(places.of(edge)).split(self.widths, 1)
        senders = [places.senders(part) for part in atoms]  # [N K, a, u]
        found: list[Features] = [[] for _ in range(LMAX + 1)]
        for number, (a, b, c) in enumerate(self.paths):
            matrix = (parts[b] @ self.get_buffer(f"coupling{number}")).view(places.atoms, -1, 2 * c + 1)
            scaled = (senders[a] * weights[number][:, None]).view(places.atoms, -1, self.widths[number])
            found[c].append(matrix.mT @ scaled)
        return [torch.cat(one, 2) / TYPICAL_DEGREE**0.5 for one in found]


def save_student(path: Path, student: Student) -> None:
    """Write the weights in half precision."""
    write_tensors(path, {name: weight.half() for name, weight in student.named_parameters()})


def load_student(path: Path, size: StudentSize | None = None) -> Student:
    """Read a student back, ready to be asked; raises EngineError where the file is missing or does not fit."""
    student, weights = Student(size or StudentSize()), read_tensors(path)
    names = {name for name, _ in student.named_parameters()}
    check(names == set(weights), f"{path}: the weights are of another network; distil it again")
    try:
        student.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise EngineError(f"{path}: the weights are of a network of another size; distil it again") from error
    return student.eval().requires_grad_(False)


def mixing(inputs: int, outputs: int) -> nn.Linear:
    """A linear map of channels that keeps their variance, the same for every component of a tensor."""
    linear = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(linear.weight, std=inputs**-0.5)
    return linear


def coupling(a: int, b: int, c: int) -> torch.Tensor:
    """Clebsch-Gordan coefficients [(2 a + 1) (2 b + 1), 2 c + 1] that keep the variance of components."""
    return (2 * c + 1) ** 0.5 * o3.wigner_3j(a, b, c).flatten(0, 1)
