"""ArenaHard: questions with their baselines, both orders, labels and points of both rules, and the win rate."""

import json
import math

import pytest
from judged_by_hand import asked, decided, judged
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from scoring.benchmarks.arenahard import read, read_compat, win_rate
from store.records import Query

ARENAHARD = find("arenahard")
HARD = {"uid": "u1", "category": "hard_prompt", "subcategory": "coding", "prompt": "Sort {this}."}
CREATIVE = {"uid": "u2", "category": "creative_writing", "subcategory": "creative_writing", "prompt": "A sonnet."}
BASELINES = {"hard_prompt": "o3-mini-2025-01-31", "creative_writing": "gemini-2.0-flash-001"}
needs_data = pytest.mark.skipif(not (DATA_DIR / "arenahard").is_dir(), reason="the questions of ArenaHard are not here")


def query(row):
    metadata = {"category": row["category"], "baseline_answer": "the {baseline}'s answer"}
    return Query(0, row["prompt"], "", metadata=metadata)


def write(tmp_path, *rows):
    """The questions, and an answer to each by the baseline of its category."""
    (tmp_path / "arenahard" / "model_answer").mkdir(parents=True)
    (tmp_path / "arenahard" / "question.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for category, baseline in BASELINES.items():
        answers = [answer(row["uid"], f"{baseline} on {row['uid']}") for row in rows if row["category"] == category]
        replace_answers(tmp_path, category, *(answers or [answer("another", "x")]))
    return tmp_path


def answer(uid, text):
    return {
        "uid": uid,
        "model": "m",
        "messages": [{"role": "user"}, {"role": "assistant", "content": {"answer": text}}],
    }


def replace_answers(tmp_path, category, *answers):
    path = tmp_path / "arenahard" / "model_answer" / f"{BASELINES[category]}.jsonl"
    path.write_text("\n".join(map(json.dumps, answers)))


@pytest.mark.parametrize(("case", "reply", "compat", "robust"), cases("arenahard_labels"))
def test_labels_of_judges(case, reply, compat, robust):
    assert read_compat(reply) == compat
    assert read(reply) == robust


@pytest.mark.parametrize(("first", "second", "compat", "robust"), cases("arenahard_points"))
def test_scores_of_both_orders(first, second, compat, robust):
    replies = f"I compare.\n\n[[{first}]]", f"Verdict: [[{second}]]"
    assert judged(ARENAHARD.judging_compat(query(HARD), "sorted"), *replies).value == compat
    score = judged(ARENAHARD.judging(query(HARD), "sorted"), *replies)
    assert score.value == robust
    assert score.prediction == f"{first} {second}"
    assert score.explanation == f"{first} after the baseline, {second} before it"


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("no label", "[[A>>B]]", 0),
        ("[[B>>A]]", "", 0),
        ("see [A] and [B]", "[[A=B]]", 0.5),  # an unknown label is a tie
        ("[[A<B]]", "[[A>B]]", 1),
        ("[[A<B]]", "[[B>A]]", 0),
    ],
)
def test_the_published_rule_without_a_label_or_with_an_unknown_one(first, second, value):
    score = judged(ARENAHARD.judging_compat(query(HARD), "sorted"), first, second)
    assert score.value == value
    assert read_compat(first) or score.explanation.startswith("no label after the baseline")


def test_the_judge_sees_both_orders_at_the_same_time_and_no_reasoning():
    response = "<think>first {draft}</think>Here，it is. {x}"
    first, second = asked(ARENAHARD.judging(query(HARD), response))
    for question in (first, second):
        assert [message["role"] for message in question.messages] == ["system", "user"]
        assert question.judge == 0
        assert "Sort {this}." in question.messages[1]["content"]
        assert "draft" not in question.messages[1]["content"]
    a, b = (part(first, name) for name in "AB")
    assert (a, b) == ("the {baseline}'s answer", "Here，it is. {x}")  # as the model wrote it
    assert (part(second, "A"), part(second, "B")) == (b, a)


def part(question, name):
    content = question.messages[-1]["content"]
    return content.split(f"<answer_of_{name}>\n")[1].split(f"\n</answer_of_{name}>")[0]


def test_the_published_rule_sends_one_message_with_everything():
    response = "<think>first draft</think>Here it is."
    for question in asked(ARENAHARD.judging_compat(query(HARD), response)):
        (message,) = question.messages
        assert message["role"] == "user"
        assert message["content"].startswith("System: ")
        assert "\n\nUser: <user_message>\nSort {this}." in message["content"]
        assert response in message["content"]


@pytest.mark.parametrize(("row", "own_answers"), [(HARD, True), (CREATIVE, False)])
def test_only_for_hard_prompts_the_judge_writes_an_answer_first(row, own_answers):
    rules = asked(ARENAHARD.judging(query(row), "x"))[0].messages[0]["content"]
    assert ("answer the message yourself" in rules) is own_answers
    for label in ("[[A>>B]]", "[[A>B]]", "[[A=B]]", "[[B>A]]", "[[B>>A]]"):
        assert f"\n{label} if " in rules
    assert read(rules) is None


