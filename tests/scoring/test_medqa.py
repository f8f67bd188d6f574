"""MedQA: rows, prompt, letters by both rules, and every row of the real file."""

import json

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

MEDQA = find("medqa")
OPTIONS = dict(zip("ABCD", ["measles", "mumps", "rubella", "gout"], strict=True))
ROW = {"question": "Which {one}?", "options": OPTIONS, "answer": "mumps", "answer_idx": "B", "meta_info": "step1"}
QUERY = Query(0, "Which?", "B", metadata={"options": OPTIONS})
needs_data = pytest.mark.skipif(not (DATA_DIR / "medqa").is_dir(), reason="the question files of MedQA are not here")


def write(tmp_path, *rows):
    (tmp_path / "medqa").mkdir()
    (tmp_path / "medqa" / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.mark.parametrize(("output", "published", "compat", "prediction"), cases("few_letters_published"))
def test_published_table(output, published, compat, prediction):
    score = MEDQA.score_compat(QUERY, output)
    assert (score.prediction, score.value) == (published, compat)
    score = MEDQA.score(QUERY, output)
    assert (score.prediction, score.value) == (prediction, float(prediction == "B"))


def test_the_text_of_an_option_is_an_answer():
    assert MEDQA.score(QUERY, "It must be this one.\n\n" + OPTIONS["B"]).value == 1
    assert MEDQA.score(QUERY, "It must be this one.\n\n" + OPTIONS["C"]).value == 0
    assert MEDQA.score_compat(QUERY, "It must be this one.\n\n" + OPTIONS["B"]).value == 0


def test_the_gold_answer_is_the_letter(tmp_path):
    (query,) = MEDQA.load(write(tmp_path, ROW | {"realidx": 7, "metamap_phrases": []}))
    assert query == Query(0, "Which {one}?", "B", metadata={"step": "step1", "options": OPTIONS})


def test_the_prompt_shows_question_and_options(tmp_path):
    (query,) = MEDQA.queries(write(tmp_path, ROW))
    head, question, options, cue = query.messages[0]["content"].split("\n\n")
    assert "'Answer: $LETTER'" in head
    assert "ABCD" in head
    assert question == "Which {one}?"
    assert options == "A. measles\nB. mumps\nC. rubella\nD. gout"
    assert "step" in cue


@pytest.mark.parametrize("bad", [{"answer_idx": "E"}, {"answer": "gout"}, {"options": {"A": "x", "B": "mumps"}}])
def test_a_gold_letter_that_is_not_the_answer_is_refused(tmp_path, bad):
    with pytest.raises(BenchmarkError, match=r"test\.jsonl, row 1: the answer"):
        MEDQA.load(write(tmp_path, ROW, ROW | bad))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"medqa/test\.jsonl.*jind11/MedQA.*data_dir"):
        MEDQA.load(tmp_path)


@needs_data
def test_the_right_letter_scores_one_on_every_row_and_a_wrong_one_zero():
    queries = MEDQA.load(DATA_DIR)
    assert len(queries) == 1273
    for query in queries:
        gold, options = query.ground_truth, query.metadata["options"]
        wrong = "A" if gold != "A" else "B"
        assert MEDQA.score(query, f"Let us see. The answer is ({gold}) {options[gold]}.").value == 1
        assert MEDQA.score_compat(query, f"Let us see.\nAnswer: {gold}").value == 1
        assert MEDQA.score(query, f"Let us see.\n**Answer: {wrong}**").value == 0
        assert MEDQA.score_compat(query, f"Let us see.\n**Answer: {wrong}**").value == 0
