"""Starting a process that outlives this one, and telling it from a stranger's that has its number later."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.files import ROOT
from engine.limits import Grant, as_variable
from engine.materials_project.client import KEY_VARIABLE
from engine.processes import locked
from engine.runs.folder import LOG

ENTRUSTED = "process"  # the lock that the process is given
BEHIND = 10  # niceness of a job: a page comes first
PATIENCE = 10.0  # s; a process that has said its last word takes a moment to end


def spawn(command: Sequence[str], folder: Path, at: Path, grant: Grant) -> int:
    """Start a process that outlives this one and holds `folder` by `ENTRUSTED` from now to its end; its ID.

    The lock is taken here and inherited, so that a process which holds it is the one that was started, whoever
    has its number later.

    Args:
        command: what it prints goes to `LOG` in the folder.
        at: its working folder.
        grant: what it may take.

    Raises:
        EngineError: an earlier one has not ended.
    """
    with locked(folder, PATIENCE, ENTRUSTED) as held, (folder / LOG).open("w") as printed:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            cwd=at,
            pass_fds=(held.fileno(),),
            env={
                **{name: value for name, value in os.environ.items() if name != KEY_VARIABLE},  # none needs it
                **as_variable(grant),
                "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads would stall the dashboard
                "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            },
            start_new_session=True,
        )
    _give_way(child.pid)
    return child.pid


def _give_way(pid: int) -> None:
    """Have a process, and all that it starts, leave the processor to whoever waits for a page."""
    with suppress(OSError):  # it has ended, or the system does not allow it
        os.setpriority(os.PRIO_PROCESS, pid, BEHIND)
    with suppress(OSError):  # Linux with groups of processes, among which a share is given by the group
        Path(f"/proc/{pid}/autogroup").write_text(str(BEHIND))
