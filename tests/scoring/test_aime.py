"""AIME: rows under several field names, prompt, the published vectors, and every gold answer of the real files."""

import json

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

AIME = find("aime")
QUERY = Query(0, "What?", "204")
needs_data = pytest.mark.skipif(not (DATA_DIR / "aime").is_dir(), reason="the question files of AIME are not here")


def write(tmp_path, of_2024, of_2025):
    (tmp_path / "aime").mkdir()
    for name, row in (("aime24", of_2024), ("aime25", of_2025)):
        (tmp_path / "aime" / f"{name}.jsonl").write_text(json.dumps(row))
    return tmp_path


@pytest.mark.parametrize(("output", "prediction", "compat", "robust"), cases("aime_published"))
def test_published_vectors(output, prediction, compat, robust):
    published = AIME.score_compat(QUERY, output)
    assert (published.prediction, published.value) == (prediction, compat)
    assert AIME.score(QUERY, output).value == robust


@pytest.mark.parametrize(("output", "prediction", "robust"), cases("aime_more"))
def test_shapes_of_real_outputs(output, prediction, robust):
    score = AIME.score(QUERY, output)
    assert (score.prediction, score.value) == (prediction, robust)


def test_unfinished_reasoning_is_noted():
    assert AIME.score(QUERY, "<think>try 17").explanation.endswith("broke off inside its reasoning")


def test_the_prompt_asks_for_a_box_on_the_last_line():
    (message,) = AIME.prompt(Query(0, "Is 100% of {x} even?", "0"))
    first, problem, last = message["content"].split("\n\n")
    assert problem == "Is 100% of {x} even?"
    assert "\\boxed{}" in first
    assert "\\boxed{$ANSWER}" in last


def test_both_years_in_order_and_other_field_names(tmp_path):
    rows = {"problem": "1+1?", "expected_answer": "2"}, {"Problem": "2+2?", "Answer": 4}
    assert AIME.load(write(tmp_path, *rows)) == [
        Query(0, "1+1?", "2", metadata={"year": 2024, "number": 0}),
        Query(1, "2+2?", "4", metadata={"year": 2025, "number": 0}),
    ]


def test_leading_zeros_of_a_gold_answer_go(tmp_path):
    row = {"question": "1+1?", "answer": "033"}
    assert AIME.load(write(tmp_path, row, row))[0].ground_truth == "33"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"problem": "1+1?", "answer": "2000"}, r"aime25\.jsonl, row 0: the answer '2000'"),
        ({"problem": "1+1?"}, r"aime25\.jsonl, row 0: none of the fields expected_answer"),
        ({"answer": "2"}, r"aime25\.jsonl, row 0: none of the fields problem"),
    ],
)
def test_malformed_rows_are_refused(tmp_path, bad, message):
    with pytest.raises(BenchmarkError, match=message):
        AIME.load(write(tmp_path, {"problem": "1+1?", "answer": "2"}, bad))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"aime/aime24\.jsonl.*NeMo-Skills.*data_dir"):
        AIME.load(tmp_path)


@needs_data
def test_every_gold_answer_scores_one_and_another_number_zero():
    queries = AIME.load(DATA_DIR)
    assert len(queries) == 60
    assert [query.metadata["year"] for query in queries] == [2024] * 30 + [2025] * 30
    for query in queries:
        wrong = str(int(query.ground_truth) + 1)
        for frame in ("Hence \\boxed{%s}.", "**Final Answer**\n\n$\\boxed{%s}$", "The final answer is %s."):
            assert AIME.score(query, frame % query.ground_truth).value == 1
            assert AIME.score_compat(query, frame % query.ground_truth).value == 1
            assert AIME.score(query, frame % wrong).value == 0
            assert AIME.score_compat(query, frame % wrong).value == 0
