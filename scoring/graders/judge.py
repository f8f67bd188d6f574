"""What the reply of a judge says (`scoring.judged`): its labelled lines, and the one value they agree on.

A verdict must be beyond doubt; where there is none the judge is asked again, which costs less than a wrong score. So a
label counts at the beginning of a line or as a key of JSON, never within a sentence or a word ("incorrect: yes").
Values that differ are no verdict. A reply that broke off inside its reasoning, or is a recorded failure, says nothing.
"""

import re
from collections.abc import Iterable
from typing import TypeVar

from scoring.graders.reasoning import answer_part

_MARKS = r"""(?:(?![\n"'{:])[\W_])*"""  # of markdown, around a label
_VALUE = r"""("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,}]+)"""  # of a key
T = TypeVar("T")


def said(reply: str) -> str:
    """A judge's reply without its reasoning, in plain characters; empty where it broke off inside it or failed."""
    text, is_truncated = answer_part(reply)
    return "" if is_truncated else text


def labelled(text: str, label: str) -> list[str]:
    """What a text gives under a label, each time it does, without quotes and emphasis around it.

    Found are lines such as "correct: yes", "**Correct:** yes", "3. correct: **yes**" (the rest of the line) and members
    of a JSON object or a Python dictionary, wherever they stand; a heading without a value is none of them.
    """
    name = re.escape(label)
    pattern = re.compile(
        rf"""^{_MARKS}(?:\d+[.)]{_MARKS})?{name}{_MARKS}:(.*)$|(["']){name}\2\s*:\s*{_VALUE}""",
        re.IGNORECASE | re.MULTILINE,
    )
    values = ((found[1] or found[3] or "").strip(" \t\r*_`\"'") for found in pattern.finditer(text))
    return [value for value in values if value]


def agreed(values: Iterable[T | None]) -> T | None:
    """The one value that all of them are; None where there are none, one is None, or two differ."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None
