r"""Whether two mathematical answers are equal.

`equal` accepts what the published rule accepts and besides what a person would: numbers of equal value, lists in
another order, units left out, and whatever math-verify proves. Text is compared first; only what stays open costs
algebra.
"""

import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

from scoring.graders import symbolic
from scoring.graders.math_compat import braced_fractions, joined_thousands, mathd_form, plain_form, same_elements
from scoring.graders.statement import predicate, sentences

_RELATIVE_TOLERANCE = Fraction(1, 10**6)


def equal(prediction: str, gold: str, question: str = "") -> tuple[bool, str]:
    """Whether the two answers are equal, and by which rule that was decided.

    Args:
        question: tells which numbers of a sentence are only repeated.
    """
    if (decided := _without_algebra(prediction, gold)) is not None:
        return decided
    if same_elements(plain_form(prediction), plain_form(gold)):
        return True, "equal by algebra"
    if _is_prose(prediction):
        found, wanted = _said_number(prediction, question), _number(gold)
        return bool(found and wanted and _same_value(found, wanted)), "a sentence"
    verified = symbolic.is_verified(_latex(gold), _latex(prediction))
    if verified is None:
        return False, "too long or too slow to decide"
    return verified, "equal by algebra" if verified else "not equal by algebra"


def _without_algebra(prediction: str, gold: str) -> tuple[bool, str] | None:
    """The same, None where only algebra can tell."""
    if not prediction.strip():
        return False, "no answer"
    if any(form(prediction) == form(gold) for form in (mathd_form, plain_form, _compact)):
        return True, "same text"
    found, wanted = _number(prediction), _number(gold)
    if found and wanted:
        return _same_value(found, wanted), "compared as numbers"
    if _is_word(gold):
        return False, "another word"
    if len(members := _members(gold)) > 1 and _same_members(_members(prediction), members):
        return True, "same list"
    return None


_WRAPPER = re.compile(r"\\(?:text(?:bf|it|rm)?|mbox|math(?:rm|bf|it)|operatorname|boldsymbol)\s*\{([^{}]*)\}")
_SPACING = re.compile(r"\\[,;:! ]|\\q?quad(?![A-Za-z])|~")
_TEMPERATURE = re.compile(r"\^\{?\\circ\}?\s*[CF](?![A-Za-z])")
_ON_THE_HOUR = re.compile(r"(?<![\d:])(\d{1,2}):00\s*[ap]\.?m\b", re.IGNORECASE)
_NOT_UNITS = {"pi", "sqrt", "ln", "log", "sin", "cos", "tan", "exp", "mod", "and", "or", "infty", "infinity"}
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)(?:(?P<plain>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE](?P<exponent>[-+]?\d{1,3}))?"
    r"(?:/(?P<under>\d+))?|\\frac\{(?P<over>-?\d+)\}\{(?P<below>\d+)\})"
    r"(?:st|nd|rd|th)?(?P<percent>\s*(?:%|percent))?"
    r"(?P<unit>(?:\s+|/(?=[A-Za-z]{3}))[A-Za-z][A-Za-z ./]*[A-Za-z.](?:\s*\^\{?\d\}?)?)?"
    r"(?:\s+\([^()]*[A-Za-z]{2}[^()]*\))?"  # a remark
)


_SIGNS = {"−": "-", "×": r"\times ", "·": r"\cdot ", "÷": "/", "√": r"\sqrt ", "π": r"\pi ", "∞": r"\infty "}
_SIGNS |= {"≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ", "θ": r"\theta ", "°": r"^\circ "}
_SIGN = str.maketrans(_SIGNS)
_FUNCTION = re.compile(r"(?<![A-Za-z\\])(sqrt|pi|(?:arc)?(?:sin|cos|tan)|sec|csc|cot|log|ln|exp|infty)(?![A-Za-z])")
_ROOT = re.compile(r"\\sqrt\s*\(([^()]*)\)")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+|[₀₁₂₃₄₅₆₇₈₉]+")
_MARKS = re.compile(r"\\?[$€£₤¥₹]|(?<!\\)\\[\[\]()]")


def _latex(answer: str) -> str:
    """An answer as bare LaTeX on one line: signs and functions as commands, without currency, delimiters, emphasis,
    quotes and final stop.
    """
    text = _MARKS.sub("", _RAISED.sub(_script, answer.translate(_SIGN).replace("{,}", ",")))
    text = _ROOT.sub(r"\\sqrt{\1}", _FUNCTION.sub(r"\\\1 ", text))
    text = " ".join(text.split()).removeprefix("**").removesuffix("**").strip('`" ')
    return text.rstrip(".").strip()


def _script(run: re.Match[str]) -> str:
    command = "_" if "₀" <= run[0][0] <= "₉" else "^"
    return f"{command}{{{unicodedata.normalize('NFKC', run[0]).translate(_SIGN)}}}"


def _spaced(answer: str) -> str:
    """An answer with text commands, layout and degrees resolved, where white space still separates words."""
    text = _ON_THE_HOUR.sub(r"\1", _TEMPERATURE.sub("", _WRAPPER.sub(r" \1 ", _SPACING.sub("", _latex(answer)))))
    for dropped in ("\\left", "\\right", "^{\\circ}", "^\\circ", "\\displaystyle"):
        text = text.replace(dropped, "")
    return _braced(text.replace("dfrac", "frac").replace("tfrac", "frac").replace("\\%", "%")).strip()


