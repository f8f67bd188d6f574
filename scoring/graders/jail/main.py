"""Fork a jail for each program that comes, in which it is judged.

A process of this kind is started once per scorer, has Python's common modules loaded, and holds nothing worth stealing:
programs and checks go past it, to the process that it forks. It ends when the scorer is gone, and every jail with it.

Each job comes over a connection of its own, in two parts with their length before them: first the program and the
limits, then the checks, which are read only after the process that will become the program has been forked off. Back
come lines: an empty one once the jail stands, the verdict, and last an error if there was one that is not the
program's doing, so that the verdict must not count.
"""

import ast  # noqa: F401  (modules that programs use most, loaded once for all their runs)
import bisect  # noqa: F401
import collections  # noqa: F401
import contextlib
import copy  # noqa: F401
import datetime  # noqa: F401
import decimal  # noqa: F401
import fractions  # noqa: F401
import functools  # noqa: F401
import gc
import hashlib  # noqa: F401
import heapq  # noqa: F401
import itertools  # noqa: F401
import json
import math  # noqa: F401
import operator  # noqa: F401
import os
import random  # noqa: F401
import re  # noqa: F401
import signal
import socket
import statistics  # noqa: F401
import string  # noqa: F401
import struct
import sys
import typing  # noqa: F401
from typing import Any, NoReturn

from scoring.graders.jail import walls
from scoring.graders.jail.judge import Judge
from scoring.graders.jail.nursery import nurse
from scoring.graders.jail.system import die_with_parent, hide_memory
from scoring.graders.jail.watch import Watch, bury

_SCHEDULER_SIGNALS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)  # meant for whoever scores, sent to all
_is_told_to_end = False


def main() -> None:
    """Take jobs from the socket that is standard input until the other end is closed."""
    for number in (*_SCHEDULER_SIGNALS, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    door = socket.socket(fileno=os.dup(0))
    while True:
        _, connections, _, _ = socket.recv_fds(door, 1, 1)
        if not connections:
            os._exit(0)
        (connection,) = connections
        try:
            pid = os.fork()
        except OSError as error:
            with contextlib.suppress(OSError):
                _answer(connection, error=_described(error))
        else:
            if pid == 0:
                door.close()
                _build(connection)
        os.close(connection)
        bury()


def _build(connection: int) -> NoReturn:
    """The rest of the life of a jail's outer process, which sees to its end."""
    try:
        die_with_parent()
        signal.signal(signal.SIGTERM, _note)
        for stream in range(2):
            os.dup2(connection, stream)
        os.close(connection)
        job = _read()
        signal.setitimer(signal.ITIMER_REAL, job["total_s"])  # and the kernel ends all of it
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # if the machine runs out of memory all the same, a jail goes and not the scorer
        outer_pid = os.getpid()
        is_alone = job["isolation"] == "filter"
        if not is_alone:
            walls.enter_namespaces()
        if inner_pid := os.fork():
            _see_to_the_end(inner_pid)
        else:
            _judge(job, outer_pid, is_alone)
    except BaseException as error:
        _answer(1, error=_described(error))
    finally:
        os._exit(0)


def _note(*_: object) -> None:
    global _is_told_to_end
    _is_told_to_end = True


def _see_to_the_end(inner_pid: int) -> None:
    """Wait for the judge, and say what it could not say any more."""
    code = os.waitstatus_to_exitcode(os.waitpid(inner_pid, 0)[1])
    if code == -signal.SIGKILL:
        _answer(1, status="memory", detail="the machine had no memory left for it")
    elif code < 0:  # for instance by a value that is nested deeper than Python bears
        _answer(1, status="failed", detail=f"ended its judge by {signal.Signals(-code).name}")
    if _is_told_to_end:  # as the program inside was, which may look as if it had failed
        _answer(1, error="it was told to end before there was a verdict")


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _answer(connection: int, **words: str) -> None:
    os.write(connection, json.dumps(words).encode() + b"\n")


def _judge(job: dict[str, Any], outer_pid: int, is_alone: bool) -> NoReturn:
    """The inner process: walls, nursery, checks."""
    limits = job["limits"]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if is_alone:
        os.chdir("/")
    else:
        walls.change_root(job["libraries"], limits["disk_bytes"], limits["n_files"])
        walls.become_nobody(outer_pid)
    walls.drop_capabilities()
    die_with_parent()
    hide_memory(True)
    sys.path[:] = job["paths"]  # all read-only: a program must not bring along what the checks import
    may_fork = not is_alone and os.path.exists("/proc/self")  # for then the watch sees every process
    orders, nursery_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        orders.close()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        own_limits = {
            "cpu_s": int(limits["cpu_s"] * job["n_steps"]) + 1,
            "memory_bytes": limits["memory_bytes"],
            "file_bytes": limits["disk_bytes"],
            "n_processes": None if is_alone or not walls.counts_per_jail() else limits["n_processes"],
        }
        nurse(nursery_end, job["program"], own_limits, is_alone, may_fork)
    nursery_end.close()
    walls.limit_memory(limits["memory_bytes"])  # a program's answer may ask for more than it says
    checks = _read()
    watched = {name: limits[name] for name in ("cpu_s", "wall_s", "memory_bytes", "n_processes")}
    watch = Watch(is_first=not is_alone, **watched)
    os.write(1, b"\n")
    judge = Judge(orders, sys.stdout.buffer, watch, limits["output_bytes"])
    watch.start(judge.stop)
    judge.examine(checks["checks"], checks["data"])


def _read() -> dict[str, Any]:
    """The next part of the job. Unbuffered, so that nothing of the part after it is in memory yet."""
    (length,) = struct.unpack(">Q", _exactly(8))
    return json.loads(_exactly(length))


def _exactly(n_bytes: int) -> bytes:
    parts = bytearray()
    while len(parts) < n_bytes:
        part = os.read(0, n_bytes - len(parts))
        if not part:
            raise EOFError("the job broke off")
        parts += part
    return bytes(parts)
