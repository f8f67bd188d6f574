r"""Whether two mathematical answers are equal by the rule behind the published scores of LLMRouterBench.

Two text forms and, where those differ, a symbolic difference. Its surprises are kept: `6/8` is not `3/4`, `2,-2` not
`-2,2`, `75\%` is `75` but not `0.75`, `No` is `on`. Only the symbolic step is bounded, in characters, names and time.
"""

import re

from scoring.graders import symbolic
from scoring.graders.latex_text import latex_to_text


def equal_compat(prediction: str, gold: str) -> bool:
    """Whether the published rule calls the two equal."""
    if mathd_form(prediction) == mathd_form(gold):
        return True
    found, wanted = plain_form(prediction), plain_form(gold)
    return found == wanted or same_elements(found, wanted)


def mathd_form(answer: str) -> str:
    """The first text form, that of the MATH data set; the answer itself where it cannot be brought into it."""
    answer = answer.strip()
    if whole := re.search(r"^\\text\{(.+?)\}$", answer):
        answer = whole[1].strip()
    try:
        return _mathd_steps(answer)
    except (IndexError, ValueError):  # a root or fraction without operand, units twice
        return answer


def _mathd_steps(text: str) -> str:
    for old, new in (("\n", ""), ("\\!", ""), ("\\\\", "\\"), ("tfrac", "frac"), ("dfrac", "frac"), ("\\left", "")):
        text = text.replace(old, new)
    for dropped in ("\\right", "^{\\circ}", "^\\circ", "\\$"):
        text = text.replace(dropped, "")
    if "\\text{ " in text:
        text, _ = text.split("\\text{ ")
    text = text.replace("\\%", "").replace(" .", " 0.").replace("{.", "{0.")
    if text.startswith("."):
        text = "0" + text
    sides = text.split("=")
    if len(sides) == 2 and len(sides[0]) <= 2:
        text = sides[1]
    head, *roots = text.split("\\sqrt")
    text = head + "".join("\\sqrt" + (root if root[0] == "{" else f"{{{root[0]}}}{root[1:]}") for root in roots)
    text = braced_fractions(text.replace(" ", ""))
    if text == "0.5":
        return "\\frac{1}{2}"
    if slashed := re.fullmatch(r"(0|-?[1-9][0-9]*)/(0|-?[1-9][0-9]*)", text):
        return f"\\frac{{{slashed[1]}}}{{{slashed[2]}}}"
    return text


def braced_fractions(text: str) -> str:
    r"""`\frac12` as `\frac{1}{2}`; unchanged where a fraction has fewer than two characters to take."""
    head, *fractions = text.split("\\frac")
    for fraction in fractions:
        head += "\\frac"
        if fraction[0] == "{":
            head += fraction
        elif len(fraction) < 2:
            return text
        elif fraction[1] == "{":
            head += f"{{{fraction[0]}}}{fraction[1:]}"
        else:
            head += f"{{{fraction[0]}}}{{{fraction[1]}}}{fraction[2:]}"
    return head


_UNITS = ["degree", "cm", "centimeter", "meter", "mile", "second", "minute", "hour", "day", "week", "month", "year"]
_UNITS += ["foot", "feet", "inch", "yard"]
_THOUSANDS = re.compile(r"(\d),(\d\d\d)($|\D)")


def plain_form(text: str) -> str:
    """The second text form: no LaTeX, units, spaces, braces or capitals, integers without separators."""
    if whole := re.search(r"^\\text\{(.+?)\}$", text):
        text = whole[1]
    for old, new in (("\\%", "%"), ("\\$", "$"), ("$", ""), ("%", ""), (" or ", " , "), (" and ", " , ")):
        text = text.replace(old, new)
    for name, factor in (("million", "*10^6"), ("billion", "*10^9"), ("trillion", "*10^12")):
        text = text.replace(name, factor)
    for unit in _UNITS:  # one after another, so that what two removals leave behind is removed as well
        text = re.sub(unit + r"(es)?(s)? *(\^[0-9]+)?", "", text)
    text = re.sub(r"\^ *\\circ", "", text)
    if text and text[0] == "{" and text[-1] == "}":
        text = text[1:-1]
    text = re.sub(r",\\! *", "", text)
    if (value := _integer(text)) is not None:
        text = str(round(value))
    if "\\" in text:
        text = _without_latex(text)
    text = re.sub("- *", "-", text)
    text = re.sub("([0-9]) +([0-9])", r"\1+\2", text)  # a mixed number is a sum
    text = text.translate(_DELETED).lower()
    value = _integer(joined_thousands(text))
    return text if value is None else str(int(float(text.replace(",", ""))))


_DELETED = str.maketrans("", "", " {}")


def _without_latex(text: str) -> str:
    for old, new in (("\\tfrac", "\\frac"), ("\\dfrac", "\\frac"), ("\\frac", " \\frac")):
        text = text.replace(old, new)
    try:
        return latex_to_text(text)
    except RecursionError:  # braces within braces, thousands deep
        return text


def _integer(text: str) -> float | None:
    """The value of a number within 1e-7 of an integer, None for any other text."""
    try:
        value = float(text)
        return value if abs(value - round(value)) <= 1e-7 else None
    except (ValueError, OverflowError):
        return None


def joined_thousands(text: str) -> str:
    while (joined := _THOUSANDS.sub(r"\1\2\3", text)) != text:
        text = joined
    return text


def same_elements(found: str, wanted: str) -> bool:
    """The symbolic part of the published rule, element by element where the gold answer is a tuple or interval."""
    if not found or not wanted:
        return False
    found_elements, wanted_elements = _elements(found), _elements(wanted)
    if len(found_elements) != len(wanted_elements):
        return False
    if len(wanted_elements) > 1 and (found[0], found[-1]) != (wanted[0], wanted[-1]):
        return False
    return all(map(_same_element, found_elements, wanted_elements))


def _elements(text: str) -> list[str]:
    text = joined_thousands(text)
    if len(text) > 2 and text[0] in "()[]" and text[-1] in "()[]" and not set(text[1:-1]) & set("()[]"):
        return [element.strip() for element in text[1:-1].split(",")]
    return [text]


def _same_element(found: str, wanted: str) -> bool:
    fraction = re.compile(r"^-?[0-9]+.?/0*[1-9][0-9]*.?$")
    if fraction.search(wanted) and fraction.search(found):
        return wanted == found  # fractions must be reduced
    if (_integer(joined_thousands(wanted)) is None) != (_integer(joined_thousands(found)) is None):
        return False  # an integer must be written as one
    difference = f"({wanted})-({found})"
    names = {c for c in difference.replace("sqrt", "").replace("frac", "") if c.isalpha()}
    if len(names) > 2 or re.search(r"\^[{(]|\^[0-9]+\^|\^[0-9][0-9]", difference):
        return False
    return bool(symbolic.is_zero(difference))
