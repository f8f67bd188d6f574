"""Build a jail around the calling process, let one program be judged in it, and end.

The job comes in two parts over standard input, each with its length before it: first the program and the limits, then
the checks, which are read only after the process that will become the program has been forked off. The verdict goes to
standard output. Exit status 0 means that there is one; anything else means that the jail could not be built, and
standard error says why.
"""

import ast  # noqa: F401  (modules that programs use most, loaded once for all their runs)
import bisect  # noqa: F401
import collections  # noqa: F401
import copy  # noqa: F401
import datetime  # noqa: F401
import decimal  # noqa: F401
import fractions  # noqa: F401
import functools  # noqa: F401
import hashlib  # noqa: F401
import heapq  # noqa: F401
import itertools  # noqa: F401
import json
import math  # noqa: F401
import os
import random  # noqa: F401
import re  # noqa: F401
import signal
import socket
import string  # noqa: F401
import struct
import sys
import typing  # noqa: F401
from typing import Any

from scoring.graders.jail import walls
from scoring.graders.jail.judge import Judge
from scoring.graders.jail.nursery import nurse
from scoring.graders.jail.system import die_with_parent, hide_memory
from scoring.graders.jail.watch import Watch

_SCHEDULER_SIGNALS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)  # meant for whoever scores, sent to all


def main() -> None:
    """The whole life of the outer process."""
    die_with_parent()
    for number in _SCHEDULER_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if the machine runs out of memory all the same, a jail goes and not the scorer
    job = _read()
    outer_pid = os.getpid()
    is_alone = job["isolation"] == "filter"
    if not is_alone:
        walls.enter_namespaces()
    inner_pid = os.fork()
    if inner_pid == 0:
        status = 1
        try:
            _judge(job, outer_pid, is_alone)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(inner_pid, 0)[1]) & 0xFF)


def _judge(job: dict[str, Any], outer_pid: int, is_alone: bool) -> None:
    """The inner process: walls, nursery, checks."""
    limits = job["limits"]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if is_alone:
        os.chdir("/")
    else:
        walls.change_root(job["libraries"], limits["disk_bytes"], limits["n_files"])
        walls.become_nobody(outer_pid)
    walls.drop_capabilities()
    die_with_parent()
    hide_memory(True)
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
            "is_only_wall": is_alone,
        }
        nurse(nursery_end, job["program"], job["paths"], own_limits)
    nursery_end.close()
    checks = _read()
    watched = {name: limits[name] for name in ("cpu_s", "wall_s", "memory_bytes", "n_processes")}
    watch = Watch(is_first=not is_alone, **watched)
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
