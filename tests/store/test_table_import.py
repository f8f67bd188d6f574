"""Tables of per-query results: what comes in, that it comes in once, and what is refused in words."""

import csv
import re

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from store.errors import StoreError
from store.layout import Layout
from store.matrix import load_matrix
from store.queries import read_queries
from store.responses import read_responses
from store.scores import read_scores
from store.table_import import import_tables

QUERIES = [{"index": 4, "query": "two and two?", "prompt": "Say: two and two?", "ground_truth": "4"},
           {"index": 2, "query": "a café?", "prompt": "", "ground_truth": ""}]  # fmt: skip
RESULTS = [
    {"model": "a/b", "index": 4, "score": 1.0, "cost": 0.5, "prompt_tokens": 3, "raw_output": "4", "prediction": "4"},
    {"model": "a/b", "index": 2, "score": 0.25, "cost": None, "prompt_tokens": None, "raw_output": "", "error": "late"},
    {"model": "c", "index": 4, "score": None, "cost": 1.5, "prompt_tokens": 7, "raw_output": "5", "prediction": "5"},
]


def write(folder, queries=QUERIES, results=RESULTS, suffix=".parquet"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("queries", queries), ("results", results)):
        columns = list(dict.fromkeys(key for row in rows for key in row))
        if suffix == ".parquet":
            table = pyarrow.table({key: [row.get(key) for row in rows] for key in columns})
            parquet.write_table(table, folder / f"{name}.parquet")
        else:
            with (folder / f"{name}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(rows)


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "store")


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_everything_known_comes_in(tmp_path, layout, suffix):
    write(tmp_path / "in" / "sums", suffix=suffix)
    (result,) = import_tables(tmp_path / "in", layout)
    assert (result.benchmark, result.n_queries, result.n_models, result.n_results, result.n_new) == ("sums", 2, 2, 3, 2)
    two, four = read_queries(layout, "sums")
    assert (four.text, four.ground_truth) == ("two and two?", "4")
    assert four.messages == ({"role": "user", "content": "Say: two and two?"},)
    assert (two.text, two.messages[0]["content"]) == ("a café?", "a café?")
    late, right = read_responses(layout, "sums", "a/b")
    assert (right.text, right.cost_usd, right.prompt_tokens, right.error) == ("4", 0.5, 3, "")
    assert (late.error, late.prompt_tokens, np.isnan(late.cost_usd)) == ("late", -1, True)
    matrix = load_matrix(layout, ["sums"], ["a/b", "c"])
    np.testing.assert_array_equal(matrix.score, [[0.25, np.nan], [1.0, np.nan]])
    np.testing.assert_array_equal(matrix.cost, [[np.nan, np.nan], [0.5, np.nan]])  # no score: never free


def test_again_changes_nothing_and_a_new_table_what_it_names(tmp_path, layout):
    write(tmp_path / "in" / "sums")
    import_tables(tmp_path / "in", layout)
    path = layout.scores("sums", "c")
    before = path.stat().st_mtime_ns
    assert import_tables(tmp_path / "in", layout)[0].n_new == 0
    assert path.stat().st_mtime_ns == before
    write(tmp_path / "in" / "sums", results=[{**RESULTS[2], "score": 0.5}])
    assert import_tables(tmp_path / "in", layout)[0].n_new == 1
    assert read_scores(layout, "sums", "c")[0]["score"].tolist() == [0.5]


def test_repeats_are_told_apart(tmp_path, layout):
    rows = [{"model": "m", "index": 4, "repeat": repeat, "score": score} for repeat, score in ((1, 0.0), (0, 1.0))]
    write(tmp_path / "in" / "sums", results=rows)
    import_tables(tmp_path / "in", layout)
    table = read_scores(layout, "sums", "m")[0]
    assert (table["repeat"].tolist(), table["score"].tolist()) == ([0, 1], [1.0, 0.0])


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([{"model": "m", "index": 4}], "no column score"),
        ([{"model": "m", "index": 5, "score": 1.0}], "index 5, which is no query"),
        ([{"model": "m", "index": 4, "score": 1.0}] * 2, "index 4 twice"),
        ([{"model": "m", "index": 4, "score": 7.0}], r"outside \[0, 1\]"),
        ([{"model": "m", "index": 4, "score": "good"}], "column score holds more than numbers"),
    ],
)
def test_what_cannot_be_used_is_named_and_leaves_the_others_alone(tmp_path, layout, results, words):
    write(tmp_path / "in" / "bad", results=results)
    write(tmp_path / "in" / "good")
    bad, good = import_tables(tmp_path / "in", layout)
    assert re.search(words, bad.message)
    assert good.n_new == 2
    assert layout.scored_models("bad") == []


def test_a_damaged_file_and_a_missing_one(tmp_path, layout):
    write(tmp_path / "in" / "cut")
    (tmp_path / "in" / "cut" / "results.parquet").write_bytes(b"PAR1 and no more")
    write(tmp_path / "in" / "half")
    (tmp_path / "in" / "half" / "queries.parquet").unlink()
    cut, half = import_tables(tmp_path / "in", layout)
    assert "results.parquet cannot be read" in cut.message
    assert "has no queries.parquet" in half.message
    with pytest.raises(StoreError, match=r"has no <benchmark>/results\.parquet"):
        import_tables(tmp_path / "nowhere", layout)
