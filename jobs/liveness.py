"""Is the owner of a claim or a temporary file still at work?"""

import socket
import subprocess
import time

from jobs.attempt import process_start

_ASK_AGAIN_S = 20.0  # several workers ask; the controller should not notice


class Liveness:
    """Answers `is_dead` with at most one question to SLURM per 20 seconds."""

    def __init__(self) -> None:
        self._asked_at = float("-inf")
        self._running: dict[str, str] | None = None  # job_task -> restart count; None: SLURM does not answer

    def is_dead(self, owner: str) -> bool:
        """Whether the owner (`Attempt.owner`) certainly no longer runs; False when that cannot be known."""
        match owner.split("."):
            case ["slurm", name, restart]:
                running = self._ask_slurm()
                return running is not None and running.get(name) != restart
            case ["local", host, pid, started] if host == socket.gethostname().split(".")[0]:
                return str(process_start(int(pid))) != started
        return False

    def _ask_slurm(self) -> dict[str, str] | None:
        if time.monotonic() - self._asked_at > _ASK_AGAIN_S:
            self._running = running_tasks()
            self._asked_at = time.monotonic()
        return self._running


def running_tasks() -> dict[str, str] | None:
    """`<array job>_<task>` or `<job>` -> restart count of all jobs SLURM knows as unfinished; None if it cannot say."""
    command = ["squeue", "--noheader", "--array", "--states=all", "-O", "JobArrayID:40,RestartCnt:12,StateCompact:12"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    rows = (line.split() for line in answer.splitlines())
    return {
        row[0]: row[1] for row in rows if len(row) == 3 and row[2] in ("R", "CG", "PD", "CF", "S", "RQ", "SO", "ST")
    }
