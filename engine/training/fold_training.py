"""Networks that are trained side by side, each without the formulas that it will be judged on."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from engine.config import TrainConfig
from engine.crystals.material import Material
from engine.data.datasets import dataset_hash, labelled, load_dataset
from engine.errors import EngineError
from engine.model.checkpoint import CONFIG, Checkpoint, load_checkpoint, save_checkpoint
from engine.network.frozen_features import student_hash
from engine.training.fingerprint import code_fingerprint
from engine.training.jobs import Workers, log, run_jobs
from engine.training.loop import start_training, train


@dataclass(frozen=True, kw_only=True)
class NetworkJob:
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
    def device(self) -> str:
        """Where it is trained."""
        return self.config.device

    @property
    def fingerprint(self) -> str:
        """Hash of all that the network depends on: data, configuration and code."""
        beside = [name and dataset_hash(name) for name in (self.config.index_data, self.config.phonon_data)]
        config = replace(self.config, device="auto", phonon_data="")  # neither device nor path changes a network
        student = [student_hash()] if config.model.backbone == "distilled" else []
        parts = (
            code_fingerprint(),
            dataset_hash(self.data),
            *beside,
            *student,
            str(config),
            *sorted(self.held_out),
        )
        return sha256("\n".join(parts).encode()).hexdigest()

    def is_done(self) -> bool:
        """Whether `folder` holds this very network."""
        return is_kept(self.folder, self.fingerprint)

    def run(self) -> None:
        """Train it, an epoch a line of progress."""
        materials = labelled(load_dataset(self.data), self.config.model.targets)
        kept = [material for material in materials if material.formula not in self.held_out]
        started = time.perf_counter()
        training = start_training(kept, (), self.config, self.held_out)
        for result in train(training):
            log(
                f"{self.name}  epoch {result.epoch}/{result.epochs}  loss {result.train_loss:.3f}  "
                f"{result.seconds:.1f} s"
            )
        save_checkpoint(
            self.folder,
            Checkpoint(
                networks=[training.result],
                trained_on=(training.trained_on,),
                element_counts=element_counts(kept),
                about={"fingerprint": self.fingerprint, "seconds": f"{time.perf_counter() - started:.0f}"},
            ),
            half=True,
        )


@dataclass(frozen=True, kw_only=True)
class LaterJob:
    """A later step of training of the network that `base` was trained as; `folder` and `name` as there."""

    base: NetworkJob
    folder: Path
    name: str

    @property
    def device(self) -> str:
        """Where it is trained."""
        return self.base.device

    @property
    def fingerprint(self) -> str:
        """Hash of all that the network depends on."""
        raise NotImplementedError

    def is_done(self) -> bool:
        """Whether `folder` holds this very network."""
        return is_kept(self.folder, self.fingerprint)


def is_kept(folder: Path, fingerprint: str) -> bool:
    """Whether the network in a folder is the one of that fingerprint."""
    if not (folder / CONFIG).is_file():
        return False
    try:
        return load_checkpoint(folder).about.get("fingerprint") == fingerprint
    except EngineError:
        return False


def train_networks(jobs: Sequence[NetworkJob], workers: Workers = None) -> list[Checkpoint]:
    """The network of each job, in order; what an earlier call with the same job finished is not trained again.

    See `run_jobs` for progress, interruption and `workers`.
    """
    run_jobs(jobs, "networks", workers)
    return [load_checkpoint(job.folder) for job in jobs]


def element_counts(materials: Sequence[Material]) -> dict[str, int]:
    """Number of crystals that hold each element."""
    counts = Counter(element for material in materials for element in material.elements)
    return dict(sorted(counts.items()))
