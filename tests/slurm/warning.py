"""SLURM's warning before the end of a task's time, sent by hand."""

import subprocess
from collections.abc import Mapping

COMMAND = ("timeout", "3", "scancel", "--signal=USR2")


def warn(task: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether it was sent; False where there is no such task, or no more.

    A task that hears it may be back in the queue before scancel is done with it. Then scancel takes the task for one
    that cannot be altered now, and tries again for a minute and a half, as it does for any that waits or is ending: so
    it is stopped before that.
    """
    stopped = 124
    return subprocess.run([*COMMAND, task], env=environment, check=False).returncode in (0, stopped)
