"""LiveMathBench: rows, prompt, outputs by both rules; the real rows where they are at hand."""

import json

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

LIVEMATHBENCH = find("livemathbench")
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "livemathbench").is_dir(), reason="the question files of LiveMathBench are not here"
)


@pytest.mark.parametrize(("output", "gold", "compat", "robust"), cases("livemathbench"))
def test_outputs(output, gold, compat, robust):
    query = Query(0, "What?", gold)
    assert LIVEMATHBENCH.score_compat(query, output).value == compat
    assert LIVEMATHBENCH.score(query, output).value == robust


def test_rows_become_queries_whose_gold_answers_are_text(tmp_path):
    rows = {"question": "1+1?", "answer": 2, "source": "amc", "other": 1}, {"question": "1+2?", "answer": "$3$"}
    (tmp_path / "livemathbench").mkdir()
    (tmp_path / "livemathbench" / "en_test.json").write_text("\n".join(map(json.dumps, rows)))
    assert LIVEMATHBENCH.load(tmp_path) == [
        Query(0, "1+1?", "2", metadata={"source": "amc"}),
        Query(1, "1+2?", "$3$"),
    ]


def test_the_prompt_asks_for_a_box_on_the_last_line():
    (message,) = LIVEMATHBENCH.prompt(Query(0, "Is 100% of {x} even?", "yes"))
    first, problem, last = message["content"].split("\n\n")
    assert problem == "Is 100% of {x} even?"
    assert "\\boxed{}" in first
    assert "\\boxed{$ANSWER}" in last


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"livemathbench/en_test\.json.*opencompass/LiveMathBench.*data_dir"):
        LIVEMATHBENCH.load(tmp_path)


@needs_data
def test_every_gold_answer_scores_one():
    queries = LIVEMATHBENCH.load(DATA_DIR)
    assert len(queries) == 121
    for query in queries:
        assert LIVEMATHBENCH.score(query, f"Hence the result is \\boxed{{{query.ground_truth}}}.").value == 1
