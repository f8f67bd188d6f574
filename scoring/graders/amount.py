r"""Amounts as reports and models write them: "$ 1,234", "\$3.5 million", "(12.6)\%", "−0.5 percent", "2.5e6"."""

import re
from typing import NamedTuple

from scoring.graders.final_answer import last_lines, last_marked
from scoring.graders.reasoning import without_markdown
from scoring.graders.statement import predicate, sentences, stated_answer

_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_AMOUNT = re.compile(
    r"(?P<sign>(?<![\w.)%])- ?)?[$€£¥]? ?(?P<inner>(?<=[$€£¥ ])- ?)?"
    r"(?<![_^\d])(?P<digits>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?P<exponent>e[-+]?\d{1,2}\b)?"
    r" ?(?P<percent>%|per ?cent)?(?: ?(?P<scale>thousand|million|billion|trillion)s?\b)?",
    re.IGNORECASE,
)
_POWER = re.compile(r" ?(?:\\times|\\cdot|×|\*) ?10\^\{?(-?\d{1,2})\}?")
_COMMAND = re.compile(
    r"\\(?:text(?:bf|it|rm)?|math(?:rm|bf|it)|mbox|left|right|displaystyle)(?![A-Za-z])|\\[,;:! ()\[\]]"
)
_FRACTION = re.compile(r"\\[dt]?frac ?\{ ?(\d[\d.,]*) ?\} ?\{ ?([1-9]\d*) ?\}")
_EXPRESSION = re.compile(r"\\(?:pi|sqrt|frac|ln|log)(?![A-Za-z])")
_EQUALS = re.compile(r"[=≈]|\\approx")
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
    """All amounts in a short text, in order; none in an expression with roots or π. One alone in parentheses is
    negative, as in accounts.
    """
    text = _FRACTION.sub(_quotient, text)
    if _EXPRESSION.search(text):
        return []
    text = plain(text)
    if alone := _NEGATIVE.fullmatch(text.rstrip(". ")):
        text = f"{alone[1]}-{alone[2].replace('-', '')}{alone[3]}"
    return [_amount(match) for match in _AMOUNT.finditer(text)]


def _quotient(fraction: re.Match[str]) -> str:
    above, below = (float(number.replace(",", "").rstrip(".")) for number in fraction.groups())
    return f" {above / below:.12g} "


def _amount(match: re.Match[str]) -> Amount:
    value = float(match["digits"].replace(",", "") + (match["exponent"] or ""))
    is_negative = bool(match["sign"]) != bool(match["inner"])
    scale = _SCALES[match["scale"].lower()] if match["scale"] else 1.0
    n_decimals = len(match["digits"].partition(".")[2])
    return Amount(-value if is_negative else value, scale, match["percent"] is not None, n_decimals)


def read(answer: str) -> tuple[Amount | None, str]:
    """The amount an answer gives, and where that stands: in its last mark, else in what it states, else in the last of
    its last lines that has one.

    It is the first amount after the "is" of a sentence or after the last equals sign; in a line that states nothing,
    the last one.
    """
    text = without_markdown(answer).strip()
    said = last_marked(answer) or stated_answer(text)
    if given := _given(said):
        return given[0], said
    for line in last_lines(text):
        if given := _given(line):
            return given[-1], line
    return None, said


def _given(text: str) -> list[Amount]:
    value = _EQUALS.split(text)[-1]
    return amounts(predicate(sentences(value)[0])) or amounts(value)


def agree(found: Amount, gold: Amount, question: str, tolerance: float) -> bool:
    """Whether an amount is the wanted one, if need be as a percentage or with the scale that either is given in.

    Args:
        tolerance: relative to the wanted value. An amount is also right if, rounded to as many decimals, it is equal.
    """
    factors = [1.0]
    asks_percentage = "percent" in question or "%" in question
    if gold.is_percentage != found.is_percentage:
        factors.append(100.0 if gold.is_percentage else 0.01)
    elif asks_percentage and not gold.is_percentage:
        factors += [100.0, 0.01]
    for scale, word in ((1e3, "thousand"), (1e6, "million"), (1e9, "billion")):
        if scale in (found.scale, gold.scale) or word in question:
            factors += [scale, 1 / scale]
    return any(_close(found.value * factor, gold, tolerance) for factor in factors)


def _close(value: float, gold: Amount, tolerance: float) -> bool:
    half_a_digit = 0.5 * 10.0**-gold.n_decimals * (1 + 1e-9)
    return abs(value - gold.value) <= max(tolerance * abs(gold.value), half_a_digit)
