"""Who works on what: the rules alone. What they make of a whole pool is in `tests/speed/scheduling.py`."""

from collections import Counter

import numpy as np
import pytest

from jobs.plan import BenchmarkTask, Shard
from jobs.schedule import batch_limit, next_model, plan_workers, shard_order


def shard(name, expected_tokens, n_missing, first=0):
    task = BenchmarkTask(name, np.arange(100), 1000, expected_tokens, "d")
    return Shard(task, f"{first:07d}-{first + n_missing:07d}", np.zeros((n_missing, 2), np.int64))


def test_the_first_workers_of_all_models_come_before_any_second():
    assert plan_workers({"a": 1000.0, "b": 3000.0, "c": 2000.0}, 6, 10.0) == ["b", "c", "a", "b", "c", "b"]


def test_every_model_with_something_missing_has_a_worker_however_few_slots_there_are():
    assert plan_workers({"a": 5.0, "b": 0.0, "c": 9.0}, 1, 100.0) == ["c", "a"]


def test_nothing_missing_needs_nobody():
    assert plan_workers({}, 8, 100.0) == []
    assert plan_workers({"a": 0.0}, 8, 100.0) == []


@pytest.mark.parametrize(("expected_s", "n"), [(199.0, 1), (201.0, 2), (299.0, 2), (301.0, 3), (1e6, 8)])
def test_no_worker_has_less_to_do_than_to_load(expected_s, n):
    assert len(plan_workers({"a": expected_s}, 8, 100.0)) == n


def test_a_model_that_cannot_use_more_workers_leaves_the_slots_to_others():
    assert Counter(plan_workers({"short": 150.0, "long": 1000.0}, 6, 100.0)) == {"short": 1, "long": 5}


@pytest.mark.parametrize("seed", range(20))
def test_no_slot_would_be_better_given_to_another_model(seed):
    rng = np.random.default_rng(seed)
    expected = {f"m{number}": float(rng.lognormal(9, 1)) for number in range(20)}
    n_slots = int(rng.integers(20, 100))
    n_workers = Counter(plan_workers(expected, n_slots, 1.0))
    assert n_workers.total() == n_slots
    longest = max(expected[model] / n for model, n in n_workers.items())
    for model, n in n_workers.items():
        assert n == 1 or expected[model] / (n - 1) >= longest


def test_a_model_that_nobody_works_on_comes_first_and_the_longest_of_them():
    remaining = {"served": 1e6, "short": 10.0, "long": 20.0}
    assert next_model(remaining, {"served": 1}, 100.0) == "long"


def test_help_goes_where_each_worker_has_most_left():
    assert next_model({"a": 3000.0, "b": 2000.0}, {"a": 3, "b": 1}, 100.0) == "b"


def test_no_help_where_everything_is_claimed_before_it_is_ready():
    assert next_model({"a": 300.0, "b": 90.0}, {"a": 3, "b": 1}, 100.0) is None
    assert next_model({"a": 301.0, "b": 90.0}, {"a": 3, "b": 1}, 100.0) == "a"


def test_no_help_where_everything_is_claimed():
    assert next_model({"a": 0.0}, {}, 100.0) is None
    assert next_model({}, {}, 100.0) is None


@pytest.mark.parametrize("seed", range(20))
def test_help_makes_it_quicker_whenever_it_is_given(seed):
    rng = np.random.default_rng(seed)
    remaining = {f"m{number}": float(rng.lognormal(5, 2)) for number in range(5)}
    n_workers = {model: int(rng.integers(1, 6)) for model in remaining}
    model, load_s = next_model(remaining, n_workers, 100.0), 100.0
    with_help = {name: (seconds + load_s) / (n_workers[name] + 1) for name, seconds in remaining.items()}
    without = {name: seconds / n_workers[name] for name, seconds in remaining.items()}
    if model is None:
        assert all(with_help[name] >= without[name] for name in remaining)
    else:
        assert with_help[model] < without[model] == max(without.values())


def test_the_answer_does_not_depend_on_the_order_in_which_the_models_are_named():
    models = [f"m{number}" for number in range(6)]
    forward, backward = dict.fromkeys(models, 500.0), dict.fromkeys(reversed(models), 500.0)
    assert next_model(forward, {}, 100.0) == next_model(backward, {}, 100.0) == "m0"
    assert plan_workers(forward, 9, 100.0) == plan_workers(backward, 9, 100.0)


def test_long_answers_are_started_first_and_then_the_most_work():
    shards = [
        shard("short", 10.0, 90),
        shard("long", 900.0, 1),
        shard("long", 900.0, 3, first=50),
        shard("mid", 99.0, 9),
    ]
    ordered = sorted(shards, key=shard_order)
    assert [(s.task.name, len(s.keys)) for s in ordered] == [("long", 3), ("long", 1), ("mid", 9), ("short", 90)]


def test_expected_lengths_come_before_what_the_benchmark_says():
    shards = {"a": shard("short", 10.0, 2), "b": shard("long", 900.0, 2, first=50)}
    lengths = {"a": np.array([5.0, 2000.0]), "b": np.array([900.0, 1100.0])}
    assert sorted(shards, key=lambda name: shard_order(shards[name], lengths[name])) == ["a", "b"]


@pytest.mark.parametrize(
    ("missing_tokens", "n_workers", "longest", "n"),
    [(1e9, 1, 1000.0, 256), (15e6, 10, 10_000.0, 100), (15e6, 0, 1e6, 32), (15e6, 30, 10_000.0, 33), (0.0, 1, 1.0, 32)],
)
def test_a_batch_is_thin_where_the_longest_answer_would_outlast_the_rest(missing_tokens, n_workers, longest, n):
    assert batch_limit(256, 100_000, missing_tokens, n_workers, longest) == n


def test_what_can_all_begin_at_once_does():
    assert batch_limit(256, 512, 15e6, 2, 1e6) == 256
    assert batch_limit(256, 513, 15e6, 2, 1e6) == 32
