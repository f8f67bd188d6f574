"""Ends a store operation with SIGKILL at every call that touches the disk, or at random moments.

    python kill_points.py <operation> <folder> every <step>
    python kill_points.py <operation> <folder> random <n_kills> <seed>

Each run is a fork of one process that has imported the store already, so that a kill costs milliseconds. Prints a JSON
line per run, see `Killed`. The first run of "every" is left alone, to know its calls.
"""

import dataclasses
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, takewhile
from pathlib import Path
from typing import Any, TextIO

from store_samples import BENCHMARK, DIGEST, MODEL, answer

import store.responses
import store.seal
from store.layout import Layout
from store.responses import ResponseWriter

ROOT = Path(__file__).parents[2]
DISK_CALLS = ("open", "write", "fsync", "replace", "rename", "link", "unlink", "mkdir")
N_ROWS, ROWS_PER_COMMIT = 12, 4

Acknowledge = Callable[[int], None]
Operation = Callable[[Path, Acknowledge], None]


@dataclasses.dataclass(frozen=True)
class Killed:
    """One run: the root of its store, where it was killed, and how many rows had been acknowledged."""

    root: str
    place: str
    n_acknowledged: int
    is_killed: bool


def killed_everywhere(operation: str, folder: Path, step: int = 1) -> list[Killed]:
    """The runs of one operation killed before, in and after each disk call, or at every step-th of these moments."""
    return _start(operation, str(folder), "every", str(step))


def killed_at_random(operation: str, folder: Path, n_kills: int, seed: int) -> list[Killed]:
    """The runs of one operation killed at random moments of its first 0.2 s."""
    return _start(operation, str(folder), "random", str(n_kills), str(seed))


def _start(*arguments: str) -> list[Killed]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    return [Killed(**json.loads(line)) for line in result.stdout.splitlines()]


def write(root: Path, acknowledge: Acknowledge, n_rows: float = N_ROWS) -> None:
    """Commit the rows 0, 1, … in batches."""
    writer = ResponseWriter(Layout(root), BENCHMARK, MODEL, "job1", {"digest": DIGEST})
    for index in takewhile(lambda index: index < n_rows, count()):
        writer.append(answer(index))
        if writer.n_pending == ROWS_PER_COMMIT:
            writer.commit()
            acknowledge(index + 1)


def write_parts(root: Path, acknowledge: Acknowledge) -> None:
    """The same with a new part after each commit."""
    store.responses._ROLL_OVER_BYTES = 0
    write(root, acknowledge)


def write_on(root: Path, acknowledge: Acknowledge) -> None:
    """The same without an end, and with a new part after some commits."""
    store.responses._ROLL_OVER_BYTES = 15_000
    write(root, acknowledge, math.inf)


def seal(root: Path, acknowledge: Acknowledge) -> None:
    """Seal the pair that stands in the folder."""
    store.seal.seal(Layout(root), BENCHMARK, MODEL, f"sealer{os.getpid()}")
    acknowledge(0)


def _every(operation: Operation, folder: Path, step: int) -> Iterator[Killed]:
    root = _fresh(folder, "undisturbed")
    yield _fork(operation, root, "nowhere", prepare=lambda: _log_calls(folder / "calls"))
    moments = [
        (number, name, moment)
        for number, name in enumerate((folder / "calls").read_text().split())
        for moment in (("before", "half", "after") if name == "write" else ("before", "after"))
    ]
    for number, name, moment in moments[::step]:
        place = f"{moment} call {number}, {name}"
        yield _fork(operation, _fresh(folder, f"{number}-{moment}"), place, prepare=partial(_arm, number, moment))


def _random(operation: Operation, folder: Path, n_kills: int, seed: int) -> Iterator[Killed]:
    rng = random.Random(seed)
    for number in range(n_kills):
        delay_s = rng.uniform(0, 0.2)
        yield _fork(operation, _fresh(folder, str(number)), f"after {delay_s:.4f} s", delay_s=delay_s)


def _fresh(folder: Path, name: str) -> Path:
    """A store of its own, with what `folder/template` holds."""
    root = folder / name
    if (folder / "template").exists():
        shutil.copytree(folder / "template", root)
    return root


def _fork(
    operation: Operation,
    root: Path,
    place: str,
    *,
    prepare: Callable[[], None] = lambda: None,
    delay_s: float | None = None,
) -> Killed:
    """Run the operation in a fork; with a delay, kill it after that."""
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        acknowledgements = os.fdopen(theirs, "w", buffering=1)  # by line, and not through the patched calls
        prepare()
        operation(root, lambda n_rows: print(n_rows, file=acknowledgements))
        os._exit(0)
    os.close(theirs)
    if delay_s is not None:
        time.sleep(delay_s)
        os.kill(process, signal.SIGKILL)
    with os.fdopen(ours) as pipe:
        lines = pipe.read().split()
    _, status = os.waitpid(process, 0)
    is_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert is_killed or os.waitstatus_to_exitcode(status) == 0, f"{place}: the operation itself failed"
    return Killed(str(root), place, int(lines[-1]) if lines else 0, is_killed)


def _log_calls(path: Path) -> None:
    """Write the name of each disk call to a file."""
    file = path.open("w", buffering=1)
    for name in DISK_CALLS:
        setattr(os, name, _logged(name, getattr(os, name), file))


def _logged(name: str, call: Callable, file: TextIO) -> Callable:
    def wrapper(*arguments: Any, **options: Any) -> Any:
        file.write(f"{name}\n")
        return call(*arguments, **options)

    return wrapper


def _arm(number: int, moment: str) -> None:
    """Make the process end at its number-th disk call: before it, after it, or after half of what it was to write."""
    numbers = count()
    for name in DISK_CALLS:
        setattr(os, name, _deadly(getattr(os, name), numbers, number, moment))


def _deadly(call: Callable, numbers: Iterator[int], number: int, moment: str) -> Callable:
    def wrapper(*arguments: Any, **options: Any) -> Any:
        if next(numbers) != number:
            return call(*arguments, **options)
        try:
            if moment == "half":
                call(arguments[0], arguments[1][: len(arguments[1]) // 2])
            return call(*arguments, **options) if moment == "after" else None
        finally:
            os.kill(os.getpid(), signal.SIGKILL)

    return wrapper


if __name__ == "__main__":
    run_operation, base, mode, *numbers_given = sys.argv[1:]
    runs = _every if mode == "every" else _random
    for run in runs(globals()[run_operation], Path(base), *map(int, numbers_given)):
        print(json.dumps(dataclasses.asdict(run)), flush=True)
