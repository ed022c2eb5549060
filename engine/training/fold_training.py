"""Networks that are trained side by side, each without the formulas that it will be judged on."""

import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch

from engine.config import TrainConfig
from engine.crystals.material import Material
from engine.data.datasets import dataset_hash, labelled, load_dataset
from engine.errors import EngineError
from engine.model.checkpoint import CONFIG, Checkpoint, load_checkpoint, save_checkpoint
from engine.training.loop import start_training, train


@dataclass(frozen=True, kw_only=True)
class Job:
    """One network to train on the labelled crystals of `data`, but for the formulas in `held_out`.

    Attributes:
        folder: where the network is kept.
        name: what the progress lines call it.
    """

    data: str
    config: TrainConfig
    held_out: frozenset[str]
    folder: Path
    name: str

    @property
    def fingerprint(self) -> str:
        """Hash of all that the network depends on."""
        index = self.config.index_data and dataset_hash(self.config.index_data)
        config = str(self.config)
        if not self.config.model.tuned_layers:  # as before there was a choice
            config = config.replace(", tuned_layers=0", "").replace(f", tuned_rate={self.config.tuned_rate}", "")
        parts = (dataset_hash(self.data), index, config, *sorted(self.held_out))
        return sha256("\n".join(parts).encode()).hexdigest()


def train_members(jobs: Sequence[Job], workers: int | None = None) -> list[Checkpoint]:
    """The network of each job, in order; what an earlier call with the same job finished is not trained again.

    Progress goes to standard error. Safe to interrupt: what is finished is kept.

    Args:
        workers: processes that train at once; by default one a core on a CPU, one on a GPU.
    """
    todo = [job for job in jobs if not _is_done(job)]
    say(f"{len(jobs)} networks to train, {len(jobs) - len(todo)} finished before")
    if todo:
        workers = min(len(todo), workers or _default_workers(todo[0].config))
        threads = max(1, (os.cpu_count() or 1) // workers)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, spawn, torch.set_num_threads, (threads,)) as pool:
            for done, _ in enumerate(pool.map(_train, todo), start=1):
                say(f"{len(jobs) - len(todo) + done} of {len(jobs)} networks are trained")
    return [load_checkpoint(job.folder) for job in jobs]


def element_counts(materials: Sequence[Material]) -> dict[str, int]:
    """Number of crystals that hold each element."""
    counts = Counter(element for material in materials for element in material.elements)
    return dict(sorted(counts.items()))


def say(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr, flush=True)


def _default_workers(config: TrainConfig) -> int:
    on_gpu = config.device != "cpu" and torch.cuda.is_available()
    return 1 if on_gpu else os.cpu_count() or 1


def _is_done(job: Job) -> bool:
    if not (job.folder / CONFIG).is_file():
        return False
    try:
        return load_checkpoint(job.folder).about.get("fingerprint") == job.fingerprint
    except EngineError:
        return False


def _train(job: Job) -> None:
    targets = job.config.model.targets
    kept = [m for m in labelled(load_dataset(job.data), targets) if m.formula not in job.held_out]
    training = start_training(kept, (), job.config, job.held_out)
    for result in train(training):
        say(
            f"{job.name}  epoch {result.epoch}/{result.epochs}  loss {result.train_loss:.3f}  "
            f"{result.seconds:.1f} s"
        )
    save_checkpoint(
        job.folder,
        Checkpoint(
            networks=[training.result],
            trained_on=(training.trained_on,),
            element_counts=element_counts(kept),
            about={"fingerprint": job.fingerprint},
        ),
        half=True,
    )
