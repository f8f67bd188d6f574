"""What the kernel says about other processes, and their end."""

import contextlib
import os
import signal
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether a process is there and not a zombie that nobody reaps."""
    try:
        return _state(pid)[0] != "Z"
    except OSError:
        return False


def parent(pid: int) -> int:
    """Process id of the parent.

    Raises:
        OSError: there is no such process, any more.
    """
    return int(_state(pid)[1])


def children(pid: int) -> list[int]:
    """Process ids of those that a process has started and that are there."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            if parent(int(path.name)) == pid:
                found.append(int(path.name))
    return found


def kill(*pids: int) -> None:
    """Those that are still there."""
    for pid in filter(is_running, pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _state(pid: int) -> list[str]:
    """Fields of the stat file behind the name, which may hold anything: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
