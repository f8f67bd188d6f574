"""Run programs that models wrote, and judge them, so that neither this machine nor a verdict can be harmed.

Each program gets a jail of its own (`scoring.graders.jail`): namespaces for processes, mounts, network and IPC, where
it is nobody without any right; a small file system in memory that holds Python's library and NumPy, read-only; a
filter for system calls; limits on time, memory, processes, files and output. When the verdict is there, everything
inside dies with the first process, daemons too, and no file was ever on a disk.

The program's process never judges itself: checks run in another process, which calls what the program defines and gets
plain values back (`jail.remote`). It cannot end the checks early, print a verdict, replace what compares, or find the
expected answers in its memory.

Known limits: where the kernel does not let this user make namespaces, the filter is the only wall. It then takes
from the program every way to write, to signal, to start a process and to reach a network; but the program can read
what this user can read, and a line in the log says so. Memory is bounded per process by the kernel and in sum
by a look every 20 ms. Only Linux; the filter only on x86_64.
"""

import atexit
import contextlib
import functools
import importlib.util
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from store.errors import RouteyardError

_START_S = 60.0  # for a jail to be built on a very busy machine
_PROJECT = str(Path(__file__).parents[2])
_PRIVATE = ("/tmp", os.path.expanduser("~"))  # whose whole content is never shown to a program
_INHERITED = ("LD_LIBRARY_PATH", "PYTHONHOME")  # without which some installations do not start
_COMMAND = "import sys; sys.path.insert(0, sys.argv[1]); from scoring.graders.jail.main import main; main()"
_log = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")


class SandboxError(RouteyardError):
    """No jail can be built on this machine: a property of the installation, never of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may use.

    Attributes:
        cpu_s: computing time for a step, all processes together.
        wall_s: time on the clock for a step; longer, so that a busy machine changes no verdict.
        memory_bytes: of all processes together.
        output_bytes: both streams together, or one value.
        disk_bytes, n_files: written files, in memory.
        n_processes: at any moment.
    """

    cpu_s: float = 10.0
    wall_s: float = 40.0
    memory_bytes: int = 4 << 30
    output_bytes: int = 16 << 20
    disk_bytes: int = 64 << 20
    n_files: int = 4096
    n_processes: int = 32


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    Attributes:
        status: "passed", "failed", or the limit that ended it: "timeout", "memory", "output", "processes".
        detail: why, in at most 300 characters.
        exit_code, stdout, stderr: of `run` alone, where no limit ended it. A negative exit code is a signal.
    """

    status: str
    detail: str = ""
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""

    @property
    def is_passed(self) -> bool:
        return self.status == "passed"


DEFAULT = Limits()


def run(program: str, stdin: str = "", limits: Limits = DEFAULT) -> Outcome:
    """Run a program as a script; it has passed if it ends with exit status 0."""
    return _execute(program, None, stdin, limits, 1, _isolation())


def check(program: str, checks: str, data: Any = None, limits: Limits = DEFAULT, n_steps: int = 1) -> Outcome:
    """Judge a program by checks that run in another process; it has passed if they come to their end.

    Args:
        program: Python source, not trusted.
        checks: Python source, trusted. Sees `program.load(name)`: what the program defines under that name;
            `program.run(stdin)`: it as a script, giving exit_code, stdout, stderr; `program.step()`: the limits of
            time begin anew; and `data`.
        data: any JSON value.
        n_steps: how many runs or steps the checks make at most.

    Raises:
        SandboxError: no jail can be built here.
    """
    return _execute(program, checks, data, limits, n_steps, _isolation())


def explain(outcome: Outcome) -> str:
    """An outcome in a few words, for a score's explanation."""
    return f"{outcome.status}: {outcome.detail}" if outcome.detail else outcome.status


def in_parallel(judge: Callable[[Task], Result], tasks: Iterable[Task], n_workers: int | None = None) -> list[Result]:
    """What `judge` gives for each task, in order. Threads are enough: the work is done in processes of their own.

    Args:
        n_workers: programs at a time; by default the cores this process may use.
    """
    with ThreadPoolExecutor(n_workers or len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(judge, tasks))


