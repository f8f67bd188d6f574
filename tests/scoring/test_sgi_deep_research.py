"""SGI-Bench's deep research: numbers compared as numbers, the judge's two replies, and the published rule."""

import json
import math

import pytest
from judged_by_hand import asked, content, endures, play, readers_endure

from scoring.benchmark import BenchmarkError, find
from scoring.graders.json_reply import json_in
from scoring.graders.same_values import same_answer, same_values
from store.records import Query

DEEP = find("sgi_deep_research")
ROW = {
    "idx": "SGI_DeepResearch_0000",
    "question": "Which fraction of {the} flux is lost?",
    "steps": ["Find the depth.", "Divide."],
    "answer": "0.25",
    "discipline": "astronomy",
}
GOOD, BAD = '{"solution_step": "s", "reason": "r", "judge": "correct"}', '{"judge": "incorrect"}'


def query(gold):
    return Query(0, ROW["question"], gold, metadata={"steps": ROW["steps"]})


@pytest.mark.parametrize(
    ("output", "gold", "compat", "robust"),
    [
        ("Step 1. …\n<answer>0.25</answer>", "0.25", 1, 1),
        ("<answer>0.250</answer>", "0.25", 0, 1),
        ("<answer>$0.25$</answer>", "0.25", 0, 1),
        ("<answer>**0.25**.</answer>", "0.25", 0, 1),
        ("<answer>\\boxed{0.25}</answer>", "0.25", 0, 1),
        ("<answer>2.5 \\times 10^{-1}</answer>", "0.25", 0, 1),
        ("<answer>−1,234.0</answer>", "-1234", 0, 1),
        ("<think>x <answer>0.3</answer></think>\n<answer>0.25</answer>", "0.25", 1, 1),
        ("<answer>0.25</answer>\nIt stands in <answer> tags.", "0.25", 0, 1),
        ("<ANSWER>0.25</ANSWER>", "0.25", 0, 1),
        ("<answer>0.25", "0.25", 0, 1),
        ("The answer is **0.25**.", "0.25", 0, 1),
        ("0.25", "0.25", 1, 1),
        ("<answer>t cell and B cell</answer>", "T cell and B cell", 0, 1),
        ("<answer>[1, 2.50]</answer>", "[1.0, 2.5]", 0, 1),
    ],
)
def test_a_right_answer_needs_no_second_question(output, gold, compat, robust):
    assert play(DEEP.judging(query(gold), output), [f"[{GOOD}]"]).value == robust
    replies = [f"[{GOOD}]"] + ["nothing of the kind"] * (1 - compat)
    assert play(DEEP.judging_compat(query(gold), output), replies).value == compat


@pytest.mark.parametrize(
    ("output", "gold", "restated", "compat", "robust"),
    [
        ("<answer>a quarter of it</answer>", "0.25", "0.25", 1, 1),
        ("<answer>about 0.25 mol</answer>", "0.25", "0.25\n", 1, 1),
        ("<answer>a quarter of it</answer>", "0.25", "0.250", 0, 1),
        ("<answer>a fifth of it</answer>", "0.25", "0.20", 0, 0),
        ("<answer>0.26</answer>", "0.25", "0.26", 0, 0),
        ("<answer>25 %</answer>", "0.25", "25", 0, 0),
        ("I do not know.", "0.25", "unknown", 0, 0),
        ("<answer>a quarter</answer>", "0.25", "<think>a half?</think>0.25", 0, 1),
        ("<answer>0.249999</answer>", "0.25", "0.249999", 0, 0),
    ],
)
def test_other_answers_are_restated(output, gold, restated, compat, robust):
    assert play(DEEP.judging(query(gold), output), [f"[{GOOD}]", restated]).value == robust
    assert play(DEEP.judging_compat(query(gold), output), [f"[{GOOD}]", restated]).value == compat


def test_whoever_restates_does_not_see_the_gold_answer_but_its_kind():
    verify, restate = map(content, asked(DEEP.judging(query("0.777"), "<answer>four {fifths}</answer>")))
    assert "0.777" in verify
    assert "Find the depth.\nDivide." in verify
    assert "four {fifths}" in restate
    assert "0.777" not in restate
    assert "\n0.25\n" in restate
    _, restate = map(content, asked(DEEP.judging(query("iron"), "<answer>copper</answer>")))
    assert "\n0.25\n" not in restate
    assert "iron" not in restate


