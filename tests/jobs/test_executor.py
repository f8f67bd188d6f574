"""The same calls in this process and as real processes through submitit; one bad task stays one bad task."""

import functools
import operator
import os
import time

import pytest

from jobs.cluster import ClusterSpec
from jobs.executor import _last_error, run_tasks, slurm_parameters

INLINE = ClusterSpec("inline", "inline")
LOCAL = ClusterSpec("local", "local", max_parallel=2, timeout_min=5)


@pytest.mark.parametrize("cluster", [INLINE, pytest.param(LOCAL, marks=pytest.mark.slow)], ids=["inline", "local"])
def test_results_and_failures_come_back_by_name(cluster, tmp_path):
    calls = {"seven": functools.partial(operator.add, 3, 4), "bad": functools.partial(operator.truediv, 1, 0)}
    seven, bad = run_tasks(cluster, tmp_path / "jobs", "test", calls)
    assert (seven.state, seven.result) == ("done", 7)
    assert (bad.state, bad.cause) == (
        "failed",
        "ZeroDivisionError: division by zero" if bad.log else "division by zero",
    )
    assert bad.log is None or "ZeroDivisionError" in bad.log.read_text()


def test_no_call_needs_no_executor(tmp_path):
    assert run_tasks(LOCAL, tmp_path / "jobs", "test", {}) == []


@pytest.mark.slow
def test_a_process_that_is_killed_is_a_failed_task(tmp_path):
    calls = {"suicide": functools.partial(os.kill, 0, 0), "killed": functools.partial(os._exit, 9)}
    ended, killed = run_tasks(LOCAL, tmp_path / "jobs", "test", calls)
    assert ended.state == "done"
    assert killed.state == "failed"
    assert "without a result" in killed.cause


@pytest.mark.slow
def test_no_more_than_max_parallel_at_a_time(tmp_path):
    most = 0

    def watch(tasks):
        nonlocal most
        most = max(most, sum(task.state == "running" for task in tasks))

    calls = {str(number): functools.partial(time.sleep, 0.5) for number in range(4)}
    run_tasks(LOCAL, tmp_path / "jobs", "test", calls, on_poll=watch)
    assert most == 2


def test_the_cause_is_the_exceptions_message_on_one_line():
    trace = 'Traceback (most recent call last):\n  File "x", line 1\nroom.errors.EngineError: no such\nmodel\n'
    assert _last_error(trace) == "no such model"
    assert _last_error("Traceback …:\n  File\nValueError: a: b\n") == "ValueError: a: b"


def test_slurm_parameters_take_the_models_gpus_unless_the_cluster_says_otherwise():
    cluster = ClusterSpec("c", "slurm", slurm={"partition": "a800", "additional_parameters": {"nice": 5}})
    parameters = slurm_parameters(cluster, "name", 4)
    assert parameters["gpus_per_node"] == 4
    assert parameters["partition"] == "a800"
    assert parameters["additional_parameters"] == {"requeue": True, "nice": 5}
    assert "gpus_per_node" not in slurm_parameters(ClusterSpec("c", "slurm", gpus_per_worker=0), "name", 4)
