"""The matbench_dielectric benchmark: refractive indices of 4,764 crystals, the leaderboard's own five folds.

In each fold, readouts learn from its training crystals alone: `IndexConfig.seeds` networks and a kernel
regression. The prediction is the weighted mean of their latents; no test crystal stops or chooses anything.
Source: Dunn et al., npj Comput. Mater. 6, 138 (2020), doi:10.1038/s41524-020-00406-3.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import KFold

from engine.config import IndexConfig
from engine.crystals.material import Material
from engine.data.datasets import dataset_hash, load_dataset
from engine.errors import check
from engine.evaluation.matbench.index_data import IndexData, index_data, index_of
from engine.evaluation.matbench.index_kernel import kernel_latent
from engine.evaluation.matbench.index_network import network_latent, train_index_network
from engine.evaluation.provenance import code_version, machine
from engine.files import holds_tensors, read_tensors, write_tensors
from engine.network.device import resolve_device
from engine.tensors.metrics import IndexMetrics, index_metrics
from engine.training.fingerprint import SHAPING, code_fingerprint
from engine.training.jobs import Workers, log, run_jobs

DATA = "matbench-dielectric"
FOLDS, SHUFFLE = 5, 18012019  # of all Matbench tasks


@dataclass(frozen=True, kw_only=True)
class MatbenchReport:
    """How the official folds came out.

    Attributes:
        fold_mae: mean absolute error of n in each fold.
        mae, std: mean and (population) standard deviation of `fold_mae`, the leaderboard's figures.
        all: errors over all test crystals.
        new_formula: the same over those whose reduced formula no training crystal of their fold has.
        members: what each readout reaches on its own over all test crystals.
        about: data set, hash, code, seeds, machine and seconds.
    """

    fold_mae: tuple[float, ...]
    mae: float
    std: float
    all: IndexMetrics
    new_formula: IndexMetrics
    members: dict[str, IndexMetrics]
    about: dict[str, str]
    config: IndexConfig


@dataclass(frozen=True, kw_only=True)
class ReadoutJob:
    """One readout in one fold; `seed` None is the kernel."""

    data: str
    config: IndexConfig
    fold: int
    seed: int | None
    folder: Path

    @property
    def name(self) -> str:
        """Which of the readouts it is."""
        return f"fold-{self.fold}-{'kernel' if self.seed is None else f'seed-{self.seed}'}"

    @property
    def device(self) -> str:
        """Where it is trained."""
        return self.config.device

    @property
    def path(self) -> Path:
        """Where the latents of the test crystals are kept; the name holds a hash of all that they depend on."""
        config = replace(self.config, seeds=1, blend=0.0, device="auto")  # which they do not depend on
        code = code_fingerprint((*SHAPING, "evaluation/matbench"))
        key = sha256(f"{dataset_hash(self.data)} {code} {config}".encode()).hexdigest()[:12]
        return self.folder / f"{self.name}-{key}.safetensors"

    def is_done(self) -> bool:
        """Whether the latents are there."""
        return holds_tensors(self.path)

    def run(self) -> None:
        """Learn from the fold's training crystals, keep the latents of its test crystals."""
        device = resolve_device(self.config.device)
        data = _data(self.data, device)
        fold = official_folds(len(data.n))[self.fold]
        train, test = (data.take(torch.as_tensor(part)).to(device) for part in (_others(fold, len(data.n)), fold))
        if self.seed is None:
            latent = kernel_latent(train, test, self.config)
        else:
            network = train_index_network(train, self.config, self.seed, lambda line: log(f"{self.name}  {line}"))
            latent = network_latent(network, test)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_tensors(self.path, {"latent": latent})


def official_folds(count: int) -> list[np.ndarray]:
    """Test indices of each fold."""
    check(count >= FOLDS, f"{FOLDS} folds need as many crystals, got {count}")
    folds = KFold(FOLDS, shuffle=True, random_state=SHUFFLE).split(np.arange(count))
    return [test for _, test in folds]


