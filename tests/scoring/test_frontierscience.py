"""FrontierScience: both parts, what the judge is shown by either rule, and what is read in its replies."""

import json
import math
import re

import pytest
from judged_by_hand import asked, decided, judged
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from scoring.benchmarks.frontierscience import read_grade, read_grade_compat, read_points
from store.records import Query

OLYMPIAD, RESEARCH = find("frontierscience"), find("frontierscience", part="research")
ROW = {"problem": "What is {U}? FINAL ANSWER", "answer": "`\\(U=CT\\)`", "subject": "physics", "task_group_id": "27c8"}
QUERY = Query(0, ROW["problem"], ROW["answer"])
RIGHT = "<result>\n<grade>CORRECT</grade>\n<confidence>HIGH</confidence>\n</result>"
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "frontierscience").is_dir(), reason="the problems of FrontierScience are not here"
)


@pytest.mark.parametrize(("case", "output", "compat", "robust"), cases("frontierscience_final"))
def test_the_final_answer(case, output, compat, robust):
    assert judged(OLYMPIAD.judging_compat(QUERY, output), RIGHT).prediction == compat
    if output:
        assert judged(OLYMPIAD.judging(QUERY, output), "VERDICT: CORRECT").prediction == robust


@pytest.mark.parametrize(("case", "reply", "grade"), cases("frontierscience_grades_published"))
def test_grades_of_judges_by_the_published_rule(case, reply, grade):
    assert read_grade_compat(reply) == grade
    score = judged(OLYMPIAD.judging_compat(QUERY, "FINAL ANSWER: U = CT"), reply)
    assert (score.value, score.explanation) == (float(grade == "CORRECT"), f"the judge says {grade}")


def test_what_xml_cannot_hold_is_no_xml():
    assert read_grade_compat("<result><grade>CORRECT</grade>\ud800</result>") == "CORRECT"
    assert read_grade_compat("<result><grade>correct</grade>\x00</result>") == "CORRECT"


@pytest.mark.parametrize(("case", "reply", "grade"), cases("frontierscience_grades"))
def test_grades_of_judges(case, reply, grade):
    assert read_grade(reply) == grade
    if grade:
        assert judged(OLYMPIAD.judging(QUERY, "U = CT"), reply).value == float(grade == "CORRECT")


@pytest.mark.parametrize(("case", "reply", "points"), cases("frontierscience_points"))
def test_points_of_judges(case, reply, points):
    assert read_points(reply) == points
    if points is not None:
        score = judged(RESEARCH.judging(QUERY, "U = CT"), reply)
        assert score.value == float(points >= 7)
        assert float(score.prediction) == points


@pytest.mark.parametrize(
    ("points", "value", "prediction"), [("6.99", 0, "6.99"), ("7", 1, "7"), ("7.0", 1, "7"), ("10", 1, "10")]
)
def test_seven_points_of_ten_are_a_success(points, value, prediction):
    score = judged(RESEARCH.judging(QUERY, "<think>… and so"), f"VERDICT: {points}")
    assert (score.value, score.prediction) == (value, prediction)
    assert score.explanation == f"{prediction} of 10 points; broke off inside its reasoning"


def test_the_judge_sees_the_whole_attempt_without_reasoning():
    attempt = "<think>17?</think>First，{x}.\n\nFINAL ANSWER: U = CT\n\nNote."
    for benchmark, verdict in (
        (OLYMPIAD, "VERDICT: CORRECT\nVERDICT: INCORRECT"),
        (RESEARCH, "VERDICT: <total, such as 6.25>"),
    ):
        (question,) = asked(benchmark.judging(QUERY, attempt))
        (message,) = question.messages
        assert ROW["problem"] in message["content"]
        assert ROW["answer"] in message["content"]
        assert "<attempted_answer>\nFirst，{x}.\n\nFINAL ANSWER: U = CT\n\nNote.\n<" in message["content"]
        assert "17?" not in message["content"]
        assert message["content"].endswith(verdict)


@pytest.mark.parametrize("benchmark", [OLYMPIAD, RESEARCH])
def test_the_published_rule_shows_the_judge_the_first_paragraph_after_the_marker(benchmark):
    attempt = "<think>FINAL ANSWER: x</think>Why.\n\nFINAL ANSWER: U = CT\n\nNote."
    (question,) = asked(benchmark.judging_compat(QUERY, attempt))
    assert "Predicted answer: x</think>Why.\n" in question.messages[0]["content"]
    (question,) = asked(benchmark.judging_compat(QUERY, "U = CT"))
    assert "U = CT" not in question.messages[0]["content"].replace(ROW["answer"], "")
    assert "Predicted answer: (none given)\n" in question.messages[0]["content"]


@pytest.mark.parametrize("benchmark", [OLYMPIAD, RESEARCH])
def test_a_repetition_of_the_judge_s_question_is_no_verdict(benchmark):
    (question,) = asked(benchmark.judging(QUERY, "U = CT"))
    assert question.read(question.messages[0]["content"]) is None


@pytest.mark.parametrize("benchmark", [OLYMPIAD, RESEARCH])
@pytest.mark.parametrize("attempt", ["", " \n", "Generation failed: 500", "<think>long</think>\n"])
def test_no_answer_is_wrong_without_a_judge_but_not_in_the_published_rule(benchmark, attempt):
    assert decided(benchmark.judging(QUERY, attempt)).value == 0
    assert benchmark.score(QUERY, attempt).explanation == "no answer"
    assert asked(benchmark.judging_compat(QUERY, attempt))
    assert math.isnan(benchmark.score(QUERY, "U = CT").value)


def test_rows_become_queries_and_the_problem_is_the_prompt(tmp_path):
    (tmp_path / "frontierscience").mkdir()
    (tmp_path / "frontierscience" / "olympiad.jsonl").write_text(json.dumps(ROW))
    (query,) = OLYMPIAD.queries(tmp_path)
    assert (query.index, query.text, query.ground_truth) == (0, ROW["problem"], ROW["answer"])
    assert query.metadata == {"subject": "physics", "task_group_id": "27c8"}
    assert query.messages == ({"role": "user", "content": ROW["problem"]},)


def test_an_unknown_part_is_answered_with_the_two_that_there_are():
    with pytest.raises(BenchmarkError, match="no part 'olympics'; valid: olympiad, research"):
        find("frontierscience", part="olympics").load(DATA_DIR)


@pytest.mark.parametrize("part", ["olympiad", "research"])
def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path, part):
    with pytest.raises(BenchmarkError, match=rf"frontierscience/{part}\.jsonl.*luccabb/frontierscience.*data_dir"):
        find("frontierscience", part=part).load(tmp_path)


@needs_data
def test_all_problems_of_both_parts():
    queries = OLYMPIAD.queries(DATA_DIR)
    assert len(queries) == 100
    for query in queries:
        assert "FINAL ANSWER" in query.text
        attempt = f"I derive it.\n\n**FINAL ANSWER:** {query.ground_truth}"
        (question,) = asked(OLYMPIAD.judging_compat(query, attempt))
        assert query.ground_truth.split("\n\n")[0].strip() in question.messages[0]["content"]
        assert judged(OLYMPIAD.judging(query, attempt), "VERDICT: INCORRECT").value == 0
    queries = RESEARCH.queries(DATA_DIR)
    assert len(queries) == 60
    for query in queries:
        points = re.findall(r"^Points: ([\d.]+), Item:", query.ground_truth, re.MULTILINE)
        assert sum(map(float, points)) == pytest.approx(10)
        assert query.ground_truth in asked(RESEARCH.judging(query, "x"))[0].messages[0]["content"]
