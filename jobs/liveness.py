"""Is the owner of a claim or a temporary file still at work?"""

import socket
import time

from jobs.attempt import process_start
from jobs.squeue import Queued, unfinished

_ASK_AGAIN_S = 20.0  # several workers ask; the controller should not notice


class Liveness:
    """Answers `is_dead` with at most one question to SLURM per 20 seconds."""

    def __init__(self) -> None:
        self._asked_at = float("-inf")
        self._running: dict[str, Queued] | None = None  # None: SLURM does not answer

    def is_dead(self, owner: str) -> bool:
        """Whether the owner (`Attempt.owner`) certainly no longer runs; False when that cannot be known."""
        match owner.split("."):
            case ["slurm", name, restart]:
                running = self._ask_slurm()
                return running is not None and (name not in running or running[name].restarts != restart)
            case ["local", host, pid, started] if host == socket.gethostname().split(".")[0]:
                return str(process_start(int(pid))) != started
        return False

    def _ask_slurm(self) -> dict[str, Queued] | None:
        if time.monotonic() - self._asked_at > _ASK_AGAIN_S:
            self._running = unfinished()
            self._asked_at = time.monotonic()
        return self._running