@pytest.mark.parametrize("response", ["", " \n", "Generation failed: 500", "<think>long</think>\n"])
def test_no_answer_has_lost_without_a_judge_but_not_in_the_published_rule(response):
    assert decided(ARENAHARD.judging(query(HARD), response)).value == 0
    assert ARENAHARD.score(query(HARD), response).explanation == "no answer"
    assert len(asked(ARENAHARD.judging_compat(query(HARD), response))) == 2
    assert math.isnan(ARENAHARD.score(query(HARD), "sorted").value)


@pytest.mark.parametrize(
    ("labels", "rate"),
    [
        ([("A=B", "A=B")], 0.5),
        ([("B>A", "A>B")], 1.0),
        ([("B>>A", "B>A")], 0.75),  # three won, one lost
        ([("A>>B", "A=B")], 0.5 / 4),
        ([("A>B", "A>B"), ("A>>B", "B>>A")], 1 / 8),
    ],
)
def test_win_rate_counts_a_strong_verdict_three_times(labels, rate):
    assert win_rate(labels) == pytest.approx(rate)


def test_win_rate_of_predictions_and_of_nothing():
    predictions = [judged(ARENAHARD.judging(query(HARD), "x"), "[[A<B]]", "[[B=A]]").prediction]
    assert win_rate(tuple(prediction.split()) for prediction in predictions) == 0.75
    assert math.isnan(win_rate([]))


def test_rows_get_the_answer_of_the_baseline_of_their_category(tmp_path):
    first, second = ARENAHARD.queries(write(tmp_path, HARD, CREATIVE))
    assert [first.index, second.index] == [0, 1]
    assert first.messages == ({"role": "user", "content": "Sort {this}."},)
    kept = {key: HARD[key] for key in ("uid", "category", "subcategory")}
    assert first.metadata == kept | {"baseline_answer": "o3-mini-2025-01-31 on u1"}
    assert second.metadata["baseline_answer"] == "gemini-2.0-flash-001 on u2"


def test_a_question_without_its_baseline_answer_is_refused(tmp_path):
    data_dir = write(tmp_path, HARD, CREATIVE)
    replace_answers(data_dir, "creative_writing", answer("another", "x"))
    with pytest.raises(BenchmarkError, match=r"question\.jsonl, row 1: no answer to u2 in model_answer/gemini-2"):
        ARENAHARD.load(data_dir)


@pytest.mark.parametrize("messages", [[], [{"content": "text"}], [{"content": {"answer": None}}], [{"content": {}}]])
def test_a_baseline_row_without_an_answer_is_refused(tmp_path, messages):
    data_dir = write(tmp_path, HARD)
    replace_answers(data_dir, "hard_prompt", answer("u1", "x"), {"uid": "u9", "messages": messages})
    with pytest.raises(BenchmarkError, match=r"o3-mini-2025-01-31\.jsonl, row 1: no answer in its last message"):
        ARENAHARD.load(data_dir)


def test_an_unknown_category_is_refused(tmp_path):
    data_dir = write(tmp_path, HARD)
    (data_dir / "arenahard" / "question.jsonl").write_text(json.dumps(HARD | {"category": "arena-hard-v0.1"}))
    with pytest.raises(
        BenchmarkError, match=r"row 0: category 'arena-hard-v0\.1', expected one of hard_prompt, creative"
    ):
        ARENAHARD.load(data_dir)


@pytest.mark.parametrize("lost", ["question", *(f"model_answer/{name}" for name in BASELINES.values())])
def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path, lost):
    (write(tmp_path, HARD, CREATIVE) / "arenahard" / f"{lost}.jsonl").unlink()
    with pytest.raises(
        BenchmarkError, match=rf"arenahard/{lost}\.jsonl.*arena-hard-v2\.0/{lost}.*arena-hard-auto.*data_"
    ):
        ARENAHARD.load(tmp_path)


@needs_data
def test_all_750_questions(tmp_path):
    rows = [json.loads(line) for line in (DATA_DIR / "arenahard" / "question.jsonl").read_text().split("\n") if line]
    queries = ARENAHARD.queries(write(tmp_path, *rows))
    categories = [one.metadata["subcategory"] for one in queries]
    assert {name: categories.count(name) for name in set(categories)} == {
        "coding": 253, "math": 247, "creative_writing": 250
    }  # fmt: skip
    for one in queries:
        assert one.messages[0]["content"] == one.text
        assert one.metadata["baseline_answer"].endswith(one.metadata["uid"])
        first, second = asked(ARENAHARD.judging(one, "My answer"))
        assert one.text in first.messages[1]["content"]
        assert part(second, "A") == part(first, "B") == "My answer"
