r"""Whether an answer to a KORBench question is right, by its category and by the rule that the question is about.

`agrees_compat` has the rules of the authors' grader, applied to what stands between the brackets of answer and gold
answer. `agrees` repairs what they let through or cannot compare: a part of the right word (puzzle rule 4), digits put
together (rule 10), mathematics, and comparison signs in LaTeX. Expressions are computed without `eval`.
"""

import ast
import operator
import re
from collections.abc import Callable, Sequence

from scoring.graders.math import equal

# Numbers of the operation questions whose answer is a formula.
MATHS = {18, 73, 74, 77, 94, 115, 116, 117, 121, 122, 123, 125, 131, 132, 134, 135, 136, 141, 143, 145, 146, 147, 149}
MATHS |= {151, 152, 153, 154, 155, 156, 160, 161, 162, 164, 165, 166, 170, 206, 209, 211, 212, 213, 214, 215, 217, 218}

_LONGEST = 200  # characters of an expression that is computed
_BOUND = re.compile(r"([≥≤]) *(-?\d+(?:\.\d+)?)")
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_COMMAND = re.compile(r"\\(times|cdot|div|leq?|geq?)(?![A-Za-z])|<=|>=")
_SIGN_OF = {"times": "*", "cdot": "*", "div": "/", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "<=": "≤", ">=": "≥"}
_EULER = re.compile(r"(?<=\d)e(?=[-+]\d)")  # 2e-2 is no 0.02 here


def agrees(answer: str, gold: str, category: str, number: int, rule: int) -> bool:
    """Whether an answer is right.

    Args:
        answer: what stands between the double brackets, as the model wrote it.
        gold: the same of the gold answer.
        category: "cipher", "operation", "puzzle", "counterfactual" or "logic".
        number: of the question in its category, from 1.
        rule: number of the rule the question is about.
    """
    if not clean(answer):
        return False
    if category == "logic" and rule == 5:
        rows, gold_rows = (sorted(clean(row) for row in side.split(";")) for side in (answer, gold))
        return rows == gold_rows
    if category == "operation" and number in MATHS:
        found, wanted = (_EULER.sub(r"\\cdot e", _right_sides(side)) for side in (answer, gold))
        return equal(found, wanted)[0]
    if category in ("operation", "puzzle"):
        answer = _COMMAND.sub(lambda match: _SIGN_OF[match[1] or match[0]], answer)
    if category == "puzzle" and rule == 4:
        return _letters(answer) in map(_letters, gold.split())
    if category == "puzzle" and rule == 10:
        expression, given = (_left(side.partition("\n")[0]) for side in (answer, gold))
        return _numbers(expression) == _numbers(given) and abs((_value(expression) or 0) - 24) < 1e-9
    return agrees_compat(answer, gold, category, number, rule)


def agrees_compat(answer: str, gold: str, category: str, number: int, rule: int) -> bool:
    """The same by the authors' rules, those for formulas left out. Arguments as for `agrees`."""
    if category == "logic":
        found, wanted = (re.sub(r'["\n .]', "", side) for side in (answer, gold))
        return sorted(found.split(";")) == sorted(wanted.split(";")) if rule == 5 else found == wanted
    if category == "puzzle":
        return _PUZZLE.get(rule, _same_characters)(answer, gold)
    if category == "operation" and number in (178, 179):
        return sorted(_BOUND.findall(answer)) == sorted(_BOUND.findall(gold))
    if category == "operation" and rule == 18:
        return sorted(_word_characters(answer)) == sorted(_word_characters(gold))
    if category == "operation" and rule in (23, 24, 25):
        return re.findall(r"\d+", answer) == re.findall(r"\d+", gold)
    if category == "operation" and "or" in gold:
        found = clean(answer).replace("\\text{or}", "or")
        return sorted(found.split("or")) == sorted(clean(gold).split("or"))
    return clean(answer) == clean(gold)


def _right_sides(text: str) -> str:
    """What stands right of the last equals sign, of each alternative."""
    return " or ".join(side.rpartition("=")[2].strip() for side in re.split(r"\bor\b", text))


def clean(text: str) -> str:
    """A text without quotation marks, line feeds, spaces and square brackets."""
    return re.sub(r'["\n \[\]]', "", text)


def _letters(text: str) -> str:
    return re.sub(r"[^A-Za-z]", "", text).lower()


def _word_characters(text: str) -> str:
    return re.sub(r"\W", "", text)


def _same_characters(answer: str, gold: str) -> bool:
    return _word_characters(answer) == _word_characters(gold)


def _same_letters(answer: str, gold: str) -> bool:
    return _letters(answer) == _letters(gold)


def _one_of(answer: str, gold: str) -> bool:
    return _letters(answer) in map(_letters, gold.split(","))


def _same_words(answer: str, gold: str) -> bool:
    return sorted(re.findall(r"\w+", answer.lower())) == sorted(gold.split(" "))


def _part_of(answer: str, gold: str) -> bool:
    return _letters(answer) in gold.lower()


def _same_assignments(answer: str, gold: str) -> bool:
    found, wanted = (sorted(re.sub(r"\s", "", side).split(",")) for side in (answer, gold))
    return found == wanted


def _same_equation(answer: str, gold: str) -> bool:
    """Another equation with the operators of the gold one and its result."""
    operators = [re.findall(r"[-+*/]", _left(side)) for side in (answer, gold)]
    return operators[0] == operators[1] and _value(_left(answer)) == int(gold.partition("=")[2])


def _makes_24(answer: str, gold: str) -> bool:
    characters = [sorted(_word_characters(_left(side.partition("\n")[0]))) for side in (answer, gold)]
    return characters[0] == characters[1] and _value(_left(answer)) == 24


def _same_arrows(answer: str, gold: str) -> bool:
    found, wanted = (re.sub(r"[,\s\[\]]", "", side) for side in (answer, gold))
    return found == wanted


_PUZZLE: dict[int, Callable[[str, str], bool]] = {
    1: _same_letters,
    2: _one_of,
    3: _same_words,
    4: _part_of,
    5: _same_assignments,
    9: _same_equation,
    10: _makes_24,
    18: _same_arrows,
}


def _left(equation: str) -> str:
    return equation.translate(_SIGNS).partition("=")[0]


def _numbers(expression: str) -> Sequence[str]:
    return sorted(re.findall(r"[0-9]+", expression))


_OPERATORS: dict[type[ast.operator], Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _value(expression: str) -> float | None:
    """The value of sums and products of numbers; None for anything else."""
    if len(expression) > _LONGEST or re.search(r"[^0-9.+*/() -]", expression):
        return None
    try:
        return _computed(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError, MemoryError):
        return None


def _computed(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_computed(node.left), _computed(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_computed(node.operand)
    raise ValueError(f"no sum or product: {type(node).__name__}")