def run_matbench(config: IndexConfig, folder: Path, workers: Workers = None, data: str = DATA) -> MatbenchReport:
    """Train every fold's readouts and judge their predictions for its test crystals.

    Readouts found finished in `folder`, of the same data and configuration, are not trained again. Progress goes
    to standard error. Safe to interrupt.

    Args:
        workers: see `training.jobs.Workers`.

    Raises:
        EngineError: the data set is missing, has fewer crystals than folds, or one without a refractive index.
    """
    started, code = time.perf_counter(), code_version()
    materials = load_dataset(data)
    check(all(material.n is not None for material in materials), f"{data}: every crystal must have an n")
    folds = official_folds(len(materials))
    seeds: dict[str, int | None] = {"kernel": None} | {f"seed {seed}": seed for seed in range(config.seeds)}
    jobs = {
        name: [ReadoutJob(data=data, config=config, fold=fold, seed=seed, folder=folder) for fold in range(FOLDS)]
        for name, seed in seeds.items()
    }
    everything = [job for own in jobs.values() for job in own]
    if not all(job.is_done() for job in everything):
        _data(data, resolve_device(config.device))  # no two workers compute the same features
        _data.cache_clear()
    run_jobs(everything, "readouts", workers)
    about = {
        "data": data,
        "data_sha256": dataset_hash(data),
        "code": code,
        "folds": f"KFold({FOLDS}, shuffle=True, random_state={SHUFFLE})",
        "seeds": ", ".join(str(seed) for seed in range(config.seeds)),
        "machine": machine(),
        "seconds": f"{time.perf_counter() - started:.0f}",
    }
    latents = {name: _assembled(own, folds) for name, own in jobs.items()}
    return _report(latents, materials, folds, config, about)


def _report(
    latents: dict[str, torch.Tensor],
    materials: Sequence[Material],
    folds: Sequence[np.ndarray],
    config: IndexConfig,
    about: dict[str, str],
) -> MatbenchReport:
    """The figures of each readout's [n] latents, and of their weighted mean."""
    volume = torch.tensor([abs(np.linalg.det(m.cell)) / m.natoms for m in materials])
    networks = torch.stack([latent for name, latent in latents.items() if name != "kernel"]).mean(0)
    members = latents | {"networks": networks}
    predicted = index_of(torch.lerp(networks, latents["kernel"], config.blend), volume).numpy()
    dft = np.array([material.n for material in materials])
    new = _new_formulas([material.formula for material in materials], folds)
    fold_mae = [float(np.abs(predicted - dft)[fold].mean()) for fold in folds]
    return MatbenchReport(
        fold_mae=tuple(fold_mae),
        mae=float(np.mean(fold_mae)),
        std=float(np.std(fold_mae)),
        all=index_metrics(predicted, dft),
        new_formula=index_metrics(predicted[new], dft[new]),
        members={name: index_metrics(index_of(one, volume).numpy(), dft) for name, one in members.items()},
        about=about,
        config=config,
    )


def matbench_json(report: MatbenchReport) -> str:
    """The report as a JSON document."""
    return json.dumps(asdict(report), indent=1)


def matbench_table(report: MatbenchReport) -> str:
    """The report to read."""
    rows = {"all": report.all, "formula not in training": report.new_formula} | report.members
    folds = ", ".join(f"{mae:.4f}" for mae in report.fold_mae)
    lines = [
        f"MAE of n over the official folds: {report.mae:.4f} ± {report.std:.4f} ({folds})",
        "test crystals            count     MAE  median  MAE n <= 5  within 5 % n <= 5  within 5 %",
    ]
    for name, m in rows.items():
        lines.append(
            f"{name:<23} {m.count:>6}  {m.mae:6.4f}  {m.median:6.4f}  {m.mae_in_range:10.4f}  "
            f"{m.within_in_range:16.1f} %  {m.within:8.1f} %"
        )
    return "\n".join(lines)


@lru_cache(maxsize=1)
def _data(name: str, device: torch.device) -> IndexData:
    """All crystals of a data set, once a process."""

    def show(done: int, total: int) -> None:
        log(f"features of {name}: {done} of {total} crystals")

    return index_data(load_dataset(name), device, show)


def _others(fold: np.ndarray, count: int) -> np.ndarray:
    return np.setdiff1d(np.arange(count), fold)


def _assembled(jobs: Sequence[ReadoutJob], folds: Sequence[np.ndarray]) -> torch.Tensor:
    """[n] latents of all crystals, each from the fold that it was tested in."""
    latents = torch.empty(sum(len(fold) for fold in folds), dtype=torch.float64)
    for job, fold in zip(jobs, folds, strict=True):
        latents[torch.as_tensor(fold)] = read_tensors(job.path)["latent"].double()
    return latents


def _new_formulas(formulas: Sequence[str], folds: Sequence[np.ndarray]) -> np.ndarray:
    """[n] bool: crystals whose formula is not among the training crystals of their fold."""
    names = np.array(formulas)
    new = np.empty(len(names), dtype=bool)
    for fold in folds:
        new[fold] = ~np.isin(names[fold], names[_others(fold, len(names))])
    return new
