"""An engine process ends with the worker that started it, however early the worker ends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inference import lifetime
from tests.processes import is_running
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


def engine(pid_file: str, before: bool) -> None:
    """What an engine process does: it imports for a while, calls vLLM's plugins, and works."""
    worker = os.getppid()
    if not before:
        lifetime.die_with_parent()
    Path(pid_file).write_text(str(os.getpid()))
    if before:
        while os.getppid() == worker:
            time.sleep(0.01)
        lifetime.die_with_parent()
    time.sleep(60)


def worker(pid_file: str, before: str) -> None:
    os.environ.update(lifetime.for_children())
    multiprocessing.get_context("spawn").Process(target=engine, args=(pid_file, before == "before")).start()
    time.sleep(60)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_engine_ends_with_its_worker(moment: str, tmp_path: Path) -> None:
    """Whether the worker is killed before or after vLLM has called the plugin in the engine's process."""
    pid_file = tmp_path / "pid"
    program = [sys.executable, "-m", "tests.inference.test_lifetime", str(pid_file), moment]
    process = subprocess.Popen(program, cwd=ROOT)
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    pid = int(pid_file.read_text())
    process.kill()
    process.wait()
    try:
        wait_until(lambda: not is_running(pid))
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    worker(*sys.argv[1:])
