"""How the suite judges rows of other data sets: with the graders of its own benchmarks for the same type of answer.

A row has the columns of both tables of a matrix (`query`, `ground_truth`, `raw_output`, …); each function gives the
robust score of its output. A new data set needs the name of one of these functions, no more.
"""

import ast
import contextlib
import re
import warnings
from typing import Any

from scoring.benchmark import find
from scoring.graders import amount as amounts
from scoring.graders import short
from scoring.graders.final_answer import last_marked
from scoring.graders.reasoning import answer_part
from store.records import Query, Score

Row = dict[str, Any]

_OPTION = re.compile(r"(?:^|\s)([A-Ja-j]) ?\) ?(.*?)(?=[,\s]\s*[A-Ja-j] ?\) |\nPrint|\. ?Output format|$)", re.DOTALL)
_CALL = re.compile(r"\ncheck\((\w+)\)\s*$")


def maths(row: Row) -> Score:
    """A number, expression or list of them."""
    return find("math500").score(Query(0, row["query"], row["ground_truth"]), row["raw_output"])


def letter(row: Row) -> Score:
    """The letter of an option; the options stand in the question as `A) …`."""
    options = {key.upper(): text.strip(" ,\n") for key, text in _OPTION.findall(row["query"])}
    gold = row["ground_truth"].strip()[:1].upper()
    return find("mmlupro").score(Query(0, row["query"], gold, metadata={"options": options}), row["raw_output"])


def amount(row: Row, tolerance: float = 0.0015) -> Score:
    """A measured or financial amount; the tolerance is that of FinanceMath."""
    found, fragment = amounts.read(answer_part(row["raw_output"])[0])
    question = row["query"] + " %"  # gold answers are bare numbers, percentages and fractions alike
    is_right = found is not None and amounts.agree(found, _wanted(row), question, tolerance)
    return Score(float(is_right), fragment, "compared as amounts" if found else "no number")


def theorem(row: Row) -> Score:
    """The mixture of TheoremQA: letters, "true" and "false", measured values, integers and lists of integers."""
    gold = row["ground_truth"]
    if gold in ("true", "false"):
        query = Query(0, row["query"], gold, metadata={"task": "boolean_expressions"})
        return find("bbh").score(query, row["raw_output"])
    if gold in "abcd":
        return letter(row)
    return maths(row) if re.fullmatch(r"-?\d+|\[.*\]", gold) else amount(row, tolerance=0.04)


def mention(row: Row) -> Score:
    """A name or another short text, whose words stand side by side in the answer."""
    prediction = short.fragment(answer_part(row["raw_output"])[0])
    is_right = f" {short.folded(row['ground_truth'])} " in f" {short.folded(prediction)} "
    return Score(float(is_right), prediction, "compared as words")


def literal(row: Row) -> Score:
    """A value of Python, written as a literal or, if it is a string, perhaps without quotes."""
    prediction = last_marked(answer_part(row["raw_output"])[0])
    is_right = not _readings(prediction).isdisjoint(_readings(row["ground_truth"]))
    return Score(float(is_right), prediction, "compared as values of Python")


def humaneval(row: Row) -> Score:
    """A function that passes `check`; its name stands in the last line of the checks."""
    text = row["query"].removeprefix("Complete the following code:").strip() + "\n"
    (name,) = _CALL.findall(row["ground_truth"])
    metadata = {"entry_point": name, "test": _CALL.sub("\n", row["ground_truth"])}
    return find("humaneval").score(Query(0, text, "    pass", metadata=metadata), row["raw_output"])


def mbpp(row: Row) -> Score:
    """A function that passes asserts."""
    names = sorted(set(re.findall(r"assert (\w+)\(", row["ground_truth"])))
    metadata = {"tests": row["ground_truth"].split("\n"), "setup": "", "names": names}
    return find("mbpp").score(Query(0, row["query"], "", metadata=metadata), row["raw_output"])


def program(row: Row) -> Score:
    """A function `solution` without arguments that gives an amount, be it as a percentage or not."""
    gold = _wanted(row)
    test = (
        f"def check(solution):\n    value = float(solution())\n"
        f"    values = [value, value * 100, value / 100]\n"
        f"    assert any(abs(one - {gold.value}) <= {0.0015 * abs(gold.value)} or"
        f" round(one, {gold.n_decimals}) == {gold.value} for one in values), value\n"
    )
    metadata = {"entry_point": "solution", "test": test}
    query = Query(0, "def solution():\n", f"    return {gold.value}\n", metadata=metadata)
    return find("humaneval").score(query, row["raw_output"])


TYPES = {judge.__name__: judge for judge in (
    maths, letter, amount, theorem, mention, literal, humaneval, mbpp, program
)}  # fmt: skip


def _wanted(row: Row) -> amounts.Amount:
    gold = row["ground_truth"]
    n_decimals = 3 if "category" in row and row["dataset"].startswith("financemath") else len(gold.partition(".")[2])
    return amounts.Amount(float(gold), n_decimals=n_decimals)


def _readings(text: str) -> set[str]:
    """What a text may stand for: the value of the literal that it is, and itself without quotes."""
    text = text.strip("`")
    readings = {text.strip("'\"").replace("\\n", "\n").replace("\\t", "\t")}
    unreadable = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)
    with contextlib.suppress(*unreadable), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        readings.add(repr(ast.literal_eval(text)))
    return readings
