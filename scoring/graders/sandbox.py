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

import functools
import importlib.util
import json
import logging
import os
import signal
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from store.errors import RouteyardError

_START_S = 60.0  # for a jail to be built on a very busy machine
_PROJECT = str(Path(__file__).parents[2])
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
            outcome = _execute("print(6 * 7)", None, "", DEFAULT, 1, isolation)
        except SandboxError as error:
            reasons.append(f"{isolation}: {error}")
            continue
        if outcome.stdout == "42\n":
            if reasons:
                _log.warning("programs can read this user's files, for there are no namespaces here (%s)", reasons[0])
            return isolation
        reasons.append(f"{isolation}: a first program ended with {outcome}")
    raise SandboxError(
        f"no program can be run safely on this machine ({'; '.join(reasons)}). "
        "Score where user namespaces are allowed (sysctl user.max_user_namespaces), or on Linux x86_64."
    )


def _execute(program: str, checks: str | None, data: Any, limits: Limits, n_steps: int, isolation: str) -> Outcome:
    libraries, paths = _library()
    first = {
        "program": program,
        "limits": asdict(limits),
        "n_steps": n_steps,
        "isolation": isolation,
        "libraries": libraries,
        "paths": paths,
    }
    job = b"".join(_framed(part) for part in (first, {"checks": checks, "data": data}))
    # No isolated mode, since that would order sets by chance; the environment holds nothing but what is here.
    command = [sys.executable, "-P", "-s", "-S", "-X", "utf8", "-c", _COMMAND, _PROJECT]
    environment = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd="/", start_new_session=True
    )
    try:
        output, errors = process.communicate(job, timeout=limits.wall_s * n_steps + _START_S)
    except subprocess.TimeoutExpired:
        return Outcome("timeout", "the checks did not come to an end")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    if process.returncode == 256 - signal.SIGKILL:
        return Outcome("memory", "the machine had no memory left for it")
    if process.returncode or not output:
        reason = errors.decode(errors="replace").strip().rpartition("\n")[2] or f"exit status {process.returncode}"
        raise SandboxError(reason)
    return Outcome(**json.loads(output))


def _framed(part: Any) -> bytes:
    content = json.dumps(part).encode()
    return struct.pack(">Q", len(content)) + content


@functools.cache
def _library() -> tuple[list[str], list[str]]:
    """Files and folders with Python's library and NumPy, and where a program finds them."""
    paths = [os.path.dirname(os.__file__), sysconfig.get_config_var("DESTSHARED")]
    libraries = [*paths, os.path.join(sys.base_prefix, "lib")]
    numpy = importlib.util.find_spec("numpy")
    if numpy and numpy.submodule_search_locations:
        folder = Path(numpy.submodule_search_locations[0])
        libraries += [str(folder), str(folder.with_name("numpy.libs"))]
        paths.append(str(folder.parent))
    libraries += filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    return libraries, paths
