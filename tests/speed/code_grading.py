"""How many programs a core judges in a second.

    python tests/speed/code_grading.py                          # 60 programs on each of at most 2 cores
    python tests/speed/code_grading.py --programs 500 --workers 16

Prints programs a second on the clock, and per core of computing time, which is what a busy machine does not change.
"""

import argparse
import os
import resource
import time

from scoring.graders import sandbox
from scoring.graders.code import with_imports

PROGRAM = "def add(a, b):\n    return a + b\n"
CHECKS = "add = program.load('add')\nfor n in range(20):\n    assert add(n, 1) == n + 1\n"
SCRIPT = "for _ in range(int(input())):\n    print(sum(map(int, input().split())))\n"
RUNS = "for n in range(20):\n    assert program.run(f'1\\n{n} 1\\n').stdout == f'{n + 1}\\n'\n"
KINDS = {
    "function, 20 calls": lambda _: sandbox.check(with_imports(PROGRAM), CHECKS),
    "function with NumPy": lambda _: sandbox.check(with_imports(PROGRAM + "x = np.zeros(3)\n"), CHECKS),
    "script, one run": lambda _: sandbox.run(SCRIPT, "1\n1 2\n"),
    "script, 20 runs": lambda _: sandbox.check(SCRIPT, RUNS, n_steps=20),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=60, help="programs per worker and kind")
    parser.add_argument("--workers", type=int, default=min(2, len(os.sched_getaffinity(0))), help="at a time")
    arguments = parser.parse_args()
    sandbox.run("pass")  # finds out what walls there are
    n_programs = arguments.programs * arguments.workers
    print(f"{'kind':<22}{'programs/s':>12}{'CPU ms each':>13}{'programs/s/core':>17}")
    for kind, judge in KINDS.items():
        start, start_cpu = time.perf_counter(), _cpu_s()
        outcomes = sandbox.in_parallel(judge, range(n_programs), arguments.workers)
        wall_s, cpu_s = time.perf_counter() - start, _cpu_s() - start_cpu
        assert all(outcome.is_passed for outcome in outcomes), outcomes[0]
        print(f"{kind:<22}{n_programs / wall_s:>12.1f}{1e3 * cpu_s / n_programs:>13.1f}{n_programs / cpu_s:>17.1f}")


def _cpu_s() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


if __name__ == "__main__":
    main()
