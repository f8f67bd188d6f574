"""SimpleQA: rows, the bare prompt, what the judge sees, its replies by both rules, and answers that need no judge."""

import csv
import math

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from scoring.benchmarks.simpleqa import grade_compat, grade_in
from store.records import Query

SIMPLEQA = find("simpleqa")
ROW = {
    "metadata": "{'topic': 'Art', 'answer_type': 'Person', 'urls': ['https://example.org']}",
    "problem": 'Who painted "The {blue} door",\nand when?\n',
    "answer": " Ann Lee, 1931 ",
}
QUERY = Query(0, ROW["problem"], ROW["answer"])
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "simpleqa").is_dir(), reason="the question files of SimpleQA are not here"
)


def write(tmp_path, *rows):
    (tmp_path / "simpleqa").mkdir()
    with (tmp_path / "simpleqa" / "simple_qa_test_set.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


def asked(judging):
    """The one question that a response leads to."""
    (question,) = next(judging)
    assert question.judge == 0
    return question


def judged(judging, verdict):
    """The score once the judge has given its verdict."""
    asked(judging)
    with pytest.raises(StopIteration) as end:
        judging.send([verdict])
    return end.value.value


@pytest.mark.parametrize(("reply", "compat", "robust"), cases("simpleqa_replies"))
def test_replies_of_the_judge(reply, compat, robust):
    assert grade_compat(reply) == compat
    assert grade_in(reply) == robust


@pytest.mark.parametrize(("grade", "value"), [("A", 1.0), ("B", 0.0), ("C", 0.0)])
def test_only_a_correct_answer_scores(grade, value):
    for judging in (SIMPLEQA.judging, SIMPLEQA.judging_compat):
        score = judged(judging(QUERY, "Ann Lee"), grade)
        assert (score.value, score.prediction) == (value, grade)


@pytest.mark.parametrize(
    "output", ["", " \n", "<think>Ann Lee?</think>\n", "<think>It is Ann Lee", "Generation failed: x"]
)
def test_an_output_without_an_answer_is_not_attempted_and_needs_no_judge(output):
    score = SIMPLEQA.score(QUERY, output)
    assert (score.value, score.prediction) == (0.0, "C")
    assert score.explanation.startswith("no answer")
    assert ("broke off" in score.explanation) == ("</think>" not in output and "<think>" in output)
    assert math.isnan(SIMPLEQA.score_compat(QUERY, output).value)  # the published rule has it judged all the same


def test_the_judge_sees_question_reference_and_the_answer_without_its_reasoning():
    output = "<think>Bob {Ray}? {answer}</think>\n\nIt was **Ann {Lee}**, in 1931.\n"
    (message,) = asked(SIMPLEQA.judging(QUERY, output)).messages
    assert message["role"] == "user"
    end = message["content"].partition("Question: ")[2]
    assert end.startswith(
        'Who painted "The {blue} door",\nand when?\n'
        "Reference answer: Ann Lee, 1931\n"
        "Given answer: It was **Ann {Lee}**, in 1931.\n\n"
    )
    (message,) = asked(SIMPLEQA.judging_compat(QUERY, output)).messages
    assert "Given answer: <think>Bob {Ray}? {answer}</think>" in message["content"]


def test_the_prompt_is_the_bare_question(tmp_path):
    (query,) = SIMPLEQA.queries(write(tmp_path, ROW))
    assert query.messages == ({"role": "user", "content": ROW["problem"]},)
    assert (query.index, query.text, query.ground_truth) == (0, ROW["problem"], ROW["answer"])
    assert query.metadata == {"topic": "Art", "answer_type": "Person", "urls": ["https://example.org"]}


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"problem": " "}, "no problem, or no answer"),
        ({"answer": ""}, "no problem, or no answer"),
        ({"metadata": "{'topic'"}, "its metadata is no mapping"),
        ({"metadata": "3"}, "its metadata is no mapping"),
        ({"metadata": "__import__('os')"}, "its metadata is no mapping"),
    ],
)
def test_a_row_that_lacks_something_is_refused(tmp_path, bad, why):
    with pytest.raises(BenchmarkError, match=rf"simple_qa_test_set\.csv, row 1: {why}"):
        SIMPLEQA.load(write(tmp_path, ROW, ROW | bad))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"simpleqa/simple_qa_test_set\.csv.*openai/simple-evals.*data_dir"):
        SIMPLEQA.load(tmp_path)


@needs_data
def test_every_row_of_the_file_can_be_judged():
    queries = SIMPLEQA.load(DATA_DIR)
    assert len(queries) == 4326
    for query in queries:
        question = asked(SIMPLEQA.judging(query, f"<think>Hm.</think>It is {query.ground_truth}."))
        assert question.messages[0]["content"].count(query.ground_truth.strip()) >= 2
