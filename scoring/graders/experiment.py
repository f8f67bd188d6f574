"""Run a scientific program of SGI-Bench on data that another program makes, both in one folder of the sandbox."""

import functools
import json
from collections.abc import Sequence

from scoring.graders import sandbox

# What the sandbox runs: the data program in a process of its own, whose output is not that of the test; then the other.
_RUN = """
import os, runpy, sys
programs = {programs!r}
os.mkdir("data")
sys.path.insert(0, os.getcwd())
for name, text in programs.items():
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
child = os.fork()
if not child:
    output = os.open("/tmp/output_of_data_en", os.O_CREAT | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv[:] = ["data_en.py"]
    runpy.run_path("data_en.py", run_name="__main__")
    sys.exit()
if os.waitpid(child, 0)[1]:
    with open("/tmp/output_of_data_en", errors="replace") as file:
        print("data_en.py:", file.read().strip().rpartition("\\n")[2], file=sys.stderr)
    sys.exit(1)
sys.argv[:] = ["main_en.py"]
runpy.run_path("main_en.py", run_name="__main__")
"""
_PROBE = """
import importlib.util, json
print(json.dumps([name for name in {names!r} if importlib.util.find_spec(name) is None]))
"""


def run_all(program: str, data_programs: Sequence[str], timeout_s: float) -> list[sandbox.Outcome]:
    """Run the program on what each of the data programs makes, one after another up to the first that fails."""
    outcomes: list[sandbox.Outcome] = []
    for data_program in data_programs:
        outcomes.append(run_both(data_program, program, timeout_s))
        if not outcomes[-1].is_passed:
            break
    return outcomes


def run_both(data_program: str, program: str, timeout_s: float) -> sandbox.Outcome:
    """Run data_en.py and then main_en.py, in a folder with an empty folder "data"; the output is that of the latter.

    Args:
        data_program, program: Python source of the two.
        timeout_s: computing time.
    """
    limits = sandbox.Limits(cpu_s=timeout_s, wall_s=4 * timeout_s, output_bytes=1 << 20, disk_bytes=1 << 29)
    programs = {"data_en.py": data_program, "main_en.py": program}
    return sandbox.run(_RUN.format(programs=programs), limits=limits)


@functools.cache
def lacking(modules: frozenset[str]) -> list[str]:
    """Those of the modules that the sandbox does not have, sorted."""
    return json.loads(sandbox.run(_PROBE.format(names=sorted(modules))).stdout) if modules else []