@functools.cache
def _isolation() -> str:
    """The strongest walls that can be built here: "namespaces", or only the "filter"."""
    reasons = []
    for isolation in ("namespaces", "filter"):
        try:
            outcome = _execute("import numpy\nprint(6 * 7)", None, "", DEFAULT, 1, isolation)
        except SandboxError as error:
            reasons.append(f"{isolation}: {error}")
            continue
        if outcome.stdout == "42\n":
            if reasons:
                _log.warning("programs can read this user's files, for they run without namespaces (%s)", reasons[0])
            return isolation
        reasons.append(f"{isolation}: a first program ended with {outcome}")
    raise SandboxError(
        f"no program can be run safely on this machine ({'; '.join(reasons)}). "
        "Score where user namespaces are allowed (sysctl user.max_user_namespaces), or on Linux x86_64."
    )


def _execute(program: str, checks: str | None, data: Any, limits: Limits, n_steps: int, isolation: str) -> Outcome:
    libraries, paths = _library()
    total_s = limits.wall_s * n_steps + _START_S
    first = {
        "program": program,
        "limits": asdict(limits),
        "n_steps": n_steps,
        "total_s": total_s,
        "isolation": isolation,
        "libraries": libraries,
        "paths": paths,
    }
    begin = time.monotonic()
    lines = _exchange(b"".join(_framed(part) for part in (first, {"checks": checks, "data": data}))).split(b"\n")
    if not any(lines):
        if len(lines) > 1 and time.monotonic() - begin > total_s - 1:
            return Outcome("timeout", "the checks did not come to an end")
        raise SandboxError(f"a jail ended without a word after {time.monotonic() - begin:.0f} s")
    last = json.loads([line for line in lines if line][-1])
    if "error" in last:
        raise SandboxError(last["error"])
    return Outcome(**last)


def _framed(part: Any) -> bytes:
    content = json.dumps(part).encode()
    return struct.pack(">Q", len(content)) + content


def _exchange(job: bytes) -> bytes:
    """What a new jail has to say to a job, until everything inside is gone."""
    answer = bytearray()
    with _connect() as connection, contextlib.suppress(ConnectionError):  # it may end before it has read everything
        try:
            connection.sendall(job)
        finally:
            while part := connection.recv(1 << 20):
                answer += part
    return bytes(answer)


_door: tuple[socket.socket, subprocess.Popen] | None = None  # of the process that forks jails
_lock = threading.Lock()


def _connect() -> socket.socket:
    """A connection to a new jail."""
    global _door
    mine, theirs = socket.socketpair()
    with theirs, _lock:
        for _ in range(2):
            _door = _door or _open()
            try:
                socket.send_fds(_door[0], [b"."], [theirs.fileno()])
                return mine
            except OSError:  # it has died of a signal that was meant for its parent: then a second one is asked
                _close()
    raise SandboxError("the process that builds jails ends at once; it says why on standard error")


def _open() -> tuple[socket.socket, subprocess.Popen]:
    # No isolated mode, since that would order sets by chance; the environment holds nothing but what is here.
    command = [sys.executable, "-P", "-s", "-S", "-X", "utf8", "-c", _COMMAND, _PROJECT]
    environment = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    environment |= {name: os.environ[name] for name in _INHERITED if name in os.environ}
    mine, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment, cwd="/", start_new_session=True
        )
    return mine, process


def _close() -> None:
    """Let the process that forks jails end."""
    global _door
    if _door:
        _door[0].close()
        _door[1].wait()
    _door = None


def _forget() -> None:
    """A forked child must not keep its parent's jails alive."""
    global _door, _lock
    if _door:
        _door[0].close()
        _door[1].returncode = 0  # not ours to wait for
    _door, _lock = None, threading.Lock()


atexit.register(_close)
os.register_at_fork(after_in_child=_forget)


@functools.cache
def _library() -> tuple[list[str], list[str]]:
    """Files and folders with Python's library and NumPy, and where a program finds them."""
    paths = [os.path.dirname(os.__file__), sysconfig.get_config_var("DESTSHARED")]
    files, libraries = [os.__file__], [*paths, os.path.join(sys.base_prefix, "lib")]
    numpy = importlib.util.find_spec("numpy")
    if numpy and numpy.origin:
        files.append(numpy.origin)
        paths.append(str(Path(numpy.origin).parents[1]))
    for file in files:
        for place in (file, os.path.realpath(file)):  # some installations are made of links
            libraries += [os.path.dirname(place), f"{os.path.dirname(place)}.libs"]
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        if os.path.isabs(folder) and not any(Path(private).is_relative_to(folder) for private in _PRIVATE):
            libraries.append(folder)
    return libraries, paths
