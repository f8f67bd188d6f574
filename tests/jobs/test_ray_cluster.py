"""How the ranks of a task of several nodes find each other, and that nothing of Ray outlives them.

Both ranks on two nodes of a real SLURM: `tests/end_to_end/test_ray.py`.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

import jobs.ray_cluster as module
from jobs.attempt import process_start
from jobs.ray_cluster import RayCluster, RayClusterError, join, ray_cluster
from jobs.stop import Stopped
from store.atomic import write_file
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def handlers():
    numbers = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)
    previous = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)


@pytest.fixture
def living(monkeypatch):
    """{process id: words} of this test's living processes other than itself, by a variable that they inherit."""
    mark = f"ROUTEYARD_TEST_MARK={uuid.uuid4().hex}"
    monkeypatch.setenv(*mark.split("="))

    def found():
        words = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if mark.encode() in (path / "environ").read_bytes() and process_start(int(path.name)):
                    words[int(path.name)] = (path / "cmdline").read_text().split("\0")
            except OSError:
                continue
        return words

    return found


def temporary_folders(processes):
    words = {word for words in processes.values() for word in words}
    return {word.partition("=")[2] for word in words if word.startswith("--temp-dir=")}


def test_a_rank_that_comes_when_all_is_over_starts_nothing(tmp_path):
    write_file(tmp_path / "done", b"")
    join(tmp_path, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["done"]


def test_a_rank_without_a_head_gives_up(tmp_path):
    with pytest.raises(RayClusterError, match=f"rank 3: no address of rank 0 after 0 s in {tmp_path}"):
        join(tmp_path, 3, 1, start_within_s=0.0)


def test_a_waiting_rank_outlives_the_warning_and_ends_on_term(tmp_path):
    def signals():
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            time.sleep(0.2)
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=signals)
    thread.start()
    with pytest.raises(Stopped, match="rank 2: stopped by SIGTERM"):
        join(tmp_path, 2, 1)
    thread.join()


def test_without_ray_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(RayClusterError, match=r"pip install 'routeyard\[inference\]'"), ray_cluster(tmp_path, 2, 1):
        pass


def test_a_dead_head_is_reported_at_once(tmp_path):
    head = subprocess.Popen(["true"])
    head.wait()
    with pytest.raises(RayClusterError, match=f"Ray's head ended on .*: {tmp_path}/ray-0.log"):
        RayCluster("127.0.0.1:1", head, tmp_path).wait_for([0], 60.0)


def test_a_group_deaf_to_term_is_killed_with_all_its_members(living):
    script = "trap '' TERM; sleep 100 & echo; wait; sleep 100"
    process = subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, process_group=0)
    process.stdout.readline()
    wait_until(lambda: len(living()) == 2, 20)  # a process that is about to become another program shows no variables
    module._end_group(process, term_s=0.3)
    process.stdout.close()
    assert living() == {}
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_node_that_does_not_come_is_named_and_the_head_ended(tmp_path, living):
    folders = []

    def note():
        wait_until(lambda: folders.extend(temporary_folders(living())) or folders, 20)

    thread = threading.Thread(target=note)
    thread.start()
    expected = rf"no Ray from rank \[1, 2\] at .* after \d+ s: {tmp_path}/ray-1.log"
    with pytest.raises(RayClusterError, match=expected), ray_cluster(tmp_path, 3, 1, start_within_s=12):
        pass
    thread.join()
    assert (tmp_path / "address").exists()
    assert (tmp_path / "done").exists()
    assert living() == {}
    assert folders
    assert not any(Path(folder).exists() for folder in folders)


@pytest.mark.slow
def test_a_rank_that_is_killed_takes_its_ray_along_and_the_others_end_too(tmp_path, living, monkeypatch):
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "10")  # a minute otherwise
    head = (
        "import sys, time; from pathlib import Path; from jobs.ray_cluster import ray_cluster\n"
        "with ray_cluster(Path(sys.argv[1]), 2, 1):\n    print('ready', flush=True); time.sleep(600)"
    )
    other = "import sys; from pathlib import Path; from jobs.ray_cluster import join; join(Path(sys.argv[1]), 1, 1)"
    ranks = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, text=True, **pipes)
        for script, pipes in ((head, {"stdout": subprocess.PIPE}), (other, {"stderr": subprocess.PIPE}))
    ]
    assert ranks[0].stdout.readline() == "ready\n"
    folders = temporary_folders(living())
    try:
        ranks[0].kill()
        ranks[0].communicate()
        message = ranks[1].communicate(timeout=150)[1]
        assert "rank 1: Ray ended on" in message
        assert ranks[1].returncode == 1
        wait_until(lambda: not living(), 30)
        assert len(list(filter(os.path.exists, folders))) == 1  # the one of the killed rank
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
