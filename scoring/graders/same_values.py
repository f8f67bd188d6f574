"""Whether two texts say the same when their numbers are compared by value: "loss: 0.250" and "loss: 0.25"."""

import re
from decimal import Decimal

from scoring.graders.amount import plain
from scoring.graders.boxed import last_box
from scoring.graders.reasoning import without_markdown

_NUMBER = re.compile(
    r"(?<![\w.])([-+]?(?:(?:\d{1,3}(?:,\d{3})++(?!\d)|\d++)(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d{1,3}(?!\d))?)"
)
_ROUNDING = Decimal("1e-9")  # relative: the last digits of a double depend on the machine
_MINUS = str.maketrans("−–", "--")


def same_values(found: str, wanted: str) -> bool:
    """Whether the numbers of both texts are equal one by one, and what is between them is, white space aside."""
    parts, wanted_parts = (_NUMBER.split(text.translate(_MINUS)) for text in (found, wanted))
    if len(parts) != len(wanted_parts):
        return False
    between = all("".join(one.split()) == "".join(other.split()) for one, other in _pairs(parts, wanted_parts, 0))
    return between and all(_equal(one, other) for one, other in _pairs(parts, wanted_parts, 1))


def same_answer(found: str, wanted: str) -> bool:
    """The same for short answers, for which box, LaTeX, emphasis, case and final stop do not count either."""
    return same_values(_bare(found), _bare(wanted))


def _bare(answer: str) -> str:
    return plain(without_markdown(last_box(answer) or answer)).replace("$", "").strip(" .").casefold()


def _pairs(parts: list[str], wanted_parts: list[str], offset: int) -> zip:
    return zip(parts[offset::2], wanted_parts[offset::2], strict=True)


def _equal(one: str, other: str) -> bool:
    value, wanted = (Decimal(number.replace(",", "")) for number in (one, other))
    return value == wanted or abs(value - wanted) <= _ROUNDING * abs(wanted)
