"""Write models/fast/student.safetensors: a small network that gives nearly what the pretrained potential gives.

    python data/distil.py --phonon-data phonondb.parquet       (an hour or more on two cores)

Goes on where it was ended; --fresh begins anew. The potential's features are computed once and kept in the cache,
and the state of the training beside them, with its progress (log) and the process to end (pid).
"""

import argparse
import os
import sys
from pathlib import Path

import torch
from platformdirs import user_cache_path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.files import read_tensors, write_tensors, write_text
from engine.network.distilled import save_student
from engine.network.frozen_features import STUDENT
from engine.network.potential import keep_memory
from engine.training.distillation import MOST_ATOMS, Distillation, DistillationConfig, teaching_crystals


def main() -> None:
    """Teach the epochs that are left, and write the network after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--phonon-data", default="", metavar="FILE", help="more crystals, see data/README.md")
    parser.add_argument("--epochs", type=int, default=DistillationConfig().epochs)
    parser.add_argument("--atoms", type=int, default=MOST_ATOMS, help="of the largest cell that teaches")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=STUDENT, metavar="FILE")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier training of these crystals")
    options = parser.parse_args()
    keep_memory()
    torch.set_num_threads(options.threads)
    folder = user_cache_path("dielectric-tensors") / "distillation" / f"{options.atoms}-{options.epochs}"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "pid", f"{os.getpid()}\n")
    config = DistillationConfig(epochs=options.epochs)
    training = Distillation(teaching_crystals(options.phonon_data, options.atoms), config, show)
    print(f"{len(training.taught)} crystals teach, {len(training.watched)} are watched; {folder}", flush=True)
    state = folder / "state.safetensors"
    if state.is_file() and not options.fresh:
        training.restore(read_tensors(state))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_student(options.out, training.result)
    for epoch in training.epochs():
        line = (
            f"epoch {epoch.epoch}/{config.epochs}  not explained, scalars and tensors: taught "
            f"{epoch.taught[0]:.4f} {epoch.taught[1]:.4f}, watched {epoch.watched[0]:.4f} {epoch.watched[1]:.4f}  "
            f"{epoch.seconds:.0f} s"
        )
        print(line, flush=True)
        with (folder / "log").open("a") as log:
            log.write(f"{line}\n")
        write_tensors(state, training.state())
        save_student(options.out, training.result)


def show(done: int, missing: int) -> None:
    """A line for every thousandth part of the features to compute."""
    if done == missing or done % max(missing // 1000, 1) == 0:
        print(f"features of {done} of {missing} crystals", flush=True)


if __name__ == "__main__":
    main()
