"""Ray over two nodes of a real SLURM: it comes together, outlives SLURM's warning, and leaves nothing behind."""

import os
import pickle
import signal
import subprocess
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from jobs.attempt import current_attempt, process_start
from jobs.ray_cluster import join, ray_cluster
from jobs.stop import StopFlag, held_back
from tests.slurm.warning import warn
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def on_each_node(root):
    """What SLURM runs on both nodes; rank 0 returns what it saw, the other one which Ray processes outlived it."""
    rank, folder, stop = int(os.environ["SLURM_PROCID"]), root / current_attempt().owner, StopFlag()
    if rank:
        join(folder, rank, 1)
        return ray_processes(rank)
    with ExitStack() as stack:
        stack.enter_context(stop.installed())
        with held_back():
            cluster = stack.enter_context(ray_cluster(folder, 2, 1))
        import ray

        ray.init(log_to_driver=False)  # finds RAY_ADDRESS, as vLLM does
        before = nodes_seen(), ray_processes(0), ray_processes(1)
        (root / "ready").touch()
        wait_until(lambda: stop.received == signal.SIGUSR2, 60)
        time.sleep(2)
        cluster.wait_for(range(2), 30)
        after = nodes_seen(), ray_processes(0), ray_processes(1)
        ray.shutdown()
    return before, after, ray_processes(0), "RAY_ADDRESS" in os.environ


def nodes_seen():
    """Names of the nodes on which two tasks of one GPU each run that may not share a node."""
    import ray
    from ray.util.placement_group import placement_group, remove_placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    group = placement_group([{"GPU": 1}, {"GPU": 1}], strategy="STRICT_SPREAD")
    ray.get(group.ready(), timeout=60)
    task = ray.remote(num_gpus=1, num_cpus=0)(lambda: os.environ["SLURMD_NODENAME"])
    places = [PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=place) for place in range(2)]
    names = ray.get([task.options(scheduling_strategy=place).remote() for place in places], timeout=60)
    remove_placement_group(group)
    return names


def ray_processes(rank):
    """{process id: command} of this job's living processes that a rank's `ray start` started, and its own."""
    wanted = {f"SLURM_JOB_ID={os.environ['SLURM_JOB_ID']}".encode(), f"SLURM_PROCID={rank}".encode()}
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            variables = set((path / "environ").read_bytes().split(b"\0"))
            words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        is_ray = b"RAY_process_group_cleanup_enabled=0" in variables
        if wanted <= variables and is_ray and process_start(int(path.name)):
            found[int(path.name)] = words
    return found


def test_two_nodes_join_outlive_the_warning_and_leave_nothing(slurm, tmp_path, monkeypatch):
    submitit = pytest.importorskip("submitit")
    pytest.importorskip("ray")
    monkeypatch.setenv("SLURM_CONF", slurm["SLURM_CONF"])
    executor = submitit.SlurmExecutor(tmp_path / "job")
    executor.update_parameters(job_name="ray", time=10, nodes=2, ntasks_per_node=1, gpus_per_node=1, cpus_per_task=1)
    job = executor.submit(partial(on_each_node, tmp_path))
    results = [job.task(rank).paths.result_pickle for rank in range(2)]
    try:
        wait_until(lambda: (tmp_path / "ready").exists() or results[0].exists(), 120)
        warn(job.job_id)
        wait_until(lambda: all(path.exists() for path in results), 120)
    finally:
        subprocess.run(["scancel", job.job_id], check=False)
    (outcome, head), (other_outcome, left_by_other) = (pickle.loads(path.read_bytes()) for path in results)
    assert (outcome, other_outcome) == ("success", "success"), (head, left_by_other)
    before, after, left, has_address = head
    assert set(before[0]) == set(after[0]) == {"a1", "a2"}
    for of_rank in (1, 2):  # every daemon of before is still there
        daemons = {pid for pid, words in before[of_rank].items() if not words.startswith("ray::")}
        assert len(daemons) >= 3
        assert daemons <= set(after[of_rank])
    assert left == left_by_other == {}
    assert not has_address
    commands = " ".join([*before[1].values(), *before[2].values()]).split()
    folders = {word.partition("=")[2] for word in commands if word.startswith("--temp-dir=")}
    assert len(folders) == 2
    assert not any(map(os.path.exists, folders))
