"""An engine process ends with the worker that started it, however early the worker ends."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inference import lifetime
from tests.processes import is_running, kill, parent
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


def engine(pid_file: str, moment: str) -> None:
    """What an engine process does: it imports for a while, calls vLLM's plugins, and works."""
    worker = os.getppid()
    if moment == "after":
        lifetime.die_with_parent()
    Path(pid_file).write_text(str(os.getpid()))
    if moment == "before":
        while os.getppid() == worker:
            time.sleep(0.01)
        lifetime.die_with_parent()
    time.sleep(600)


def worker(pid_file: str, method: str, moment: str) -> None:
    lifetime.end_children_with_us()
    multiprocessing.get_context(method).Process(target=engine, args=(pid_file, moment)).start()
    time.sleep(600)


@pytest.mark.parametrize(
    ("method", "moment"), [("spawn", "before"), ("spawn", "after"), ("fork", "no plugin is called")]
)
def test_an_engine_ends_with_its_worker(method: str, moment: str, tmp_path: Path) -> None:
    """Whether the worker is killed before or after vLLM has called the plugin in the engine's process."""
    pid_file = tmp_path / "pid"
    program = [sys.executable, "-m", "tests.inference.test_lifetime", str(pid_file), method, moment]
    process = subprocess.Popen(program, cwd=ROOT)
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    pid = int(pid_file.read_text())
    process.kill()
    process.wait()
    try:
        wait_until(lambda: not is_running(pid), within_s=20)
    finally:
        kill(pid)


def test_a_child_of_a_child_ends_with_it_and_not_with_its_parent(tmp_path: Path) -> None:
    """As the workers of an engine on several GPUs do."""
    pid_file = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", GENERATIONS, str(pid_file)], cwd=ROOT) as first:
        wait_until(lambda: pid_file.exists() and pid_file.read_text().count(" ") == 1)
        second, third = map(int, pid_file.read_text().split())
        assert (parent(third), parent(second)) == (second, first.pid)
        first.kill()
    try:
        wait_until(lambda: not is_running(second) and not is_running(third), within_s=20)
    finally:
        kill(second, third)


GENERATIONS = """
import os, sys, time
from pathlib import Path
from inference import lifetime
lifetime.end_children_with_us()
if os.fork() == 0 and os.fork() == 0:
    Path(sys.argv[1]).write_text(f"{os.getppid()} {os.getpid()}")
time.sleep(600)
"""


if __name__ == "__main__":
    worker(*sys.argv[1:])
