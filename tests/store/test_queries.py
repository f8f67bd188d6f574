"""Queries: stored once, guarded by two digests."""

import dataclasses

import numpy as np
import pytest
from store_samples import BENCHMARK, add_part, answer, query

from store.errors import StoreError
from store.layout import Layout
from store.queries import read_indices, read_queries, read_query_columns, write_queries
from store.records import Query

QUERIES = [query(index) for index in (0, 1, 7)]


def test_every_field_comes_back_in_order_of_index(layout: Layout):
    hard = Query(
        3,
        "text \0\ud800",
        {"answers": [1, 1.0, None, "ü"], "z": 0, "a": 0},
        ({"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "t"}]}),
        {"level": 5, "options": ["A", "B"]},
    )
    assert write_queries(layout, BENCHMARK, [QUERIES[2], hard, QUERIES[0]])
    found = read_queries(layout, BENCHMARK)
    assert found == [QUERIES[0], hard, QUERIES[2]]
    assert repr(found[1].ground_truth) == repr(hard.ground_truth)  # key order; 1 is not 1.0
    assert read_indices(layout, BENCHMARK).tolist() == [0, 3, 7]


def test_the_same_content_is_not_written_again(layout: Layout):
    assert write_queries(layout, BENCHMARK, QUERIES)
    path = layout.queries(BENCHMARK)
    before = path.stat()
    assert not write_queries(layout, BENCHMARK, QUERIES[::-1])
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_corrected_gold_answer_is_allowed_beside_responses(layout: Layout):
    write_queries(layout, BENCHMARK, QUERIES)
    add_part(layout, "w", [answer(0)])
    old = read_query_columns(layout, BENCHMARK, ["index"])[1]
    corrected = [dataclasses.replace(QUERIES[0], ground_truth="42"), *QUERIES[1:]]
    assert write_queries(layout, BENCHMARK, corrected)
    new = read_query_columns(layout, BENCHMARK, ["index"])[1]
    assert read_queries(layout, BENCHMARK)[0].ground_truth == "42"
    assert (new["prompt_digest"], new["digest"]) != (old["prompt_digest"], old["digest"])
    assert new["prompt_digest"] == old["prompt_digest"]


@pytest.mark.parametrize(
    "changed",
    [[query(0, "other"), *QUERIES[1:]], QUERIES[:2], [*QUERIES, query(8)], [query(2), *QUERIES[1:]]],
    ids=["another prompt", "a query less", "a query more", "another index"],
)
def test_other_prompts_are_refused_beside_responses(layout: Layout, changed: list[Query]):
    write_queries(layout, BENCHMARK, QUERIES)
    content = layout.queries(BENCHMARK).read_bytes()
    assert write_queries(layout, BENCHMARK, changed)  # no responses yet
    assert write_queries(layout, BENCHMARK, QUERIES)
    add_part(layout, "w", [answer(0)])
    with pytest.raises(StoreError, match="responses to other prompts"):
        write_queries(layout, BENCHMARK, changed)
    assert layout.queries(BENCHMARK).read_bytes() == content


def test_an_import_may_add_queries_beside_responses(layout: Layout):
    write_queries(layout, BENCHMARK, QUERIES)
    add_part(layout, "w", [answer(0)])
    assert write_queries(layout, BENCHMARK, [*QUERIES, query(8)], grow=True)
    assert read_indices(layout, BENCHMARK).tolist() == [0, 1, 7, 8]


def test_responses_to_another_benchmark_do_not_matter(layout: Layout):
    write_queries(layout, BENCHMARK, QUERIES)
    add_part(layout, "w", [answer(0)], benchmark="bbh")
    assert write_queries(layout, BENCHMARK, QUERIES[:1])


def test_an_index_twice_is_refused(layout: Layout):
    with pytest.raises(StoreError, match="share an index"):
        write_queries(layout, BENCHMARK, [query(1), query(1, "other")])
    assert not layout.queries(BENCHMARK).exists()


def test_missing_queries_name_what_is_there(layout: Layout):
    with pytest.raises(StoreError, match="benchmarks there: none"):
        read_queries(layout, BENCHMARK)
    write_queries(layout, "b/b h", QUERIES)
    with pytest.raises(StoreError, match="benchmarks there: b/b h"):
        read_queries(layout, BENCHMARK)


def test_a_benchmark_without_queries_comes_back_empty(layout: Layout):
    write_queries(layout, BENCHMARK, [])
    assert read_queries(layout, BENCHMARK) == []
    assert read_indices(layout, BENCHMARK).dtype == np.int64
