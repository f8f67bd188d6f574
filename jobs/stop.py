"""The warning before the end (SLURM's USR2, a TERM, Ctrl-C) -> a flag the worker looks at between two steps.

Three things that were measured make this what it is. SLURM sends the warning to every process of the step, and vLLM's
children die of it or, forked, run an inherited handler in our place: so the signals are *blocked* while the engine is
built (children inherit the mask) and unblocked in this process afterwards; ignoring instead would lose a warning that
comes while the model loads. submitit's own handler would run HDF5 code at any moment: it is replaced by one that only
sets a flag. The worker then commits, frees its claims and requeues itself.
"""

import logging
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from jobs.attempt import Attempt
from store.errors import RouteyardError

log = logging.getLogger("routeyard.collect")

_SIGNALS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)
_CANCELLED = (signal.SIGTERM, signal.SIGINT)  # somebody wants it to end; the others are SLURM's warnings


class Stopped(RouteyardError):
    """A worker was told to stop before its work was done and will not come back by itself."""


class StopFlag:
    """Set once a warning has come; install it before the engine exists."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __bool__(self) -> bool:
        return self.received is not None

    @property
    def is_cancelled(self) -> bool:
        """Whether to end for good, not to come back in the queue."""
        return self.received in _CANCELLED

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals with this flag; the previous handlers come back at the end.

        Ctrl-C is one of them, except in a process that was started deaf to it because its command detaches.
        """
        numbers = [*_SIGNALS, *([] if signal.getsignal(signal.SIGINT) == signal.SIG_IGN else [signal.SIGINT])]
        previous = {number: signal.signal(number, self._set) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _set(self, number: int, frame: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number)


@contextmanager
def held_back() -> Iterator[None]:
    """Keep the signals pending in this process, and out of every child that is started meanwhile."""
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def stopped(stop: StopFlag, attempt: Attempt, what: str) -> NoReturn:
    """Leave after a signal: back into SLURM's queue where that was its warning, for good where somebody cancelled.

    Args:
        what: was being done, and what of it is stored.

    Raises:
        Stopped: unless SLURM ends this process first.
    """
    assert stop.received is not None
    if attempt.requeue_id and not stop.is_cancelled:
        log.info("requeueing %s", attempt.requeue_id)
        subprocess.run(["scontrol", "requeue", attempt.requeue_id], check=True)
        time.sleep(60)  # SLURM ends this process; returning would record the task as finished
    raise Stopped(f"{what}; stopped by {stop.received.name}, and the same command goes on from there")
