"""The worker's loop with a stand-in engine: what ends it and in which order never loses a finished response.

The real engine runs in `tests/end_to_end`; this one is there for speed and to fail on demand.
"""

import os
import signal

import numpy as np
import pytest

import jobs.collect as module
from inference.engine import Engine, EngineError, Finished, failure
from inference.spec import EngineSpec, ModelSpec, Sampling
from jobs.collect import CollectTask, collect
from jobs.plan import BenchmarkTask
from jobs.stop import Stopped
from store.errors import StoreError
from store.layout import Layout
from store.queries import write_queries
from store.records import Query, Response
from store.responses import read_columns, read_responses

N_QUERIES = 50


class Echo(Engine):
    """Answers with the prompt, two requests per step; `hook(n_answered)` is called before each step."""

    hook = staticmethod(lambda n_answered: None)
    transient_failures = 0

    def __init__(self):
        self.queue, self.n_answered, self.most_in_flight, self.closed = [], 0, 0, False

    @property
    def n_in_flight(self):
        return len(self.queue)

    def submit(self, request):
        self.queue.append(request)
        self.most_in_flight = max(self.most_in_flight, len(self.queue))

    def step(self):
        type(self).hook(self.n_answered)
        batch, self.queue = self.queue[:2], self.queue[2:]
        self.n_answered += len(batch)
        return [self._answer(request) for request in batch]

    def _answer(self, request):
        if request.attempt <= self.transient_failures:
            return Finished(request, failure(request, "busy"), is_transient=True)
        text = request.messages[-1]["content"]
        return Finished(request, Response(request.index, request.repeat, text, completion_tokens=1, finished_at=1.0))

    def close(self):
        self.closed = True


@pytest.fixture
def engine(monkeypatch):
    engines = []

    class Fresh(Echo):
        pass

    def make(*_):
        engines.append(Fresh())
        return engines[-1]

    monkeypatch.setattr(module, "make_engine", make)
    Fresh.made = engines
    return Fresh


@pytest.fixture
def task(tmp_path):
    layout = Layout(tmp_path)
    for name in ("b", "c"):
        messages = [({"role": "user", "content": f"{name} {index}"},) for index in range(N_QUERIES)]
        write_queries(layout, name, [Query(index, "t", "g", messages[index]) for index in range(N_QUERIES)])
    benchmarks = tuple(BenchmarkTask(name, np.arange(N_QUERIES), 8, 10.0, "d") for name in ("b", "c"))
    return CollectTask(
        root=tmp_path, model=ModelSpec("m", "/nowhere"), engine=EngineSpec(max_num_seqs=4), sampling=Sampling(),
        benchmarks=benchmarks, metas={"b": {}, "c": {}}, checkpoint_s=0.0, shard_tokens=100.0, drain_s=0.0,
        full_disk_wait_s=0.2,
    )  # fmt: skip


def stored(task):
    return {name: len(read_columns(Layout(task.root), name, "m", [])["index"]) for name in ("b", "c")}


def test_everything_is_answered_once_and_nothing_is_left_claimed(engine, task):
    summary = collect(task)
    assert (summary.n_succeeded, summary.n_failed) == (2 * N_QUERIES, 0)
    assert stored(task) == {"b": N_QUERIES, "c": N_QUERIES}
    texts = [row.text for row in read_responses(Layout(task.root), "c", "m")]
    assert texts == [f"c {index}" for index in range(N_QUERIES)]
    assert list((task.root / "claims").rglob("*.json")) == []
    assert engine.made[0].closed


def test_the_engine_is_kept_full_but_not_flooded(engine, task):
    collect(task)
    assert engine.made[0].most_in_flight == 5  # four sequences and one ready


def test_a_complete_model_starts_no_engine(engine, task):
    collect(task)
    collect(task)
    assert len(engine.made) == 1


def test_a_dead_engine_loses_only_what_was_in_flight_and_the_next_run_completes(engine, task):
    def die(n_answered):
        if n_answered >= 20:
            raise EngineError("the engine died")

    engine.hook = staticmethod(die)
    with pytest.raises(EngineError):
        collect(task)
    assert sum(stored(task).values()) == 20
    assert list((task.root / "claims").rglob("*.json")) == []
    engine.hook = staticmethod(lambda n_answered: None)
    assert collect(task).n_succeeded == 2 * N_QUERIES - 20
    assert stored(task) == {"b": N_QUERIES, "c": N_QUERIES}


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGTERM])
def test_a_warning_ends_admission_and_commits(engine, task, number):
    def warn(n_answered):
        if n_answered == 20:
            os.kill(os.getpid(), number)

    engine.hook = staticmethod(warn)
    with pytest.raises(Stopped, match=number.name):
        collect(task)
    assert 20 <= sum(stored(task).values()) < 30
    assert list((task.root / "claims").rglob("*.json")) == []


def test_a_warning_while_the_model_loads_is_not_lost(engine, task, monkeypatch):
    make = module.make_engine

    def slowly(*arguments):
        os.kill(os.getpid(), signal.SIGUSR2)
        return make(*arguments)

    monkeypatch.setattr(module, "make_engine", slowly)
    with pytest.raises(Stopped, match="after 0 answers"):
        collect(task)


def test_the_handlers_of_before_come_back(engine, task):
    before = signal.getsignal(signal.SIGUSR2)
    collect(task)
    assert signal.getsignal(signal.SIGUSR2) is before


def test_a_transient_failure_is_tried_again(engine, task):
    engine.transient_failures = 2
    assert collect(task).n_succeeded == 2 * N_QUERIES
    assert {row.error for row in read_responses(Layout(task.root), "b", "m")} == {""}


def test_after_the_last_attempt_the_failure_is_the_record(engine, task):
    engine.transient_failures = 10
    summary = collect(task)
    assert (summary.n_succeeded, summary.n_failed) == (0, 2 * N_QUERIES)
    rows = read_responses(Layout(task.root), "b", "m")
    assert {(row.error, row.attempts) for row in rows} == {("busy", 10)}


def test_a_shard_claimed_by_another_is_left_to_it(engine, task):
    folder = Layout(task.root).claims("b", "m")
    folder.mkdir(parents=True)
    (folder / "0000000-0000009.json").write_text('{"owner": "local.another-host.1.1"}')
    collect(task)
    assert stored(task) == {"b": N_QUERIES - 10, "c": N_QUERIES}


def test_a_disk_that_is_full_for_a_while_costs_nothing(engine, task, monkeypatch):
    refusals = iter(range(3))
    real = module.ResponseWriter.commit

    def commit(writer):
        if next(refusals, None) is not None:
            raise OSError(28, "No space left on device")
        return real(writer)

    monkeypatch.setattr(module.ResponseWriter, "commit", commit)
    assert collect(task).n_succeeded == 2 * N_QUERIES
    assert stored(task) == {"b": N_QUERIES, "c": N_QUERIES}


def test_a_disk_that_stays_full_is_one_clear_error(engine, task, monkeypatch):
    def commit(writer):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.ResponseWriter, "commit", commit)
    with pytest.raises(StoreError, match="disk is full"):
        collect(task)
