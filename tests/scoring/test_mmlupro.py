"""MMLU-Pro: rows with options as list or object, prompts, padding, scores of every row of the real file."""

import gzip
import json

import pytest
from read_cases import DATA_DIR

from scoring.benchmark import BenchmarkError, find
from store.records import Query

MMLU = find("mmlupro")
ROW = {
    "question_id": 70,
    "question": "Which {one}?",
    "options": ["x", "y", "z"],
    "answer": "B",
    "category": "law",
    "src": "s",
}
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "mmlupro").is_dir(), reason="the question files of MMLU-Pro are not here"
)


def write(tmp_path, *rows):
    (tmp_path / "mmlupro").mkdir()
    with gzip.open(tmp_path / "mmlupro" / "test.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_options_as_list_and_as_object_give_the_same_query(tmp_path):
    padded = ROW | {"options": {"A": "x", "B": "y", "C": "z", "D": None}}
    one, other = MMLU.load(write(tmp_path, ROW, padded))
    assert one.metadata == other.metadata == {
        "question_id": 70, "category": "law", "src": "s", "options": {"A": "x", "B": "y", "C": "z"},
    }  # fmt: skip
    assert (one.index, one.text, one.ground_truth) == (0, "Which {one}?", "B")


def test_the_prompt_lists_the_options_of_the_question(tmp_path):
    (query,) = MMLU.queries(write(tmp_path, ROW))
    head, question, options, cue = query.messages[0]["content"].split("\n\n")
    assert "law" in head
    assert "'Answer: $LETTER'" in head
    assert head.endswith("LETTER is one of ABC.")
    assert question == "Which {one}?"
    assert options == "A. x\nB. y\nC. z"
    assert "step" in cue


def test_padded_options_repeat_the_published_prompts(tmp_path):
    (query,) = find("mmlupro", pad_options=True).queries(write(tmp_path, ROW))
    head, _, options, _ = query.messages[0]["content"].split("\n\n")
    assert head.endswith("ABCDEFGHIJ.")
    assert options.split("\n")[2:] == ["C. z", *(f"{key}. None" for key in "DEFGHIJ")]


@pytest.mark.parametrize("bad", [{"answer": "D"}, {"answer": ""}, {"options": list("abcdefghijk")}, {"options": []}])
def test_a_gold_letter_without_option_is_refused(tmp_path, bad):
    with pytest.raises(BenchmarkError, match=r"test\.jsonl\.gz, row 0: the answer"):
        MMLU.load(write(tmp_path, ROW | bad))


@pytest.mark.parametrize(
    ("output", "compat", "robust"),
    [
        ("Answer: B", 1, 1),
        ("Answer: **b**", 0, 1),
        ("Answer: C", 0, 0),
        ("Answer: Because", 1, 0),
        ("y", 0, 1),
        ("", 0, 0),
    ],
)
def test_scores(output, compat, robust):
    query = Query(0, "Which?", "B", metadata={"options": {"A": "x", "B": "y", "C": "z"}, "category": "law"})
    assert MMLU.score_compat(query, output).value == compat
    assert MMLU.score(query, output).value == robust


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"mmlupro/test\.jsonl.*TIGER-Lab/MMLU-Pro.*data_dir"):
        MMLU.load(tmp_path)


@needs_data
@pytest.mark.slow
def test_the_right_letter_scores_one_on_every_row_and_a_wrong_one_zero():
    queries = MMLU.load(DATA_DIR)
    assert len(queries) == 12032
    assert len({query.metadata["category"] for query in queries}) == 14
    for query in queries:
        gold, options = query.ground_truth, query.metadata["options"]
        wrong = "A" if gold != "A" else "B"
        assert MMLU.score(query, f"Let us see. The answer is ({gold}) {options[gold]}.").value == 1
        assert MMLU.score_compat(query, f"Let us see.\nAnswer: {gold}").value == 1
        assert MMLU.score(query, f"Let us see.\n**Answer: {wrong}**").value == 0
        assert MMLU.score_compat(query, f"Let us see.\n**Answer: {wrong}**").value == 0
