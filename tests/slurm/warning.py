"""SLURM's warning before the end of a task's time, sent by hand."""

import subprocess
from collections.abc import Mapping

COMMAND = ("timeout", "3", "scancel", "--signal=USR2")
_STOPPED = 124  # by timeout


def warn(task: str, environment: Mapping[str, str] | None = None) -> None:
    """Send it.

    A task that hears it may be back in the queue before scancel is done with it. Then scancel takes the task for one
    that cannot be altered now, and tries again for a minute and a half, as it does for any that waits or is ending: so
    it is stopped before that.

    Raises:
        CalledProcessError: there is no such task, or no more.
    """
    done = subprocess.run([*COMMAND, task], env=environment, check=False)
    if done.returncode != _STOPPED:
        done.check_returncode()
