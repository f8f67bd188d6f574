"""The answer an output gives, by its marks, its statements, its last line."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from read_cases import cases

from scoring.graders.final_answer import final_answer, last_marked, marked_answers

ROWS = cases("final_answers")


@pytest.mark.parametrize(("output", "answer"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_answer_is_found(output, answer):
    assert final_answer(output) == answer


def test_the_last_line_of_a_text_that_broke_off_is_no_conclusion():
    assert final_answer("Now 2 + 3 = 5", truncated=True) == ""
    assert final_answer("The answer is 5, so", truncated=True) == "5, so"


def test_marks_come_in_order_and_strings_keep_their_blanks():
    assert marked_answers('{"answer": " 1 "} \\boxed{2} <answer> 3 </answer>\n#### 4') == [" 1 ", "2", "3", "4"]
    assert last_marked("The answer is 5.") == ""


@given(st.text(max_size=300))
def test_no_text_raises(text):
    assert isinstance(final_answer(text), str)


@pytest.mark.parametrize(
    "unit",
    ["<answer>", "</answer><answer>5", '"answer": ', '"answer": "', '"answer": [', '"', "Q:\n", "**1", "1.", "\\["],
)
def test_time_grows_with_the_length_only(unit):
    begin = time.process_time()  # others may be at work on this machine
    final_answer(unit * (100_000 // len(unit)))
    assert time.process_time() - begin < 1
