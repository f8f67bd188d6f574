"""Shards: fixed ranges, only what is missing, the most work first."""

import numpy as np
import pytest

from jobs.attempt import current_attempt
from jobs.claims import Claims
from jobs.liveness import Liveness
from jobs.plan import BenchmarkTask, missing_shards, remove_leftovers
from store.layout import Layout
from store.records import Response
from store.responses import ResponseWriter


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path)


def alive(owner):
    return False


def task(name, n_queries, expected_tokens=10.0, digest="d"):
    return BenchmarkTask(name, np.arange(n_queries), 100, expected_tokens, digest)


def store(layout, benchmark, indices, **fields):
    writer = ResponseWriter(layout, benchmark, "m", f"w{len(list(layout.root.rglob('*.h5')))}", {"digest": "d"})
    for index in indices:
        writer.append(Response(index=index, finished_at=1.0, **fields))
    writer.commit()


def test_everything_is_missing_at_first(layout):
    shards = missing_shards(layout, "m", [task("b", 25)], shard_tokens=100)
    assert [len(shard.keys) for shard in shards] == [10, 10, 5]
    assert np.array_equal(np.sort(np.concatenate([shard.keys[:, 0] for shard in shards])), np.arange(25))


def test_borders_do_not_move_with_what_is_there(layout):
    before = {shard.name for shard in missing_shards(layout, "m", [task("b", 30)], shard_tokens=100)}
    store(layout, "b", [0, 1, 2, 15])
    after = missing_shards(layout, "m", [task("b", 30)], shard_tokens=100)
    assert {shard.name for shard in after} == before
    assert sum(len(shard.keys) for shard in after) == 26


def test_the_most_work_comes_first(layout):
    store(layout, "b", [0, 1, 2])
    shards = missing_shards(layout, "m", [task("b", 20), task("c", 3, expected_tokens=1000.0)], shard_tokens=100)
    work = [shard.expected_tokens for shard in shards]
    assert work == sorted(work, reverse=True)
    assert shards[0].task.name == "c"


def test_a_complete_pair_has_no_shard(layout):
    store(layout, "b", range(5))
    assert missing_shards(layout, "m", [task("b", 5)], shard_tokens=100) == []


def test_recorded_failures_are_taken_up_only_when_asked(layout):
    store(layout, "b", range(4))
    store(layout, "b", [4], error="too long")
    assert missing_shards(layout, "m", [task("b", 5)], shard_tokens=100) == []
    (shard,) = missing_shards(layout, "m", [task("b", 5)], shard_tokens=100, retry_failed=True)
    assert shard.keys.tolist() == [[4, 0]]


def test_repeats_are_keys_of_their_own(layout):
    store(layout, "b", range(3))
    shards = missing_shards(layout, "m", [task("b", 3)], shard_tokens=1000, n_repeats=2)
    assert [key for shard in shards for key in shard.keys.tolist()] == [[0, 1], [1, 1], [2, 1]]


def test_a_sample_with_gaps_is_cut_like_any_other(layout):
    sample = BenchmarkTask("b", np.array([3, 50, 51, 900]), 100, 10.0, "d")
    shards = missing_shards(layout, "m", [sample], shard_tokens=20)
    assert sorted(shard.name for shard in shards) == ["0000003-0000050", "0000051-0000900"]


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(layout):
    folder = layout.responses("b", "m")
    folder.mkdir(parents=True)
    host = current_attempt().owner.split(".")[1]
    mine = folder / f".0000.x.h5.{current_attempt().writer}.12345678.tmp"
    theirs = folder / f".0000.x.h5.local.{host}.999999999.1.abcdef01.12345678.tmp"
    unknown = folder / ".0000.x.h5.somebody.tmp"
    for path in (mine, theirs, unknown):
        path.touch()
    held, dropped = Claims(current_attempt().owner, alive), Claims(f"local.{host}.999999999.1", alive)
    claims = layout.claims("b", "m")
    assert held.take(claims / "1.json")
    assert dropped.take(claims / "2.json")
    assert remove_leftovers(layout, "m", ["b"], Liveness()) == 2
    assert [path.name for path in claims.iterdir()] == ["1.json"]
    assert mine.exists()
    assert unknown.exists()
    assert not theirs.exists()
