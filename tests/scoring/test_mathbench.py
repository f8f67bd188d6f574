"""MathBench: rows, prompt, letters by both rules."""

import json

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

MATHBENCH = find("mathbench")
OPTIONS = dict(zip("ABCD", ["open", "closed", "both", "neither"], strict=True))
ROW = {"question": "Which {one}?", "options": [*OPTIONS.values()], "answer": "B", "topic": "topology"}
QUERY = Query(0, "Which?", "B", metadata={"options": OPTIONS})
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "mathbench").is_dir(), reason="the question files of MathBench are not here"
)


def write(tmp_path, *rows):
    (tmp_path / "mathbench").mkdir()
    (tmp_path / "mathbench" / "college.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.mark.parametrize(("output", "published", "compat", "prediction"), cases("few_letters_published"))
def test_published_table(output, published, compat, prediction):
    score = MATHBENCH.score_compat(QUERY, output)
    assert (score.prediction, score.value) == (published, compat)
    score = MATHBENCH.score(QUERY, output)
    assert (score.prediction, score.value) == (prediction, float(prediction == "B"))


def test_the_text_of_an_option_is_an_answer():
    assert MATHBENCH.score(QUERY, "It must be this one.\n\n" + OPTIONS["B"]).value == 1
    assert MATHBENCH.score(QUERY, "It must be this one.\n\n" + OPTIONS["C"]).value == 0
    assert MATHBENCH.score_compat(QUERY, "It must be this one.\n\n" + OPTIONS["B"]).value == 0


def test_rows_become_queries_with_or_without_a_topic(tmp_path):
    without = {key: value for key, value in ROW.items() if key != "topic"}
    first, second = MATHBENCH.load(write(tmp_path, ROW, without))
    assert first == Query(0, "Which {one}?", "B", metadata={"options": OPTIONS, "topic": "topology"})
    assert second == Query(1, "Which {one}?", "B", metadata={"options": OPTIONS})


def test_the_prompt_shows_question_and_options(tmp_path):
    (query,) = MATHBENCH.queries(write(tmp_path, ROW))
    head, question, options, cue = query.messages[0]["content"].split("\n\n")
    assert "'Answer: $LETTER'" in head
    assert "ABCD" in head
    assert question == "Which {one}?"
    assert options == "A. open\nB. closed\nC. both\nD. neither"
    assert "step" in cue


@pytest.mark.parametrize("bad", [{"answer": "E"}, {"answer": ""}, {"options": ["a", "b"]}, {"options": [*"abcde"]}])
def test_a_row_without_four_options_or_gold_letter_is_refused(tmp_path, bad):
    with pytest.raises(BenchmarkError, match=r"college\.jsonl, row 1: the answer"):
        MATHBENCH.load(write(tmp_path, ROW, ROW | bad))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"mathbench/college\.jsonl.*open-compass/MathBench.*data_dir"):
        MATHBENCH.load(tmp_path)


@needs_data
def test_the_right_letter_scores_one_on_every_row_and_a_wrong_one_zero():
    queries = MATHBENCH.load(DATA_DIR)
    assert len(queries) == 150
    for query in queries:
        gold, options = query.ground_truth, query.metadata["options"]
        wrong = "A" if gold != "A" else "B"
        assert MATHBENCH.score(query, f"Let us see. The answer is ({gold}) {options[gold]}.").value == 1
        assert MATHBENCH.score_compat(query, f"Let us see.\nAnswer: {gold}").value == 1
        assert MATHBENCH.score(query, f"Let us see.\n**Answer: {wrong}**").value == 0
        assert MATHBENCH.score_compat(query, f"Let us see.\n**Answer: {wrong}**").value == 0
