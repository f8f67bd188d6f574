"""The score of a competition problem by the rule that the published tables use for AIME and LiveMathBench alike."""

import re

from scoring.graders.boxed import last_box_compat
from scoring.graders.math_compat import equal_compat
from scoring.graders.statement import line_compat
from store.records import Score

_INTEGER = re.compile(r"\b\d+\b")


def score_compat(text: str, gold: str) -> Score:
    """The published score: "Answer:" lines count where a "Final Answer" has no box, else the last box, else the last
    integer of the whole output, be it of a failure's text or of unfinished reasoning. A gold answer may be boxed too.
    """
    if "Final Answer" in text and "\\boxed" not in text:
        prediction = line_compat(text)
    else:
        boxed = last_box_compat(text)
        prediction = _last_integer(text) if boxed is None else boxed
    return Score(float(prediction != "" and equal_compat(prediction, last_box_compat(gold) or gold)), prediction)


def _last_integer(text: str) -> str:
    integers = _INTEGER.findall(text)
    return integers[-1] if integers else ""
