"""Who am I, and does another one still live?"""

import os
import subprocess
import sys

from jobs.attempt import current_attempt, n_cores, process_start
from jobs.liveness import Liveness


def test_outside_slurm_the_owner_is_this_process(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    attempt = current_attempt()
    assert attempt.owner.endswith(f".{os.getpid()}.{process_start(os.getpid())}")
    assert attempt.writer.startswith(attempt.owner + ".")
    assert attempt.requeue_id == ""
    assert not Liveness().is_dead(attempt.owner)


def test_two_attempts_never_share_a_writer():
    assert current_attempt().writer != current_attempt().writer


def test_an_array_element_is_requeued_by_array_and_task_never_by_the_bare_job(monkeypatch):
    # The element whose job id is the array's: requeueing that id would restart the whole array.
    for key, value in {"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"}.items():
        monkeypatch.setenv(key, value)
    attempt = current_attempt()
    assert attempt.requeue_id == "7_2"
    assert attempt.owner == "slurm.7_2.0"


def test_a_requeued_task_is_another_owner(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    first = current_attempt().owner
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert current_attempt().owner != first


def test_a_task_has_the_cores_that_slurm_gave_it_and_no_more_than_there_are(monkeypatch):
    here = len(os.sched_getaffinity(0))
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.delenv("SLURM_CPUS_ON_NODE", raising=False)
    assert n_cores() == here
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "100000")
    assert n_cores() == here
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
    assert n_cores() == 1


def test_a_process_that_ended_is_dead():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    host = current_attempt().owner.split(".")[1]
    owner = f"local.{host}.{process.pid}.{process_start(process.pid)}"
    assert not Liveness().is_dead(owner)
    process.communicate()
    assert Liveness().is_dead(owner)


def test_a_pid_that_was_used_again_is_dead():
    host = current_attempt().owner.split(".")[1]
    assert Liveness().is_dead(f"local.{host}.{os.getpid()}.1")


def test_what_cannot_be_known_is_not_dead(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")  # no squeue
    assert not Liveness().is_dead("local.another-host.1.1")
    assert not Liveness().is_dead("slurm.1_1.0")
    assert not Liveness().is_dead("")
