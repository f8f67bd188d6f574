"""GPQA: rows, the order of the options, prompt, letters by both rules."""

import csv

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

GPQA = find("gpqa")
OPTIONS = dict(zip("ABCD", ["a muon", "a kaon", "a pion", "a gluon"], strict=True))
ROW = {
    "Question": "Which {one},\nplease?\n",
    "Correct Answer": "a kaon",
    "Incorrect Answer 1": "a muon",
    "Incorrect Answer 2": "a pion\n",
    "Incorrect Answer 3": "a gluon",
    "High-level domain": "Physics",
    "Record ID": "rec0",
}
QUERY = Query(0, "Which?", "B", metadata={"options": OPTIONS})
needs_data = pytest.mark.skipif(not (DATA_DIR / "gpqa").is_dir(), reason="the question files of GPQA are not here")


def write(tmp_path, *rows):
    (tmp_path / "gpqa").mkdir()
    with (tmp_path / "gpqa" / "gpqa_diamond.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


@pytest.mark.parametrize(("output", "published", "compat", "prediction"), cases("few_letters_published"))
def test_published_table(output, published, compat, prediction):
    score = GPQA.score_compat(QUERY, output)
    assert (score.prediction, score.value) == (published, compat)
    score = GPQA.score(QUERY, output)
    assert (score.prediction, score.value) == (prediction, float(prediction == "B"))


def test_the_text_of_an_option_is_an_answer():
    assert GPQA.score(QUERY, "It must be this one.\n\n" + OPTIONS["B"]).value == 1
    assert GPQA.score(QUERY, "It must be this one.\n\n" + OPTIONS["C"]).value == 0
    assert GPQA.score_compat(QUERY, "It must be this one.\n\n" + OPTIONS["B"]).value == 0


def test_the_options_are_ordered_by_the_record_s_id_alone(tmp_path):
    renamed = ROW | {"Question": "Another?", "Correct Answer": "a lepton"}
    first, second = GPQA.load(write(tmp_path, ROW, renamed))
    assert first.text == "Which {one},\nplease?"
    assert sorted(first.metadata["options"].values()) == ["a gluon", "a kaon", "a muon", "a pion"]
    assert first.metadata["options"][first.ground_truth] == "a kaon"
    assert second.metadata["options"] == first.metadata["options"] | {first.ground_truth: "a lepton"}
    # The stored responses of a gated set depend on this order: it must never change.
    assert first.metadata["options"] == dict(zip("ABCD", ["a kaon", "a gluon", "a muon", "a pion"], strict=True))


def test_every_letter_is_gold_about_as_often(tmp_path):
    rows = [ROW | {"Record ID": f"rec{number}"} for number in range(400)]
    golds = [query.ground_truth for query in GPQA.load(write(tmp_path, *rows))]
    assert all(70 < golds.count(letter) < 130 for letter in "ABCD")


def test_the_prompt_shows_question_and_options(tmp_path):
    (query,) = GPQA.queries(write(tmp_path, ROW))
    head, question, options = query.messages[0]["content"].split("\n\n")
    assert "'Answer: $LETTER'" in head
    assert "step by step" in head
    assert question == "Which {one},\nplease?"
    assert options.split("\n") == [f"{key}) {option}" for key, option in query.metadata["options"].items()]


@pytest.mark.parametrize("bad", [{"Question": " "}, {"Incorrect Answer 3": ""}])
def test_an_empty_question_or_option_is_refused(tmp_path, bad):
    with pytest.raises(BenchmarkError, match=r"gpqa_diamond\.csv, row 1: no question, or an empty option"):
        GPQA.load(write(tmp_path, ROW, ROW | bad))


def test_another_file_of_that_name_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match=r"gpqa_diamond\.csv has no column 'Record ID'"):
        GPQA.load(write(tmp_path, {key: value for key, value in ROW.items() if key != "Record ID"}))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"gpqa/gpqa_diamond\.csv.*Idavidrein/gpqa.*data_dir"):
        GPQA.load(tmp_path)


@needs_data
def test_the_right_letter_scores_one_on_every_row_and_a_wrong_one_zero():
    queries = GPQA.load(DATA_DIR)
    assert len(queries) == 198
    for query in queries:
        gold, options = query.ground_truth, query.metadata["options"]
        wrong = "A" if gold != "A" else "B"
        assert GPQA.score(query, f"Let us see. The answer is ({gold}) {options[gold]}.").value == 1
        assert GPQA.score_compat(query, f"Let us see.\nAnswer: {gold}").value == 1
        assert GPQA.score(query, f"Let us see.\n**Answer: {wrong}**").value == 0
        assert GPQA.score_compat(query, f"Let us see.\n**Answer: {wrong}**").value == 0
