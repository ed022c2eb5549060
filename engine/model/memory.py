"""What a prediction needs of memory and what is free: too large a cell is refused before the system runs out.

The need is an estimate from above, see benchmarks/cell_size.py for what was measured; small ones are not compared.
"""

import ctypes
import math
import resource
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import torch

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph, crystal_graphs
from engine.crystals.material import Crystal, reduced_formula
from engine.crystals.primitive import primitive
from engine.errors import EngineError
from engine.limits import granted

BLOCK = 2e8  # bytes, of edges that are gone through at once whatever the cell, with what the allocator cannot use
PER_ATOM = 1e5
PER_EDGE = {"pretrained": 4e3, "scratch": 2e3}  # of what stays beside the block
PER_PAIR = 1.4e3  # of atoms that feel each other's dipoles: twenty matrices, and what the allocator cannot use
WITH_EIGENVECTORS = 2  # times as many, where the potential's force constants are asked for
SMALL = 5e8  # bytes, never refused
_PAGE = resource.getpagesize()


def fits(graphs: Sequence[CrystalGraph], config: ModelConfig, targets: Sequence[str]) -> bool:
    """Whether a batch of crystals can be predicted in the memory that is free."""
    need = needed(graphs, config, targets)
    if need < SMALL or need < free_memory():
        return True
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # what was kept for later, see `potential.keep_memory`
    return need < free_memory()


def check_fits(crystal: Crystal, graph: GraphConfig, config: ModelConfig, targets: Sequence[str]) -> None:
    """Raise an EngineError where a crystal has too many atoms to be predicted in the memory that is free."""
    (found,) = crystal_graphs([primitive(crystal)], graph)
    if not fits([found], config, targets):
        raise EngineError(refusal(found, config, targets))


def needed(graphs: Sequence[CrystalGraph], config: ModelConfig, targets: Sequence[str]) -> float:
    """Bytes that a batch of crystals takes, beside what the program has already."""
    linear = sum(_per_atom(graph, config) * graph.num_nodes for graph in graphs)
    largest = max(graph.num_nodes for graph in graphs)
    return BLOCK + linear + len(graphs) * max(_per_pair(graph, config, targets) for graph in graphs) * largest**2


def refusal(graph: CrystalGraph, config: ModelConfig, targets: Sequence[str]) -> str:
    """Why a crystal is not predicted on this machine, and how many atoms could be."""
    need, free = needed([graph], config, targets), free_memory()
    room = max(0.0, free - BLOCK)
    linear, square = _per_atom(graph, config), _per_pair(graph, config, targets)
    most = room / linear if not square else (math.sqrt(linear**2 + 4 * square * room) - linear) / (2 * square)
    known = (
        "" if math.isinf(free) else f", and {free / 1e9:.1f} GB are free: enough for about {_round(most)} atoms"
    )
    formula = reduced_formula(graph.atomic_numbers.cpu().numpy())
    return (
        f"{formula}: a primitive cell of {graph.num_nodes:,} atoms does not fit into the memory of this machine; "
        f"it needs about {need / 1e9:.1f} GB{known}"
    )


def free_memory() -> float:
    """Bytes that this process may still take: of the machine, its control groups, its address space, its grant."""
    return max(0.0, min([math.inf, *_of_machine(), *_of_control_groups(), *_of_address_space(), *_of_grant()]))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; of a CPU's, PyTorch has no type of its own."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)


def _per_atom(graph: CrystalGraph, config: ModelConfig) -> float:
    edges = PER_EDGE["scratch" if config.backbone == "scratch" else "pretrained"]
    return PER_ATOM + edges * graph.num_edges / graph.num_nodes


def _per_pair(graph: CrystalGraph, config: ModelConfig, targets: Sequence[str]) -> float:
    coupled = config.readout == "dipoles" and "electronic" in targets
    if not coupled and not (config.has_charges and "ionic" in targets):
        return 0.0
    known = "has_springs" in graph and bool(graph.has_springs.any())
    return PER_PAIR * (WITH_EIGENVECTORS if known else 1)


def _round(atoms: float) -> str:
    """Two digits."""
    return f"{float(f'{atoms:.1e}'):,.0f}"


def _of_machine() -> Iterator[float]:
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield 1024.0 * int(line.split()[1])


def _of_control_groups() -> Iterator[float]:
    """As a container or a batch system sets them: version 2 with all groups above ours, or version 1."""
    with suppress(OSError):
        names = [line.partition("::")[2] for line in Path("/proc/self/cgroup").read_text().splitlines()]
        root = Path("/sys/fs/cgroup")
        for own in {root / name.lstrip("/") for name in names} | {root}:
            for group in (own, *own.parents):
                if group.is_relative_to(root):
                    yield from _of_group(group / "memory.max", group / "memory.current", group / "memory.stat")
        old = root / "memory"
        yield from _of_group(old / "memory.limit_in_bytes", old / "memory.usage_in_bytes", old / "memory.stat")


def _of_group(limit: Path, used: Path, statistics: Path) -> Iterator[float]:
    """Pages of files that nobody uses count as free."""
    with suppress(OSError, ValueError):  # no such group, or "max"
        bound = int(limit.read_text())
        counts = dict(line.split() for line in statistics.read_text().splitlines())
        yield bound - int(used.read_text()) + int(counts.get("inactive_file", 0))


def _of_grant() -> Iterator[float]:
    """As limits.toml sets it for a process and all that it has started."""
    most = granted().memory
    if math.isfinite(most):
        process = psutil.Process()
        used = 0
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):  # it has ended
                used += one.memory_info().rss
        yield most - used


def _of_address_space() -> Iterator[float]:
    """As `ulimit -v` sets it."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        with suppress(OSError):
            yield limit - _PAGE * float(Path("/proc/self/statm").read_text().split()[0])
