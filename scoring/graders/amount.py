r"""Amounts as reports and models write them: "$ 1,234", "\$3.5 million", "(12.6)\%", "−0.5 percent", "2.5e6"."""

import re
from typing import NamedTuple

_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_AMOUNT = re.compile(
    r"(?P<sign>(?<![\w.)%])- ?)?[$€£¥]? ?(?P<inner>(?<=[$€£¥ ])- ?)?"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?P<exponent>e-?\d{1,2}\b)?"
    r" ?(?P<percent>%|per ?cent)?(?: ?(?P<scale>thousand|million|billion|trillion)s?\b)?",
    re.IGNORECASE,
)
_POWER = re.compile(r" ?(?:\\times|\\cdot|×|\*) ?10\^\{?(-?\d{1,2})\}?")
_COMMAND = re.compile(r"\\(?:text(?:bf|it|rm)?|math(?:rm|bf|it)|mbox|left|right|displaystyle)(?![A-Za-z])|\\[,;:! ]")
_NEGATIVE = re.compile(r"(\W*)\(([^()]+)\)(.{0,20})", re.DOTALL)
_CHARACTERS = str.maketrans({"−": "-", "–": "-", "{": " ", "}": " ", "\\": " ", "~": " "})


class Amount(NamedTuple):
    """A number with what was written beside it.

    Attributes:
        value: the number as written, scale and percent sign not applied.
        scale: 1, or what "thousand", "million", … beside it stand for.
        is_percentage: a percent sign or "percent" follows.
        n_decimals: digits after the point as written.
    """

    value: float
    scale: float = 1.0
    is_percentage: bool = False
    n_decimals: int = 0


def plain(text: str) -> str:
    """The text without LaTeX, white space as single spaces."""
    text = _POWER.sub(r"e\1", _COMMAND.sub(" ", text.replace("{,}", ",").replace("\\!", "")))
    return " ".join(text.translate(_CHARACTERS).split())


def amounts(text: str) -> list[Amount]:
    """All amounts in a short text, in order. One that stands alone in parentheses is negative, as in accounts."""
    text = plain(text)
    if alone := _NEGATIVE.fullmatch(text.rstrip(". ")):
        text = f"{alone[1]}-{alone[2].replace('-', '')}{alone[3]}"
    return [_amount(match) for match in _AMOUNT.finditer(text)]


def _amount(match: re.Match[str]) -> Amount:
    value = float(match["digits"].replace(",", "") + (match["exponent"] or ""))
    is_negative = bool(match["sign"]) != bool(match["inner"])
    scale = _SCALES[match["scale"].lower()] if match["scale"] else 1.0
    n_decimals = len(match["digits"].partition(".")[2])
    return Amount(-value if is_negative else value, scale, match["percent"] is not None, n_decimals)
