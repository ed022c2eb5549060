"""Starting the process of a training run."""

import os
import subprocess
import sys
from pathlib import Path

from engine.files import ROOT
from engine.runs.folder import LOG


def spawn(folder: Path) -> int:
    """Train the run in `folder` in a new process, which outlives this one; its ID."""
    command = [sys.executable, "-m", "engine", "train", "--resume", str(folder.resolve())]
    with (folder / LOG).open("w") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},  # spinning threads would stall the dashboard
            start_new_session=True,
        )
    return child.pid