@pytest.mark.parametrize(
    ("reply", "compat", "robust"),
    [
        (f"[{GOOD}, {BAD}]", 0.5, 0.5),
        (f"```json\n[{GOOD},\n {BAD},\n]\n```", 0.5, 0.5),
        (f"Here it is: [{GOOD}]. That is all [I have].", 0.0, None),
        ('[{"judge": " Correct ", "reason": "\\alpha = \\upsilon"}]', 0.0, 1.0),
        ('[{"judge": "correct", "reason": null}]', 1.0, 1.0),  # evaluated as Python it would be 0
        ('[{"judge": "mostly correct"}]', 0.0, None),
        (f'[{GOOD}, "and so on"]', 0.5, None),
        ("[]", 0.0, None),
        ('[__import__("os").system("false")]', 0.0, None),
        ("The solution is right.", 0.0, None),
        (f"<think>[{BAD}]</think>[{GOOD}]", 0.0, 1.0),
        (f"<think>[{GOOD}]", 1.0, None),
        ("", 0.0, None),
    ],
)
def test_replies_about_steps(reply, compat, robust):
    right = "<answer>0.25</answer>"
    (question,), (published,) = (
        asked(judging(query("0.25"), right)) for judging in (DEEP.judging, DEEP.judging_compat)
    )
    assert question.read(reply) == robust
    assert published.read(reply) == compat


def test_the_explanation_has_the_share_of_right_steps():
    score = play(DEEP.judging(query("0.25"), "<think>so<answer>0.25</answer>"), [f"[{GOOD}, {BAD}, {GOOD}, {GOOD}]"])
    assert score.explanation == "as written; 75% of the steps are right; broke off inside its reasoning"
    assert score.prediction == "0.25"


@pytest.mark.parametrize("output", ["", " \n", "Generation failed: 0.25"])
def test_no_answer_costs_no_question(output):
    assert DEEP.score(query("0.25"), output).value == 0
    assert math.isnan(DEEP.score_compat(query("0.25"), output).value)


@pytest.mark.parametrize(
    ("found", "wanted", "is_same"),
    [
        ("loss: 0.250", "loss: 0.25", True),
        ("[1. 2.]", "[1.0, 2.0]", False),
        ("[1.  2.]", "[1.0 2]", True),
        ("0.30000000000000004", "0.3", True),
        ("0.3001", "0.3", False),
        ("1e-05", "0.00001", True),
        ("-5", "5", False),
        ("a-5", "a5", False),
        ("H2O", "H02O", False),
        ("1 2", "12", False),
        ("1,234", "1234", True),
        ("x = −2", "x = -2.0", True),
        ("nan", "nan", True),
        ("9" * 5000, "9" * 4999 + "8", True),  # the last of 5,000 digits is within rounding
        ("", "", True),
    ],
)
def test_numbers_within_text(found, wanted, is_same):
    assert same_values(found, wanted) is is_same
    assert same_answer(f"${found}$.", wanted) is is_same


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ('so {"a": 1} it is', dict, {"a": 1}),
        ('```json\n{"a": 1}\n```\n```json\n{"a": 2}\n```', dict, {"a": 2}),
        ('```\nno\n```\n{"a": "b\nc"}', dict, {"a": "b\nc"}),
        ('{"a": [1, 2,], }', dict, {"a": [1, 2]}),
        ('{"a": "\\\\frac \\sum \\u00e9"}', dict, {"a": "\\frac \\sum é"}),
        ("[1, 2", list, None),
        ("{'a': 1}", dict, None),
        ("[" * 50_000 + "]" * 50_000, list, None),
        ('[{"a": 1}]', dict, {"a": 1}),
    ],
)
def test_json_between_prose(text, kind, value):
    assert json_in(text, kind) == value


def write(tmp_path, row):
    folder = tmp_path / "sgi_deep_research"
    folder.mkdir()
    (folder / "test.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def test_rows_become_queries(tmp_path):
    (loaded,) = DEEP.queries(write(tmp_path, ROW))
    assert (loaded.text, loaded.ground_truth) == (ROW["question"], "0.25")
    assert loaded.metadata == {"steps": ROW["steps"], "discipline": "astronomy"}
    prompt = loaded.messages[0]["content"]
    assert prompt.startswith(ROW["question"] + "\n")
    assert "<answer>1.00</answer>" in prompt


@pytest.mark.parametrize(("field", "value"), [("steps", "one"), ("steps", [1]), ("answer", 0.25)])
def test_a_row_of_another_form_is_refused(tmp_path, field, value):
    with pytest.raises(BenchmarkError, match=r"test\.jsonl, (line 1|row 0)"):
        DEEP.load(write(tmp_path, ROW | {field: value}))


def test_a_missing_file_says_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"sgi_deep_research/test\.jsonl.*SGI-DeepResearch.*data_dir"):
        DEEP.load(tmp_path)


def test_no_text_and_no_reply_breaks_it():
    endures(DEEP, query("0.25"))
    output = "<answer>x</answer>"
    questions = [*asked(DEEP.judging(query("1"), output)), *asked(DEEP.judging_compat(query("1"), output))]
    readers_endure(*(question.read for question in questions))
