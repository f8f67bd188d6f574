"""Embeddings come in the order asked for, or not at all."""

import numpy as np
import pytest
from store_samples import BENCHMARK

from store.embeddings import embedding_digest, embedding_seconds, read_embeddings, write_embeddings
from store.errors import StoreError
from store.layout import Layout

ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
INDEX = np.array([30, 2, 11])
VECTOR = (INDEX[:, None] + np.arange(4) / 10).astype(np.float32)


def test_vectors_come_in_the_order_asked_for(layout: Layout):
    write_embeddings(layout, ENCODER, BENCHMARK, INDEX, VECTOR, {"digest": "d"})
    found = read_embeddings(layout, ENCODER, BENCHMARK, np.array([11, 30, 11, 2]))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, VECTOR[[2, 0, 2, 1]])
    assert read_embeddings(layout, ENCODER, BENCHMARK, np.array([], np.int64)).shape == (0, 4)


@pytest.mark.parametrize(("wanted", "first"), [([2, 3, 4], 3), ([31, 2], 31), ([0, 2], 0)])
def test_missing_vectors_are_named(layout: Layout, wanted: list[int], first: int):
    write_embeddings(layout, ENCODER, BENCHMARK, np.sort(INDEX), VECTOR, {"digest": "d"})
    with pytest.raises(StoreError, match=rf"lacks \d of {len(wanted)} queries \(first: {first}\)"):
        read_embeddings(layout, ENCODER, BENCHMARK, np.array(wanted))


def test_no_embeddings_at_all_say_how_to_make_them(layout: Layout):
    with pytest.raises(StoreError, match=r"launch/embed\.py"):
        read_embeddings(layout, ENCODER, BENCHMARK, INDEX)


def test_the_digest_tells_how_they_were_made(layout: Layout):
    assert embedding_digest(layout, ENCODER, BENCHMARK) is None
    write_embeddings(layout, ENCODER, BENCHMARK, INDEX, VECTOR, {"digest": "abc"})
    assert embedding_digest(layout, ENCODER, BENCHMARK) == "abc"


def test_how_long_a_query_took_is_kept(layout: Layout):
    assert np.isnan(embedding_seconds(layout, ENCODER, BENCHMARK))
    write_embeddings(layout, ENCODER, BENCHMARK, INDEX, VECTOR, {"digest": "d"})
    assert np.isnan(embedding_seconds(layout, ENCODER, BENCHMARK))
    write_embeddings(layout, ENCODER, BENCHMARK, INDEX, VECTOR, {"digest": "d", "s_per_text": 0.25})
    assert embedding_seconds(layout, ENCODER, BENCHMARK) == 0.25
