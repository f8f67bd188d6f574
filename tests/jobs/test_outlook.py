"""What a worker sees ahead of its model, from a real store."""

import numpy as np
import pytest

import jobs.outlook as module
from inference.spec import EngineSpec, ModelSpec, Sampling
from jobs.claims import Claims
from jobs.outlook import Outlook
from jobs.plan import BenchmarkTask
from jobs.shards import Shards
from jobs.task import CollectTask
from store.layout import Layout
from store.queries import write_queries
from store.records import Query, Response
from store.responses import ResponseWriter

N_QUERIES = 40


class Everybody:
    """Nobody is known to be dead."""

    def is_dead(self, owner):
        return False


@pytest.fixture
def task(tmp_path):
    message = ({"role": "user", "content": "?"},)
    write_queries(Layout(tmp_path), "b", [Query(index, "t", "g", message) for index in range(N_QUERIES)])
    return CollectTask(
        root=tmp_path, model=ModelSpec("m", "/nowhere"), engine=EngineSpec(), sampling=Sampling(),
        benchmarks=(BenchmarkTask("b", np.arange(N_QUERIES), 8, 100.0, "d"),), metas={"b": {}}, shard_tokens=1000.0,
    )  # fmt: skip


def answers(task, model, tokens, digest="d"):
    """Store answers of so many tokens, by index."""
    writer = ResponseWriter(Layout(task.root), "b", model, f"w.{model}.{digest}", {"digest": digest})
    for index, n in tokens.items():
        writer.append(Response(index, text="x", completion_tokens=n, finished_at=1.0))
    writer.commit()


def shards_of(task):
    return Shards(task, Claims("local.me.1.1", Everybody().is_dead), Outlook(task, Everybody()))


def claimed(shards):
    """Names of the shards in the order in which they are claimed."""
    names = []
    while shard := shards.claim():
        names.append(shard.name)
    return names


def test_where_nothing_is_known_every_answer_is_as_long_as_believed(task):
    outlook = Outlook(task, Everybody())
    assert outlook.look()
    assert outlook.missing_tokens == pytest.approx(N_QUERIES * 100.0)
    assert (outlook.n_missing, outlook.n_workers) == (N_QUERIES, 0)


def test_what_made_another_model_write_much_is_claimed_first_and_asked_first(task):
    answers(task, "other", {index: 1000 if index in (25, 27) else 50 + index % 7 for index in range(N_QUERIES)})
    shards = shards_of(task)
    shard = shards.claim()
    assert shard.name == "0000020-0000029"
    assert {request.index for request in list(shards.requests(shard))[:2]} == {25, 27}


def test_without_other_models_shards_come_in_order(task):
    assert claimed(shards_of(task)) == [f"{first:07d}-{first + 9:07d}" for first in range(0, N_QUERIES, 10)]


def test_answers_that_are_there_and_workers_that_live_are_counted(task):
    answers(task, "m", dict.fromkeys(range(30), 100))
    for number, owner in enumerate(("slurm.7_1.0", "slurm.7_2.0", "slurm.7_1.0")):
        Claims(owner, Everybody().is_dead).take(Layout(task.root).claims("b", "m") / f"{number}.json")
    outlook = Outlook(task, Everybody())
    outlook.look()
    assert outlook.missing_tokens == pytest.approx(10 * 100.0, rel=0.3)
    assert outlook.n_workers == 2


def test_responses_of_two_configurations_teach_nothing(task):
    for digest in ("d", "e"):
        answers(task, "other", {index: 1000 if index == 25 else 50 + index % 7 for index in range(N_QUERIES)}, digest)
    assert claimed(shards_of(task))[0] == "0000000-0000009"


def test_the_store_is_not_read_again_before_its_time(task, monkeypatch):
    outlook = Outlook(task, Everybody())
    assert outlook.look()
    assert not outlook.look()
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.0)
    assert outlook.look()


def test_only_a_shard_whose_answers_would_outlast_the_rest_thins_the_batch(task):
    answers(task, "other", {index: 20_000 if index == 25 else 50 + index % 7 for index in range(N_QUERIES)})
    shards = shards_of(task)
    by_name = {}
    while shard := shards.claim():
        by_name[shard.name] = shards.outlook.batch_limit(16, shard)
    assert by_name.pop("0000020-0000029") < 16
    assert set(by_name.values()) == {16}
