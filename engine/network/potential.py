"""Features of atoms from SevenNet l3i5, a potential trained on 1.6 million structures of the Materials Project.

Its weights come with the package `sevenn` (MIT licence) and stay frozen; a network may train copies of its last
layers. The potential is equivariant under rotations only, so features are averaged over the crystal and its
inverted image: what is even under inversion stays, and mirrors and all point groups hold to rounding.
Source: Park et al., J. Chem. Theory Comput. 20, 4857 (2024), doi:10.1021/acs.jctc.4c00190.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from e3nn import o3
from pymatgen.core import Element
from torch import nn

from engine.config import GraphConfig
from engine.crystals.graph import CrystalGraph
from engine.errors import check
from engine.network.building import alone
from engine.network.convolution import FusedConvolution, NeighbourConvolution, has_kernels
from engine.network.device import numbered

NAME = "sevennet-l3i5"
GRAPH = GraphConfig(r_max=5.0)
LAYERS = 5
_MALLOC = {-4: 0, -1: 2**31 - 1, -2: 2**28}  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD in malloc.h
IRREPS = o3.Irreps("640x0e+128x2e")  # scalars of five layers, l = 2 of the first four
_HIDDEN = o3.Irreps("128x0e+64x1e+32x2e+32x3e")  # of a layer; the last has scalars only


class PretrainedFeatures(nn.Module):
    """Graph -> [N, IRREPS], even under inversion; gradients flow into `tuned` layers only.

    In float32, rounding through five layers reaches 2e-5 of the features; float64 keeps symmetry far below that.
    """

    def __init__(self, dtype: torch.dtype, kernels: bool = False) -> None:
        """`kernels`: of `FusedConvolution`, where `has_kernels`."""
        super().__init__()
        self.potential = deepcopy(_built(kernels)).to(dtype)
        self.potential.key_grad = None  # `_forces` alone asks for the gradient of edges
        self.dtype = dtype

    def forward(self, graph: CrystalGraph, tuned: nn.ModuleDict | None = None) -> torch.Tensor:
        """Features of every atom of a graph with r_max of `GRAPH`.

        Args:
            tuned: trained `last_layers`, which take the place of the potential's own.

        Raises:
            EngineError: the potential does not know one of the elements.
        """
        self._check_elements(graph)
        scalars, even = [], []
        second = _HIDDEN.slices()[2]
        edge_vec = graph.edge_vec.to(self.dtype)
        for name, data in self._layers(graph, torch.cat([edge_vec, -edge_vec]), 2, tuned):
            if name.endswith("equivariant_gate"):
                scalars.append(data["x"][:, : _HIDDEN[0].dim])
                if len(scalars) == LAYERS:
                    break
                even.append(data["x"][:, second])
        return torch.cat(scalars + even, 1).unflatten(0, (2, -1)).mean(0)

    def last_layers(self, count: int) -> nn.ModuleDict:
        """Copies of the last `count` interaction layers, to be trained; name -> part of a layer."""
        prefixes = tuple(f"{layer}_" for layer in range(LAYERS - count, LAYERS))
        parts = {name: part for name, part in self.potential.named_children() if name.startswith(prefixes)}
        return nn.ModuleDict(deepcopy(parts)).requires_grad_()

    def forces(self, graph: CrystalGraph, image: torch.Tensor | None = None) -> torch.Tensor:
        """Forces on every atom, [N, 3] eV/Å; raises as `forward` does.

        Args:
            image: [B] 1 or -1 where the potential is asked about the crystal alone or about its inverted image
                alone, at half the cost; by default about both, whose mean is even under inversion.
        """
        self._check_elements(graph)
        start, end = graph.edge_index
        edge_vec = graph.edge_vec.to(self.dtype)
        if image is None:
            signs = edge_vec.new_tensor([1, -1])[:, None, None]
        else:
            signs = image.to(edge_vec)[graph.crystal_index[start]][None, :, None]
        with torch.enable_grad():
            edge_vec = (signs * edge_vec).flatten(0, 1).detach().requires_grad_()
            for _, data in self._layers(graph, edge_vec, len(signs)):
                if "inferred_total_energy" in data:
                    break
            (pull,) = torch.autograd.grad(data["inferred_total_energy"].sum(), edge_vec)
        pull = (signs * pull.view(len(signs), len(start), 3)).mean(0)
        forces = pull.new_zeros(graph.num_nodes, 3)
        return forces.index_add(0, start, pull).index_add(0, end, -pull)

    def _check_elements(self, graph: CrystalGraph) -> None:
        known = self.potential.type_map or {}
        unknown = [z for z in graph.atomic_numbers.unique().tolist() if z not in known]
        symbols = ", ".join(Element.from_Z(z).symbol for z in unknown)
        check(not unknown, f"the potential {NAME} does not know {symbols}; choose the model e3nn-scratch")

    def _layers(
        self, graph: CrystalGraph, edge_vec: torch.Tensor, copies: int, tuned: nn.ModuleDict | None = None
    ) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
        """Each layer's name, and what is known after it, of so many copies of the graph.

        Args:
            edge_vec: [copies E, 3] Å.
        """
        data = self.potential._preprocess(
            {
                "atomic_numbers": graph.atomic_numbers.repeat(copies),
                "pos": graph.pos.to(self.dtype).repeat(copies, 1),
                "edge_index": torch.cat([graph.edge_index + copy * graph.num_nodes for copy in range(copies)], 1),
                "edge_vec": edge_vec,
                "batch": torch.cat([graph.crystal_index + copy * len(graph.cell) for copy in range(copies)]),
            }
        )
        layers = dict(self.potential.named_children()) | dict(tuned or {})
        for name, layer in layers.items():
            data = layer(data)
            if name == "onehot_idx_to_onehot":  # which makes them float32
                data |= {key: data[key].to(self.dtype) for key in ("x", "node_attr")}
            yield name, data


@lru_cache
def _built(kernels: bool) -> Any:
    """SevenNet with convolutions of our own; what a process uses are copies, which are quicker to make."""
    import sevenn
    from sevenn.checkpoint import SevenNetCheckpoint

    path = Path(sevenn.__file__).parent / "pretrained_potentials" / "SevenNet_l3i5" / "checkpoint_l3i5.pth"
    with _products_without_code():
        potential = SevenNetCheckpoint(path).build_model().eval().requires_grad_(False)
    for name, part in list(potential.named_children()):
        if name.endswith("_convolution"):
            setattr(potential, name, (FusedConvolution if kernels else NeighbourConvolution)(part))
    return potential


@contextmanager
def _products_without_code() -> Iterator[None]:
    """SevenNet's tensor products, whose code is never run here, are built without it, in half the time.

    Of a full product only the irreps are asked for; `NeighbourConvolution` takes the place of the convolutions.
    """
    import sevenn.nn.convolution
    import sevenn.util

    sevenn.util.FullTensorProduct = partial(o3.FullTensorProduct, compile_left_right=False)
    sevenn.nn.convolution.TensorProduct = partial(o3.TensorProduct, _optimize_einsums=False)
    try:
        yield
    finally:
        sevenn.util.FullTensorProduct = o3.FullTensorProduct
        sevenn.nn.convolution.TensorProduct = o3.TensorProduct


def keep_memory() -> None:
    """Have glibc keep what this process frees: its page faults else cost as much as the potential's arithmetic.

    For processes of our own; whoever imports the engine decides for theirs.
    """
    with suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL("libc.so.6")
        for parameter, value in _MALLOC.items():
            libc.mallopt(parameter, value)


@alone
def pretrained_features(device: torch.device, dtype: torch.dtype) -> PretrainedFeatures:
    """The potential on a device, loaded once a process; the caller's random numbers stay as they are."""
    return _loaded(numbered(device), dtype)


@lru_cache
def _loaded(device: torch.device, dtype: torch.dtype) -> PretrainedFeatures:
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        return PretrainedFeatures(dtype, has_kernels(device)).to(device)
