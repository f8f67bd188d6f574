"""How far a collection is: counted from rows and claims, with dead owners left out."""

import os
import time

import numpy as np
import pytest

from inference.spec import EngineSpec, ModelSpec, Sampling
from jobs.attempt import process_start
from jobs.liveness import Liveness
from jobs.plan import BenchmarkTask
from jobs.progress import Watch, expected_s, progress
from jobs.task import CollectTask
from store.layout import Layout
from store.records import Response
from store.responses import ResponseWriter

N = 100


@pytest.fixture
def task(tmp_path):
    benchmark = BenchmarkTask("b", np.arange(N), 64, 10.0, "d")
    return CollectTask(
        root=tmp_path, model=ModelSpec("m", "/x", tokens_per_s=50.0), engine=EngineSpec(), sampling=Sampling(),
        benchmarks=(benchmark,), metas={"b": {}},
    )  # fmt: skip


def write(task, indices, *, tokens=30, error="", finished_at=1.0, digest="d", writer="w"):
    rows = ResponseWriter(Layout(task.root), "b", "m", writer, {"digest": digest})
    for index in indices:
        rows.append(Response(index, completion_tokens=tokens, error=error, finished_at=finished_at + 0.1 * index))
    rows.commit()


def claim(task, name, owner):
    path = Layout(task.root).claims("b", "m") / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"owner": "{owner}"}}')


def now(task):
    return progress(task, task.benchmarks[0], Liveness())


def test_nothing_yet(task):
    pair = now(task)
    assert (pair.n_expected, pair.n_answered, pair.n_missing, pair.n_claimed) == (N, 0, N, 0)
    assert pair.tokens_expected == 10.0 * N


def test_answers_failures_and_what_is_expected_by_the_mean_of_what_is_there(task):
    write(task, range(40), tokens=30)
    write(task, range(40, 45), error="too long", writer="v")
    pair = now(task)
    assert (pair.n_answered, pair.n_failed, pair.n_missing) == (40, 5, 55)
    assert pair.tokens_expected == 55 * 30


def test_claims_count_while_their_owner_lives(task):
    me = f"local.{os.uname().nodename.split('.')[0]}.{os.getpid()}.{process_start(os.getpid())}"
    claim(task, "0000000-0000009", me)
    claim(task, "0000010-0000019", me.rpartition(".")[0] + ".1")  # that process is another one now
    write(task, range(5))
    pair = now(task)
    assert pair.owners == {me}
    assert pair.n_claimed == 5
    assert pair.tokens_unclaimed == 90 * 10.0


def test_the_rate_is_of_the_last_minutes(task):
    assert now(task).rate == 0
    write(task, range(50), tokens=20, finished_at=time.time() - 10)
    pair = now(task)
    assert pair.rate == pytest.approx(50 * 20 / 4.9)
    assert expected_s(task, [pair], 100.0) == pytest.approx(100 / 50)  # nobody works on it: the configured speed


def test_rows_of_another_configuration_are_a_problem_and_not_an_answer(task):
    write(task, range(10), digest="other")
    pair = now(task)
    assert (pair.n_answered, pair.n_missing) == (0, N)
    assert "another model, prompt, sampling" in pair.problem


def test_a_watch_reads_again_only_what_has_changed(task, monkeypatch):
    import jobs.progress as module

    calls = []
    monkeypatch.setattr(module, "progress", lambda *arguments: calls.append(1) or progress(*arguments))
    watch = Watch()
    for _ in range(3):
        watch.read({"m": task})
    assert len(calls) == 1
    write(task, range(10))
    assert watch.read({"m": task})["m"]["b"].n_answered == 10
    assert len(calls) == 2
