"""What would be submitted: shapes, several workers for long models, those already at work."""

from dataclasses import replace

import numpy as np

from inference.spec import EngineSpec, ModelSpec, ProviderSpec, Sampling
from jobs.cluster import ClusterSpec
from jobs.plan import BenchmarkTask
from jobs.progress import Progress
from jobs.task import CollectTask
from launch.collect_plan import Batch, plan

CLUSTER = ClusterSpec("c", "slurm", max_parallel=4)


def task(name, **model):
    provider = ProviderSpec("http://127.0.0.1") if "provider" in model else None
    return CollectTask(
        root=None, model=ModelSpec(name, "/x", tokens_per_s=1.0, **model), engine=EngineSpec(), sampling=Sampling(),
        benchmarks=(BenchmarkTask("b", np.arange(10), 8, 10.0, "d"),), metas={}, provider=provider,
    )  # fmt: skip


def planned(tasks, seconds, cluster=CLUSTER, at_work=()):
    state = {name: {"b": Progress(10, n_missing=10, tokens_expected=seconds[name])} for name in tasks}
    return plan(tasks, state, cluster, at_work)


def test_the_longest_model_comes_first_and_gets_the_further_workers():
    tasks = {name: task(name) for name in ("short", "long")}
    (batch,) = planned(tasks, {"short": 1000.0, "long": 9000.0})
    assert batch.workers == ("long", "short", "long #2", "long #3")
    assert batch.models == ("short", "long")


def test_workers_that_are_at_work_already_are_not_submitted_again():
    tasks = {name: task(name) for name in ("short", "long")}
    (batch,) = planned(tasks, {"short": 1000.0, "long": 9000.0}, at_work=["long", "long"])
    assert batch.workers == ("short", "long #3")
    assert planned(tasks, {"short": 1.0, "long": 1.0}, at_work=["short", "long"]) == []


def test_models_of_different_shapes_are_different_arrays_and_apis_are_one_job():
    tasks = {
        "one": task("one"), "four": task("four", tensor_parallel_size=4), "huge": task("huge", nodes=2),
        "api": task("api", provider="p"), "api2": task("api2", provider="p"),
    }  # fmt: skip
    batches = planned(tasks, dict.fromkeys(tasks, 10.0))
    assert batches == [
        Batch(("one",), ("one",), 1),
        Batch(("four",), ("four",), 4),
        Batch(("huge",), ("huge",), 1, 2),
        Batch(("api",), ("api", "api2"), is_api=True),
    ]
    assert planned({"api": tasks["api"]}, {"api": 1.0}, at_work=["api"]) == []


def test_a_fixed_number_of_workers_is_taken_at_its_word():
    tasks = {"a": task("a"), "b": task("b")}
    (batch,) = planned(tasks, {"a": 1.0, "b": 2.0}, replace(CLUSTER, workers_per_model=2))
    assert batch.workers == ("b", "a", "b #2", "a #2")