def _braced(text: str) -> str:
    try:
        return braced_fractions(text)
    except IndexError:  # a fraction at the very end
        return text


def _compact(answer: str) -> str:
    """An answer without spaces and without the name it is given to: `x = 5` and `x \\in [0, 1]` lose theirs."""
    text = re.sub(r"^[A-Za-z](?:\([a-z]\))?\s*(?:=|\\in(?![A-Za-z]))", "", _spaced(answer)).replace(" ", "")
    return re.sub(r"^\(([A-Za-z])\)$", r"\1", text)


class _Number(NamedTuple):
    value: Fraction
    is_decimal: bool  # written with a point, so perhaps rounded
    is_percentage: bool


def _number(answer: str) -> _Number | None:
    """The number an answer is, with or without a unit; None for anything else."""
    text = re.sub(r"^[A-Za-z]\s*=\s*", "", _spaced(answer))
    match = _NUMBER.fullmatch(text) if len(text) <= symbolic.MAX_CHARACTERS else None
    if not match or _NOT_UNITS & set((match["unit"] or "").casefold().split()):
        return None
    over, below = match["over"], int(match["below"] or match["under"] or 1)
    value = Fraction(over or f"{match['plain'].replace(',', '').rstrip('.')}e{match['exponent'] or 0}")
    if below == 0:
        return None
    return _Number((-value if match["sign"] == "-" else value) / below, "." in text, match["percent"] is not None)


def _same_value(found: _Number, wanted: _Number) -> bool:
    """Equal, or within one millionth where one is a decimal; a percentage also stands for its hundredth."""
    tolerance = _RELATIVE_TOLERANCE if found.is_decimal or wanted.is_decimal else 0
    pairs = [(found.value, wanted.value)]
    if found.is_percentage != wanted.is_percentage:
        pairs += [(found.value / 100, wanted.value)] if found.is_percentage else [(found.value, wanted.value / 100)]
    return any(abs(one - other) <= tolerance * abs(other) for one, other in pairs)


def _members(answer: str) -> list[str]:
    """The members of a list without brackets (or in the braces of a set); the answer alone where it is no list."""
    text = joined_thousands(re.sub(r"\b(?:and|or)\b", ",", _spaced(answer)))
    if text.startswith("\\{") and text.endswith("\\}"):
        text = text[2:-2]
    members, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            members.append(text[start:position])
            start = position + 1
    return [stripped for member in (*members, text[start:]) if (stripped := member.strip())]


def _same_members(found: list[str], wanted: list[str]) -> bool:
    """Whether the members can be paired, in any order, so that all are equal without algebra."""
    if len(found) != len(wanted):
        return False
    rest = list(found)
    for member in wanted:
        partners = [other for other in rest if (_without_algebra(other, member) or (False, ""))[0]]
        if not partners:
            return False
        rest.remove(partners[0])
    return True


_DENIAL = re.compile(r"\b(?:not|cannot|never|neither|nor)\b|n't\b", re.IGNORECASE)
_REASON = re.compile(r",\s*(?:since|because|as|which|where)\b.*", re.IGNORECASE)
_SEVERAL = re.compile(r"\b(?:and|or|for|if|when)\b|,")
_FORMULA = re.compile(r"[\\^_{}*/+=<>|\[\]]|[A-Za-z]\(")
_IN_PROSE = re.compile(r"(?<![\w.(-])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*%)?(?![\w(])")


def _said_number(prose: str, question: str) -> _Number | None:
    """The number that the last sentence equates something with, else the only one that the question has not; None if
    something is denied.
    """
    prose = _REASON.sub("", prose).strip()
    text, last_line = _spaced(prose), _spaced(prose.rpartition("\n")[2])
    if _DENIAL.search(text):
        return None
    said = predicate(sentences(last_line)[-1]).replace("\\approx", "=").replace("≈", "=")
    sides, _, value = said.rpartition("=")
    if not _SEVERAL.search(sides) and (found := _number(value.strip())):
        return found
    numbers = set() if _FORMULA.search(text) else set(_IN_PROSE.findall(text))
    if len(numbers) > 1:
        numbers -= set(_IN_PROSE.findall(_spaced(question)))
    return _number(numbers.pop()) if len(numbers) == 1 else None


def _is_prose(prediction: str) -> bool:
    """Words: algebra would take them for products, and "cannot be 0" for the number 0."""
    text = re.sub(r"\\(?:begin|end)\{[^{}]*\}", "", _spaced(prediction))
    words = re.findall(r"(?<![A-Za-z\\])[A-Za-z]{3,}", text)
    words = [word for word in words if word.casefold() not in _NOT_UNITS]
    return len(words) >= 2 or any(len(word) >= 5 for word in words)


def _is_word(gold: str) -> bool:
    """A word of the language, which algebra must not touch: set as text, or too long for a product of variables."""
    shortest = 3 if _WRAPPER.search(gold) else 5
    return bool(re.fullmatch(rf"[A-Za-z]{{{shortest},}}(?: [A-Za-z]+)*", _spaced(gold)))
