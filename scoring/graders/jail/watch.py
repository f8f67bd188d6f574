"""Look every few milliseconds at what the processes of a jail use together, and at the clock.

The kernel's own limits are per process; a program with many processes, or with a handler for the kernel's signal, gets
past them. Computing time decides, so that a busy machine gives the same verdicts; the wall clock is for programs that
wait.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any

_PERIOD_S = 0.02
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_N_OWN = 2  # the judge and the nursery


class Watch:
    """Limits of time for each step, and of memory and processes for every moment.

    Attributes:
        pid: the program's process.
    """

    def __init__(self, is_first: bool, cpu_s: float, wall_s: float, memory_bytes: int, n_processes: int):
        self._is_first, self._cpu_s, self._wall_s = is_first, cpu_s, wall_s
        self._memory_bytes, self._n_processes = memory_bytes, n_processes
        self.pid = 0
        self.begin_step()

    def begin_step(self) -> None:
        """Count time from here."""
        self._deadline = time.monotonic() + self._wall_s
        self._cpu_limit = sum(map(_cpu, self._pids())) + self._cpu_s

    def start(self, stop: Callable[..., Any]) -> None:
        """Watch from a thread of its own.

        Args:
            stop: called once with status and detail when a limit is passed; does not come back.
        """
        threading.Thread(target=self._watch, args=(stop,), daemon=True).start()

    def _watch(self, stop: Callable[..., Any]) -> None:
        while True:
            time.sleep(_PERIOD_S)
            if self._is_first:
                bury()
            pids = self._pids()
            if time.monotonic() > self._deadline or sum(map(_cpu, pids)) > self._cpu_limit:
                # One sentence for both: which comes first depends on how busy the machine is.
                stop("timeout", f"more than {self._cpu_s:g} s of computing or {self._wall_s:g} s in all")
            if len(pids) - _N_OWN > self._n_processes:
                stop("processes", f"more than {self._n_processes} processes")
            if sum(map(_memory, pids)) > self._memory_bytes:
                stop("memory", f"more than {self._memory_bytes} bytes of memory in use")

    def _pids(self) -> list[int]:
        """All processes of the namespace, or those known by their number."""
        if self._is_first:
            with contextlib.suppress(OSError):  # where there is no /proc
                return [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in (os.getpid(), self.pid) if pid]


def bury() -> None:
    """Collect the children that have ended; the first process of a namespace inherits all orphans."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _cpu(pid: int) -> float:
    """Computing time of a process so far, in seconds; the kernel makes a clock's number from the process id."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
