"""The emulated cluster does what the suite needs of a real one, and leaves nothing behind."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import submitit

from tests import waiting
from tests.processes import is_running

from . import cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start SLURM's daemons"),
    pytest.mark.skipif(
        not all(shutil.which(program, path=cluster.PATH) for program in cluster.PROGRAMS),
        reason="SLURM, munge or MariaDB is not installed; `python tests/slurm/cluster.py up` installs them",
    ),
]


# Not now: a node refuses what starts in the second in which it was told to forget the job's earlier attempt.
SOON = "StartTime=now+2"
_ACCOUNT = "JobID,State%20,ExitCode,Submit,Start,End,NodeList"


@pytest.fixture(scope="module")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("slurm")
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in cluster.up(directory).items():
                patch.setenv(name, value)
            yield directory
    finally:
        cluster.down(directory)
    assert not directory.exists()


def command(*words: str | Path) -> str:
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout


def submit(script: str, *options: str | Path) -> str:
    return command("sbatch", "--parsable", *options, "--wrap", script).strip()


def states(job: str) -> list[str]:
    """The last state of each task of a job, by the accounting, without the steps."""
    return [line.split()[0] for line in command("sacct", "-j", job, "-X", "--noheader", "-o", "State%20").splitlines()]


def wait_until(condition: Callable[[], bool]) -> None:
    waiting.wait_until(
        condition, 60, lambda: command("squeue", "--all") + command("sacct", "--duplicates", "-o", _ACCOUNT)
    )


def test_four_nodes_have_eight_gpus_each(running_cluster: Path) -> None:
    nodes = command("sinfo", "--noheader", "--Node", "-o", "%N %T %G %R").splitlines()
    assert nodes == [f"a{i} idle gpu:a800:8 a800" for i in range(1, 5)]


def test_array_keeps_its_throttle_and_gets_its_gpus(running_cluster: Path, tmp_path: Path) -> None:
    script = "date +%s.%N; srun sleep 2; echo $CUDA_VISIBLE_DEVICES; date +%s.%N"
    job = submit(script, "--array=0-2%2", "--gres=gpu:3", "-o", tmp_path / "%a")
    wait_until(lambda: states(job) == ["COMPLETED"] * 3)
    starts, gpus, ends = zip(*((tmp_path / str(task)).read_text().split() for task in range(3)), strict=True)
    assert all(len(set(text.split(","))) == 3 for text in gpus)
    running = [sum(start <= moment < end for start, end in zip(starts, ends, strict=True)) for moment in starts]
    assert max(running) == 2


def test_submitit_array_returns_results(running_cluster: Path, tmp_path: Path) -> None:
    executor = submitit.AutoExecutor(folder=tmp_path, cluster="slurm")
    executor.update_parameters(timeout_min=20, slurm_partition="a800", gpus_per_node=1, slurm_array_parallelism=3)
    assert [job.result() for job in executor.map_array(pow, [2, 3, 4], [3, 3, 3])] == [8, 27, 64]


def test_cancelled_job_is_accounted_as_cancelled(running_cluster: Path) -> None:
    job = submit("sleep 100", "-o", "/dev/null")
    wait_until(lambda: states(job) == ["RUNNING"])
    command("scancel", job)
    wait_until(lambda: states(job) == ["CANCELLED"])


def test_requeued_job_runs_again_without_the_wait(running_cluster: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "echo restart ${SLURM_RESTART_COUNT:-0}; [ $SLURM_RESTART_COUNT ] || srun sleep 100"
    job = submit(script, "--array=7", "--open-mode=append", "-o", log)
    wait_until(lambda: log.exists() and "restart 0" in log.read_text())
    command("scontrol", "requeue", f"{job}_7")
    wait_until(lambda: states(job) == ["PENDING"])
    began = time.time()
    command("scontrol", "update", f"JobId={job}_7", SOON)
    wait_until(lambda: states(job) == ["COMPLETED"])
    started = command("sacct", "-j", job, "-X", "--noheader", "-P", "-o", "Start").split()[-1]
    assert datetime.fromisoformat(started).timestamp() - began < cluster.REQUEUE_WAIT_S - 2
    assert [line for line in log.read_text().splitlines() if line.startswith("restart")] == ["restart 0", "restart 1"]
    assert "REQUEUED" in command("sacct", "-j", job, "-X", "--duplicates", "--noheader", "-o", "State")


def test_warning_signal_reaches_the_step(running_cluster: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = """srun bash -c 'trap "echo warned; exit" USR2; for i in {1..50}; do sleep 1; done'"""
    job = submit(script, "--time=1", "--signal=USR2@50", "-o", log)
    wait_until(lambda: states(job) not in ([], ["PENDING"], ["RUNNING"]))
    assert "warned" in log.read_text()


def test_job_of_a_lost_node_runs_elsewhere_and_the_node_returns(running_cluster: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    job = submit("echo on $SLURMD_NODENAME; sleep 100", "--open-mode=append", "-o", log)
    wait_until(lambda: log.exists() and "on a1" in log.read_text())
    command("scontrol", "update", "NodeName=a1", "State=DOWN", "Reason=test")
    wait_until(lambda: states(job) == ["PENDING"])
    command("scontrol", "update", f"JobId={job}", SOON)
    wait_until(lambda: "on a2" in log.read_text())
    command("scontrol", "update", "NodeName=a1", "State=RESUME")
    wait_until(lambda: command("sinfo", "--noheader", "-n", "a1", "-o", "%T").strip() == "idle")
    command("scancel", job)


def test_second_cluster_beside_the_first_leaves_no_process_and_no_file(running_cluster: Path, tmp_path: Path) -> None:
    directory = tmp_path / "second"
    environment = os.environ | cluster.up(directory, n_nodes=1)
    recorded = (directory / "pids.json").read_text()
    cluster.up(directory, n_nodes=1)
    assert (directory / "pids.json").read_text() == recorded  # the second `up` found it running
    pids = tmp_path / "pids"
    script = f"trap '' TERM; (setsid sleep 600 & echo $! >>{pids}); echo $$ >>{pids}; srun sleep 600"
    subprocess.run(["sbatch", "-o", "/dev/null", "--wrap", script], env=environment, check=True, capture_output=True)
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)

    cluster.down(directory)

    assert not directory.exists()
    assert cluster.running(running_cluster)
    gone = [pid for pid, _ in json.loads(recorded).values()] + list(map(int, pids.read_text().split()))
    assert [pid for pid in gone if is_running(pid)] == []
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(str(directory).encode() in line for line in commands)


def test_process_that_got_a_recorded_number_is_left_alone(tmp_path: Path) -> None:
    directory = tmp_path / "old"
    directory.mkdir()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (directory / "pids.json").write_text(json.dumps({"slurmctld": [stranger.pid, 1]}))
        cluster.down(directory)
        assert stranger.poll() is None
        stranger.kill()
    assert not directory.exists()


def test_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    for action in (cluster.up, cluster.down):
        with pytest.raises(cluster.ClusterError, match="nothing was removed"):
            action(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_status_tells_by_its_exit_status(running_cluster: Path, tmp_path: Path) -> None:
    def status(directory: Path) -> subprocess.CompletedProcess[str]:
        script = [sys.executable, cluster.__file__, "status", "--dir", str(directory)]
        return subprocess.run(script, capture_output=True, text=True)

    assert status(running_cluster).returncode == 0
    assert "slurmd-a4" in status(running_cluster).stdout
    assert status(tmp_path / "nowhere").returncode == 2
    (tmp_path / "pids.json").write_text(json.dumps({"slurmctld": [os.getpid(), 1]}))
    assert status(tmp_path).returncode == 1
