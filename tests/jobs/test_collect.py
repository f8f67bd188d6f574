"""The worker's loop with a stand-in engine: what ends it and in which order never loses a finished response.

The real engine runs in `tests/end_to_end`; this one is there for speed and to fail on demand.
"""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest

import jobs.claims as claims_module
import jobs.collect as module
from inference.engine import Engine, EngineError, Finished, OutOfMemoryError, failure
from inference.spec import EngineSpec, ModelSpec, Sampling
from jobs.bad_nodes import bad_nodes
from jobs.plan import BenchmarkTask
from jobs.records import ResponseWriter
from jobs.stop import Stopped
from jobs.task import CollectTask
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

    capacity = 4

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


def collect(task):
    (summary,) = module.collect([task], "m")
    return summary


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
    assert engine.made[0].most_in_flight == 7  # four sequences, and eight times what finishes in a step: 8 * 4 / 10


def test_a_batch_is_thin_while_an_answer_begins_that_would_outlast_the_rest(engine, task):
    writer = ResponseWriter(Layout(task.root), "b", "other", "w", {"digest": "d"})
    for index in range(N_QUERIES):
        writer.append(Response(index, completion_tokens=20_000 if index == 25 else 50 + index % 7, finished_at=1.0))
    writer.commit()
    in_flight = []
    engine.capacity = 32
    engine.hook = staticmethod(lambda n_answered: in_flight.append(len(engine.made[0].queue)))
    collect(task)
    assert in_flight[0] < 32 < max(in_flight)


def test_a_complete_model_starts_no_engine(engine, task):
    collect(task)
    collect(task)
    assert len(engine.made) == 1


def test_an_engine_that_keeps_dying_loses_only_what_was_in_flight_and_the_next_run_completes(engine, task):
    def die(n_answered):
        if len(engine.made) > 1 or n_answered >= 20:
            raise EngineError("the engine died")

    engine.hook = staticmethod(die)
    with pytest.raises(EngineError):
        collect(task)
    assert sum(stored(task).values()) == 20
    assert list((task.root / "claims").rglob("*.json")) == []
    assert all(made.closed for made in engine.made)
    engine.hook = staticmethod(lambda n_answered: None)
    assert collect(task).n_succeeded == 2 * N_QUERIES - 20
    assert stored(task) == {"b": N_QUERIES, "c": N_QUERIES}


def test_an_engine_that_dies_once_is_started_again_and_nothing_is_lost_or_done_twice(engine, task):
    def die(n_answered):
        if len(engine.made) == 1 and n_answered >= 20:
            raise EngineError("the engine died")

    engine.hook = staticmethod(die)
    assert collect(task).n_succeeded == 2 * N_QUERIES
    assert len(engine.made) == 2
    assert stored(task) == {"b": N_QUERIES, "c": N_QUERIES}


def test_a_request_that_kills_engines_is_found_and_recorded_and_the_others_are_answered(engine, task):
    def die_of_33(self):
        if any(request.messages[-1]["content"] == "b 33" for request in self.queue[:2]):
            raise EngineError("the engine died")
        return Echo.step(self)

    engine.step = die_of_33
    summary = collect(task)
    assert (summary.n_succeeded, summary.n_failed) == (2 * N_QUERIES - 1, 1)
    rows = read_responses(Layout(task.root), "b", "m")
    assert [row.index for row in rows if "engines died of this request" in row.error] == [33]
    assert len(engine.made) == 5  # 7 in flight, 3, 1; at the end alone; and one to go on


def test_too_little_memory_is_tried_once_more_with_a_smaller_share(engine, task, monkeypatch):
    make, shares = module.make_engine, []

    def make_small(spec, *rest):
        shares.append(spec.gpu_memory_utilization)
        if spec.gpu_memory_utilization > 0.8:
            raise OutOfMemoryError("CUDA out of memory")
        return make(spec, *rest)

    monkeypatch.setattr(module, "make_engine", make_small)
    assert collect(task).n_succeeded == 2 * N_QUERIES
    assert shares == [0.9, pytest.approx(0.72)]


def test_too_little_memory_twice_is_reported(engine, task, monkeypatch):
    def never(*_):
        raise OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, "make_engine", never)
    with pytest.raises(OutOfMemoryError):
        collect(task)
    assert list((task.root / "claims").rglob("*.json")) == []


def test_a_node_on_which_no_engine_starts_is_noted_until_another_one_fails_too(task, monkeypatch):
    def never(*_):
        raise EngineError("no CUDA-capable device is detected")

    monkeypatch.setattr(module, "make_engine", never)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    for node, noted in (("a1", ["a1"]), ("a1", ["a1"]), ("a2", [])):  # on two nodes: it is the model
        monkeypatch.setenv("SLURMD_NODENAME", node)
        with pytest.raises(EngineError):
            collect(task)
        assert list(bad_nodes(Layout(task.root))) == noted


def test_a_worker_without_work_helps_the_model_with_the_most_left(engine, task):
    others = [replace(task, model=ModelSpec(name, "/nowhere")) for name in ("idle", "busy")]
    collect(replace(task, model=ModelSpec("m", "/nowhere")))
    module.collect([others[0]], "idle")
    summaries = module.collect([task, *others], "m")
    assert [summary.model for summary in summaries] == ["m", "busy"]
    assert summaries[1].n_succeeded == 2 * N_QUERIES
    assert list((task.root / "claims").rglob("*.json")) == []


def test_a_helper_that_cannot_start_a_model_does_not_spoil_its_own(engine, task, monkeypatch):
    make = module.make_engine

    def only_m(spec, model, sampling):
        if model.name != "m":
            raise EngineError("does not load")
        return make(spec, model, sampling)

    monkeypatch.setattr(module, "make_engine", only_m)
    (summary,) = module.collect([task, replace(task, model=ModelSpec("broken", "/nowhere"))], "m")
    assert summary.n_succeeded == 2 * N_QUERIES


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
    with pytest.raises(Stopped, match="0 answers are stored"):
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


def test_a_claim_that_cannot_be_written_waits_for_room(engine, task, monkeypatch):
    real, refusals = claims_module._write, iter(range(3))

    def write(path, owner, flags):
        if next(refusals, None) is not None:
            path.touch()
            raise OSError(28, "No space left on device")
        real(path, owner, flags)

    monkeypatch.setattr(claims_module, "_write", write)
    with pytest.raises(OSError, match="No space"):  # nothing was claimed yet: nothing to lose, nothing to wait for
        claims_module.Claims("x", lambda owner: False).take(task.root / "claims" / "probe.json")
    assert list((task.root / "claims").rglob("*.json")) == []
    assert collect(replace(task, full_disk_wait_s=5.0)).n_succeeded == 2 * N_QUERIES


def test_a_disk_that_is_full_for_a_while_costs_nothing(engine, task, monkeypatch):
    refusals = iter(range(3))
    real = ResponseWriter.commit

    def commit(writer):
        if next(refusals, None) is not None:
            raise OSError(28, "No space left on device")
        return real(writer)

    monkeypatch.setattr(ResponseWriter, "commit", commit)
    assert collect(task).n_succeeded == 2 * N_QUERIES
    assert stored(task) == {"b": N_QUERIES, "c": N_QUERIES}


def test_a_disk_that_stays_full_is_one_clear_error(engine, task, monkeypatch):
    def commit(writer):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ResponseWriter, "commit", commit)
    with pytest.raises(StoreError, match="disk is full"):
        collect(task)
