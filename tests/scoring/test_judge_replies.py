"""Replies of judges: labelled values, agreement, and no reply whatever that a question cannot take."""

import time

import pytest
from judged_by_hand import asked
from test_benchmarks_contract import LONG, NASTY

from scoring.benchmark import find
from scoring.graders.judge import agreed, labelled, said
from store.records import Query

QUERY = Query(0, "Why?", "So.", metadata={"category": "hard_prompt", "baseline_answer": "Because."})
LONG_REPLIES = {
    "labels": "correct: yes\nVERDICT: 7\n" * (LONG // 24),
    "labels on one line": "correct: VERDICT: " * (LONG // 18),
    "labels without values": "correct \nVERDICT\n" * (LONG // 18),
    "keys": '"correct": "VERDICT": ' * (LONG // 22),
    "an unclosed value": '"correct": "' + "\\" * LONG,
    "keys in an unclosed value": '"correct": "\\' * (LONG // 13),
    "marks": "*" * LONG + "correct",
    "marks after a label": "VERDICT" + "*" * LONG,
    "spaces after a label": "correct: " + " " * LONG + "yes",
    "quotes": '"' * LONG,
    "numbers": "1.1)" * (LONG // 4) + " correct: yes",
    "digits": "VERDICT: " + "7" * LONG + "\nconfidence: " + "7" * LONG,
    "double brackets": "[[" * (LONG // 2),
    "labels in brackets": "[[A>B]]" * (LONG // 7),
    "an unclosed label": "[[" + "A>B " * (LONG // 4),
    "results": "<result>" * (LONG // 8) + "</result>",
    "an unclosed grade": "<result><grade>" + " " * LONG,
    "entities": "&gt;" * (LONG // 4),
}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("verdict: a\nVERDICT:b\r\n", ["a", "b"]),
        ("  * **Verdict** : `a` *", ["a"]),
        ("2) verdict: a, b", ["a, b"]),
        ('{"x": 1, "verdict" : "a \\" b", "y": 2}', ['a \\" b']),
        ("{'verdict': a}", ["a"]),
        ('{"verdict": true, "verdict": false}', ["true", "false"]),
        ("verdict:\n# Verdict: **\n", []),
        ("my verdict: a\nverdicts: b\nverdict of C: c\nverdict a", []),
    ],
)
def test_labelled_values(text, values):
    assert labelled(text, "verdict") == values


def test_agreement():
    assert agreed(["a", "a"]) == "a"
    assert agreed([False]) is False
    assert agreed(["a", "b"]) is agreed(["a", None]) is agreed([]) is None


def test_what_a_reply_says():
    assert said("<think>no</think> Ｙes：\u00a0a") == " Yes: a"
    assert said("yes <think>or no") == said("Generation failed: yes") == ""


@pytest.fixture(
    params=[("hle", {}), ("arenahard", {}), ("frontierscience", {}), ("frontierscience", {"part": "research"})]
)
def judged_benchmark(request):
    name, params = request.param
    return find(name, **params)


@pytest.mark.parametrize("profile", ["judging", "judging_compat"])
def test_no_reply_raises_or_takes_long(judged_benchmark, profile):
    read = asked(getattr(judged_benchmark, profile)(QUERY, "So."))[0].read
    slow = {}
    for name, reply in (NASTY | LONG_REPLIES).items():
        begin = time.process_time()
        verdict = read(reply)
        slow |= {name: used} if (used := time.process_time() - begin) > 1 else {}
        if profile == "judging_compat":
            assert verdict is not None, name  # it knows no second try
        elif name in NASTY:
            assert verdict is None, name
    assert not slow


@pytest.mark.parametrize("profile", ["judging", "judging_compat"])
def test_no_response_raises_or_takes_long(judged_benchmark, profile):
    for name, text in NASTY.items():
        begin = time.process_time()
        questions = next(getattr(judged_benchmark, profile)(QUERY, text), ())
        assert all(message["content"] for question in questions for message in question.messages), name
        assert time.process_time() - begin < 1, name
