"""Letters of multiple-choice answers: the published table, and shapes of real outputs."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from read_cases import cases

from scoring.graders.choice import letter, letter_compat
from scoring.graders.reasoning import answer_part
from scoring.graders.statement import line_compat, stated_answer

PLANETS = ["Jupiter", "Saturn", "Mars", "Uranus", "Venus", "Earth", "Neptune", "Mercury", "Ceres", "Pluto"]
OPTIONS = dict(zip("ABCDEFGHIJ", PLANETS, strict=True))


def robust(output, options=OPTIONS):
    return letter(answer_part(output)[0], options)


@pytest.mark.parametrize(("output", "published", "score", "expected"), cases("letters_published"))
def test_published_table(output, published, score, expected):
    assert letter_compat(output, "A-J") == published
    assert (letter_compat(output, "A-J") == "B") == bool(score)
    assert robust(output) == expected


@pytest.mark.parametrize(("output", "expected"), cases("letters_more"))
def test_shapes_of_real_outputs(output, expected):
    assert robust(output) == expected


def test_only_letters_of_the_question_count():
    four = {key: OPTIONS[key] for key in "ABCD"}
    assert robust("Answer: I think it is B", four) == "B"
    assert robust("Answer: E", four) == ""
    assert letter_compat("Answer: E", "A-D") == ""


def test_the_option_s_own_text_turns_an_article_into_a_letter():
    options = {"A": "good reason", "B": "bad reason"}
    assert robust("Answer: A good reason", options) == "A"
    assert robust("Answer: A sound argument", options) == ""


def test_two_options_of_equal_text_are_not_chosen_by_text():
    assert robust("Mars", {"A": "Mars", "B": "mars"}) == ""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Answer: 42 apples ", "42 apples"),
        ("Answer: 1\nAnswer: 2", "2"),
        ("Answer: answer: 3", "3"),
        ("**Final Answer:** 204", "** 204"),
        ("**Final Answer**\n\n204", ""),
        ("Final Answer\n204 and more", ""),
        ("Final Answer\n\n204 and more", "204 and more"),
        ("the end \\boxed{7", "7"),
        (" seven ", "seven "),
        ("no statement at all", ""),
    ],
)
def test_the_published_rule_for_lines(text, line):
    assert line_compat(text) == line


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 5.", "5"),
        ("The answer is 5.5, as asked.", "5.5, as asked"),
        ("**Final Answer:** $\\frac{1}{2}$", "\\frac{1}{2}"),
        ("The answers are many. The final answer is $3$ and $5$.", "3, 5"),
        ("So the answer is:\n\\[\nx = 2\n\\]\nDone.", "x = 2"),
        ("## Answer\n\n**7**", "7"),
        ("Answer: \\(2\\). I checked it.", "2"),
        ("It costs \\$5. The answer is $\\$5$.", "\\$5"),
        ("We answered nothing", ""),
    ],
)
def test_stated_answers(text, answer):
    assert stated_answer(text) == answer


@given(st.text(max_size=300))
def test_no_text_raises(text):
    assert letter(text, OPTIONS) in {"", *OPTIONS}
    letter_compat(text, "A-J")


@pytest.mark.parametrize(
    "unit", ["answer ", "answer is ", "(", "_", "a_", " ", "\\boxed{B", "\n#", "Answer: A good ", "*", "$"]
)
def test_time_grows_with_the_length_only(unit):
    begin = time.monotonic()
    robust(unit * (100_000 // len(unit)) + "b")
    assert time.monotonic() - begin < 1
