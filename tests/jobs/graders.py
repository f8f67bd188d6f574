"""Graders for the tests of `jobs.grading`; a file of its own, so that a process that judges loads nothing else."""

import os
import signal
import time
from pathlib import Path

from store.records import Query, Score


def length(query: Query, text: str) -> Score:
    """The number of characters over a hundred, but some texts are orders."""
    order, _, operand = text.partition(" ")
    if order == "raise":
        raise ValueError("no\nsuch text")
    if order == "die":
        os.kill(os.getpid(), getattr(signal, operand))
    if order == "leave":
        os._exit(int(operand))
    if order == "die_once" and not Path(operand).exists():
        Path(operand).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "sleep":
        time.sleep(float(operand))
    return Score(len(text) / 100, text, f"{query.index}")


def process(query: Query, text: str) -> Score:
    """Which process judges, and whether it is deaf to what is not meant for it."""
    handlers = [signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP)]
    return Score(float(handlers == [signal.SIG_IGN] * 3), str(os.getpid()))


def meeting(query: Query, folder: str) -> Score:
    """Which process judges; comes back when three are there."""
    Path(folder, str(os.getpid())).touch()
    deadline = time.monotonic() + 60
    while len(os.listdir(folder)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    return Score(1.0, str(os.getpid()))


def program(query: Query, text: str) -> Score:
    """Whether a program prints 42."""
    from scoring.graders import sandbox

    return Score(float(sandbox.run(text).stdout == "42\n"))


def equal(query: Query, text: str) -> Score:
    """Whether a formula is the gold one."""
    from scoring.graders import symbolic

    return Score(float(bool(symbolic.is_verified(query.ground_truth, text))))


def where(query: Query, text: str) -> Score:
    """On which node of SLURM."""
    time.sleep(0.05)
    return length(query, text) if text else Score(1.0, os.environ["SLURMD_NODENAME"])
