"""Scores lie in [0, 1] or are missing."""

from typing import Any

import numpy as np
import pytest
from store_samples import BENCHMARK, MODEL

from store.errors import StoreError
from store.layout import Layout
from store.scores import read_scores, write_scores


def score_table(scores: list[float]) -> dict[str, Any]:
    n_rows = len(scores)
    return {
        "index": np.arange(n_rows) * 2,
        "repeat": np.zeros(n_rows, np.int64),
        "score": np.array(scores),
        "response_finished_at": np.arange(n_rows, dtype=np.float64),
        "prediction": [f"({score})" for score in scores],
        "explanation": [""] * n_rows,
    }


@pytest.mark.parametrize("value", [1.0000001, -1e-9, np.inf, -np.inf, 100.0])
def test_a_score_out_of_range_is_refused_with_its_place(layout: Layout, value: float):
    write_scores(layout, BENCHMARK, MODEL, score_table([0.5]), {})
    with pytest.raises(StoreError, match=rf"{BENCHMARK}, {MODEL}, index 4: score .* lies outside"):
        write_scores(layout, BENCHMARK, MODEL, score_table([0.0, 1.0, value]), {})
    found = read_scores(layout, BENCHMARK, MODEL)
    assert found is not None
    assert found[0]["score"].tolist() == [0.5]


def test_scores_come_back_with_their_meta(layout: Layout):
    table = score_table([0.0, 1.0, np.nan, 0.25])
    write_scores(layout, BENCHMARK, MODEL, table, {"scorer": "aime", "scorer_version": 2})
    found = read_scores(layout, BENCHMARK, MODEL)
    assert found is not None
    assert found[0].keys() == table.keys()
    np.testing.assert_array_equal(found[0]["score"], table["score"])
    assert found[0]["prediction"] == table["prediction"]
    assert found[1] == {"benchmark": BENCHMARK, "model": MODEL, "scorer": "aime", "scorer_version": 2}


def test_whole_numbers_become_floats(layout: Layout):
    write_scores(layout, BENCHMARK, MODEL, {**score_table([0, 1]), "score": np.array([0, 1])}, {})
    found = read_scores(layout, BENCHMARK, MODEL, ["score"])
    assert found is not None
    assert found[0]["score"].dtype == np.float64


def test_a_pair_without_scores_has_none(layout: Layout):
    assert read_scores(layout, BENCHMARK, MODEL) is None


def test_scoring_again_replaces(layout: Layout):
    write_scores(layout, BENCHMARK, MODEL, score_table([0.0, 0.0]), {})
    write_scores(layout, BENCHMARK, MODEL, score_table([1.0]), {})
    found = read_scores(layout, BENCHMARK, MODEL, ["score"])
    assert found is not None
    assert found[0]["score"].tolist() == [1.0]
