"""MATH500: rows, prompt, the published vectors, and every gold answer of the real file."""

import json
from itertools import pairwise

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

MATH500 = find("math500")
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "math500").is_dir(), reason="the question files of MATH500 are not here"
)


def scores(output, gold):
    query = Query(0, "What?", gold)
    return MATH500.score_compat(query, output).value, MATH500.score(query, output).value


@pytest.mark.parametrize(("output", "gold", "compat", "robust"), cases("math500_published") + cases("math500_more"))
def test_vectors(output, gold, compat, robust):
    assert scores(output, gold) == (compat, robust)


def test_the_score_says_what_was_extracted_and_why():
    score = MATH500.score(Query(0, "What?", "\\frac{1}{2}"), "<think>Let me see. \\boxed{0.50}")
    assert (score.value, score.prediction) == (1.0, "0.50")
    assert score.explanation == "compared as numbers; broke off inside its reasoning"


def test_the_prompt_asks_for_a_box_on_the_last_line():
    (message,) = MATH500.prompt(Query(0, "Is 100% of {x} even?", "yes"))
    first, problem, last = message["content"].split("\n\n")
    assert message["role"] == "user"
    assert problem == "Is 100% of {x} even?"
    assert "\\boxed{}" in first
    assert "\\boxed{$ANSWER}" in last


def test_rows_become_queries(tmp_path):
    row = {
        "problem": "1+1?",
        "solution": "",
        "answer": "2",
        "subject": "Algebra",
        "level": 1,
        "unique_id": "test/a/1.json",
    }
    (tmp_path / "math500").mkdir()
    (tmp_path / "math500" / "test.jsonl").write_text(json.dumps(row) + "\n\n" + json.dumps(row | {"answer": "3"}))
    first, second = MATH500.load(tmp_path)
    assert first == Query(0, "1+1?", "2", metadata={"subject": "Algebra", "level": 1, "unique_id": "test/a/1.json"})
    assert (second.index, second.ground_truth) == (1, "3")


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"math500/test\.jsonl.*prm800k.*data_dir"):
        MATH500.load(tmp_path)


@needs_data
def test_every_gold_answer_scores_one():
    queries = MATH500.load(DATA_DIR)
    assert len(queries) == 500
    frames = ("Hence the result is \\boxed{%s}.", "**Final Answer**\n\n$\\boxed{%s}$")
    for query in queries:
        for frame in frames:
            assert MATH500.score(query, frame % query.ground_truth).value == 1
            assert MATH500.score_compat(query, frame % query.ground_truth).value == 1
        assert MATH500.score(query, f"The final answer is: ${query.ground_truth}$. I hope it is correct.").value == 1


@needs_data
@pytest.mark.slow
def test_the_gold_answer_of_another_row_scores_zero():
    queries = MATH500.load(DATA_DIR)
    same = {("5", "x=5"), ("7", "7"), ("3", "3")}  # neighbours whose answers are the same
    for query, other in pairwise(queries):
        output = f"\\boxed{{{other.ground_truth}}}"
        expected = float((query.ground_truth, other.ground_truth) in same)
        assert MATH500.score(query, output).value == expected, (query.ground_truth, other.ground_truth)
        assert MATH500.score_compat(query, output).value == expected, (query.ground_truth, other.ground_truth)


@needs_data
def test_no_answer_and_a_wrong_one_score_zero_on_every_row():
    for query in MATH500.load(DATA_DIR):
        for output in ("I cannot say.", "", "\\boxed{}", "\\boxed{a wrong answer}"):
            assert MATH500.score(query, output).value == 0
            assert MATH500.score_compat(query, output).value == 0
