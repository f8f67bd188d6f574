"""The answer in double square brackets: "[[42]]", with brackets within it or not."""

import re

from scoring.graders.boxed import last_box
from scoring.graders.statement import stated_answer

_MARKS_COMPAT = (("[[", "]]"), ("$\\boxed{", "}$"), ("[", "]"))
_WRAPPED = re.compile(r"\*\*(.+)\*\*|\$([^$]+)\$", re.DOTALL)
_TEXT = re.compile(r"\\(?:text(?:bf|it|rm)?|mathrm|mathbf)\{([^{}]*)\}")
_LONGEST = 2000  # characters; what is longer is no answer


def last_brackets(answer: str) -> str:
    """What the last closed double brackets hold; without them the last box, the last brackets, the last line."""
    text = answer.replace("\\[\\[", "[[").replace("\\]\\]", "]]")
    double, single = _closed(text)
    if double is not None:
        return _bare(double)
    last_line = text.rstrip().rpartition("\n")[2]
    return _bare(last_box(text) or single or stated_answer(last_line) or last_line)


def _bare(answer: str) -> str:
    """An answer without the emphasis, dollars or text commands it is wrapped in."""
    answer = answer.strip()[:_LONGEST]
    if wrapped := _WRAPPED.fullmatch(answer):
        answer = wrapped[1] or wrapped[2]
    return _TEXT.sub(r"\1", answer)


def _closed(text: str) -> tuple[str | None, str | None]:
    """What the last closed double brackets hold, inner brackets included, and the last single ones."""
    double: str | None = None
    single: str | None = None
    opened: list[int] = []
    for bracket in re.finditer(r"[\[\]]", text):
        end = bracket.start()
        if bracket[0] == "[":
            opened.append(end)
        elif opened:
            start = opened.pop()
            single = text[start + 1 : min(end, start + _LONGEST)]
            if text.startswith("[[", start) and text.startswith("]]", end - 1) and end - start > 2:
                double = text[start + 2 : min(end - 1, start + _LONGEST)]
    return double, single


def first_brackets_compat(text: str) -> str | None:
    """What the published rule takes: the first double brackets, else the first box in dollars, else the first ones."""
    for opening, closing in _MARKS_COMPAT:
        _, is_open, rest = text.partition(opening)
        answer, is_closed, _ = rest.partition(closing)
        if is_open and is_closed:
            return answer.strip()
    return None
