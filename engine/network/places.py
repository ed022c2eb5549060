"""Edges by the atom that receives them, in places of equal number for each atom, so that sums are matrix products.

Atoms come in blocks: what is made of all edges of a large cell at once would not fit into memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

AT_ONCE = {"cpu": 2**11}  # places; as many as a CPU's cache likes, and 40 MB in the potential's widest layer
ELSEWHERE = 2**17


@dataclass(frozen=True)
class Places:
    """N atoms that follow one another, each with room for K edges that it receives.

    Attributes:
        first, atoms: the first atom's number, and N.
        edges: [E] numbers of the edges that these atoms receive, or all of them.
        place: [E] of each of these edges among N K.
        sender: [N K] atom in each place, 0 where no edge is.
    """

    first: int
    atoms: int
    edges: torch.Tensor | slice
    place: torch.Tensor
    sender: torch.Tensor

    def of(self, edges: torch.Tensor) -> torch.Tensor:
        """[all edges, ...] -> [N K, ...], zero where no edge is."""
        return self.filled(edges[self.edges])

    def filled(self, edges: torch.Tensor) -> torch.Tensor:
        """[E, ...] of the block's edges -> [N K, ...], zero where no edge is."""
        return edges.new_zeros(len(self.sender), *edges.shape[1:]).index_copy(0, self.place, edges)

    def senders(self, features: torch.Tensor) -> torch.Tensor:
        """[all atoms, ...] -> [N K, ...]."""
        return features.index_select(0, self.sender)


def blocks_of_places(edge_index: torch.Tensor, atoms: int, at_once: int = 0) -> Iterator[Places]:
    """All of `atoms`, as many at once as have `at_once` places together.

    Args:
        edge_index: [2, E], receiver and sender.
        at_once: what suits the device if zero.
    """
    at_once = at_once or AT_ONCE.get(edge_index.device.type, ELSEWHERE)
    receiver, sender = edge_index
    counts = torch.bincount(receiver, minlength=atoms)
    most = max(1, int(counts.max())) if atoms else 1
    order = torch.argsort(receiver, stable=True)
    begin = counts.cumsum(0) - counts
    within = torch.arange(len(order), device=order.device) - begin[receiver[order]]
    step = max(1, at_once // most)
    if step >= atoms:
        place = torch.empty_like(order).index_copy(0, order, receiver[order] * most + within)
        yield Places(0, atoms, slice(None), place, _filled(place, sender, atoms * most))
        return
    bounds = [*begin[::step].tolist(), len(order)]
    for first, start, end in zip(range(0, atoms, step), bounds, bounds[1:], strict=False):
        some, edges = min(step, atoms - first), order[start:end]
        place = (receiver[edges] - first) * most + within[start:end]
        yield Places(first, some, edges, place, _filled(place, sender[edges], some * most))


def _filled(place: torch.Tensor, sender: torch.Tensor, places: int) -> torch.Tensor:
    return place.new_zeros(places).index_copy(0, place, sender)
