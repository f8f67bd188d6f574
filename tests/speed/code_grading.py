"""How many programs a core judges in a second, and how much of that is not the programs' own computing.

    python tests/speed/code_grading.py                          # at most 60 programs of a kind, on at most 2 cores
    python tests/speed/code_grading.py --programs 974 --workers 16

The official solutions of HumanEval and MBPP where their files are in --data, and small programs of our own. Prints
programs a second on the clock, and per core of computing time, which is what a busy machine does not change. `own` is
the computing time of the same program and the same checks executed in a process that is there already; `around it` is
what the jail, the judge's process and the way between them add, as a share of the whole.
"""

import argparse
import os
import random
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scoring.benchmark import find
from scoring.graders import sandbox
from scoring.graders.code import with_imports
from store.records import Query

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in the jail
DATA = Path(__file__).parents[3] / "shared" / "datasets"
ADD = "def add(a, b):\n    return a + b\n"
CALLS = "for n in range(20):\n    assert add(n, 1) == n + 1\n"
SCRIPT = "for _ in range(int(input())):\n    print(sum(map(int, input().split())))\n"
RUNS = "for n in range(20):\n    assert program.run(f'1\\n{n} 1\\n').stdout == f'{n + 1}\\n'\n"


@dataclass(frozen=True)
class Task:
    """How a program is judged, and what it does by itself; None where that is next to nothing."""

    judge: Callable[[], bool]
    own: str | None = None


def official(name: str, data_dir: Path, n_programs: int) -> list[Task]:
    """The official solutions of a benchmark, or a seeded sample of them."""
    benchmark = find(name)
    queries = benchmark.load(data_dir)
    queries = random.Random(42).sample(queries, min(n_programs, len(queries)))
    return [_task(benchmark, query, *_WRITTEN[name](query)) for query in queries]


def _task(benchmark: Any, query: Query, program: str, checks: str) -> Task:
    answer = f"```python\n{program}\n```"
    return Task(lambda: benchmark.score(query, answer).value == 1, f"{with_imports(program)}\n{checks}")


_WRITTEN: dict[str, Callable[[Query], tuple[str, str]]] = {
    "humaneval": lambda query: (
        query.text + query.ground_truth, f"{query.metadata['test']}\ncheck({query.metadata['entry_point']})"
    ),
    "mbpp": lambda query: (query.ground_truth, "\n".join([query.metadata["setup"], *query.metadata["tests"]])),
}  # fmt: skip


def ours(n_programs: int) -> dict[str, list[Task]]:
    """The same small programs again and again."""
    checks = f"add = program.load('add')\n{CALLS}"
    numpy = with_imports(f"{ADD}x = np.zeros(3)\n")
    kinds = {
        "function, 20 calls": Task(lambda: sandbox.check(with_imports(ADD), checks).is_passed, f"{ADD}{CALLS}"),
        "function with NumPy": Task(lambda: sandbox.check(numpy, checks).is_passed, f"{numpy}{CALLS}"),
        "script, one run": Task(lambda: sandbox.run(SCRIPT, "1\n1 2\n").is_passed),
        "script, 20 runs": Task(lambda: sandbox.check(SCRIPT, RUNS, n_steps=20).is_passed),
    }
    return {name: [task] * n_programs for name, task in kinds.items()}


def own_cpu_s(tasks: list[Task]) -> float:
    """Computing time of the programs and their checks in a process of their own each, without its start."""
    total = 0.0
    for task in tasks:
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            start = time.process_time()
            exec(compile(task.own or "", "own", "exec"), {"__name__": "own"})
            os.write(writer, str(time.process_time() - start).encode())
            os._exit(0)
        os.close(writer)
        total += float(os.read(reader, 64))
        os.close(reader)
        os.wait()
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=60, help="of each kind")
    parser.add_argument("--workers", type=int, default=min(2, len(os.sched_getaffinity(0))), help="at a time")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the question files")
    options = parser.parse_args()
    kinds = ours(options.programs)
    for name in _WRITTEN:
        if (options.data / name).is_dir():
            kinds[f"{name}, official"] = official(name, options.data, options.programs)
    sandbox.run("pass")  # finds out what walls there are
    print(f"{'kind':<22}{'programs':>9}{'per s':>8}{'per s and core':>16}{'CPU ms':>9}{'own ms':>9}{'around it':>11}")
    for name, tasks in kinds.items():
        start, start_cpu = time.perf_counter(), _cpu_s()
        passed = sandbox.in_parallel(lambda task: task.judge(), tasks, options.workers)
        wall_s, cpu_s = time.perf_counter() - start, _cpu_s() - start_cpu
        assert all(passed), f"{name}: {len(passed) - sum(passed)} do not pass"
        n, own_s = len(tasks), own_cpu_s(tasks)
        figures = f"{n:>9}{n / wall_s:>8.1f}{n / cpu_s:>16.1f}{1e3 * cpu_s / n:>9.1f}"
        around = "" if tasks[0].own is None else f"{1e3 * own_s / n:>9.1f}{1 - own_s / cpu_s:>11.0%}"
        print(f"{name:<22}{figures}{around}", flush=True)


def _cpu_s() -> float:
    """Computing time of this process and all that it has started; ends the one that makes jails, to count it in."""
    sandbox._close()
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


if __name__ == "__main__":
    main()
