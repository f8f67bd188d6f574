"""Why our verdict on a row differs from that of its source, in a few words. Kinds of one source read its columns."""

import re

from answer_types import Row

from scoring.graders.amount import amounts
from store.records import Score

_FIELD = re.compile(r'"answer"\s*:')
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def kind(matrix: str, row: Row, score: Score) -> str:
    """The kind of a disagreement. Those that begin with "source" follow from the way in which the source judges."""
    source = matrix.split("/")[0]
    of_source = {"zeroeval": _zeroeval, "financemath": _financemath, "mint": _mint}.get(source)
    return (of_source and of_source(row, score)) or f"other: {score.explanation.partition(':')[0]}"


def _zeroeval(row: Row, score: Score) -> str:
    theirs = (row["prediction"] or "").strip()
    if row["prediction"] and not theirs:
        return "the answer is a string of blanks"
    if len(_FIELD.findall(row["raw_output"])) > 1:
        return "source reads the first answer, the model gives another one later"
    if not theirs or theirs == "\\":
        return "source finds no answer, or half of it"
    if score.value < 0.5 and _first_number(theirs) == _first_number(row["ground_truth"]) is not None:
        return "source compares the first number only"
    if score.value >= 0.5 and "values of Python" in score.explanation:
        return "source compares literals as text"
    if score.value >= 0.5:
        return "source wants one number, the model gives a sum or a sentence"
    return ""


def _financemath(row: Row, score: Score) -> str:
    theirs, gold = (_first_number(row["prediction"] or ""), float(row["ground_truth"]))
    if score.value >= 0.5:
        if theirs is None or not _NUMBER.fullmatch((row["prediction"] or "").strip("$%")):
            return "source finds no number, or cannot read it"
        return "source wants 0.15 % even where the gold answer is rounded"
    if "No module named" in score.explanation:
        return "the program imports what the sandbox does not have"
    if not theirs or not gold:
        return ""
    is_program = row["dataset"].endswith("_pot")
    if not is_program and all(abs(one.value - theirs) > 0.002 * abs(theirs) for one in amounts(score.prediction)):
        return "source (a language model) finds the number elsewhere in the output"
    if abs(abs(theirs / gold) - 1) < 0.002 and theirs * gold < 0:
        return "source takes no notice of the sign"
    powers = [abs(theirs / gold) * 10.0**power for power in range(-6, 7)]
    return "source accepts any power of ten" if min(abs(one - 1) for one in powers) < 0.002 else ""


def _mint(row: Row, score: Score) -> str:
    if score.value >= 0.5:
        if row["error"] not in (None, "max_propose_steps"):
            return "source wants the answer in a tag before the last step"
        if score.explanation.startswith("passed"):
            return "source runs the program without the usual imports"
        return "source wants the gold answer letter for letter"
    said, gold = score.prediction.casefold(), row["ground_truth"].casefold()
    given, wanted = _first_number(said), _first_number(gold)
    if len(gold) == 1 and gold.isalpha():
        return "source finds the gold letter inside a word or another option"
    are_numbers = given is not None and wanted is not None and _NUMBER.fullmatch(gold)
    if are_numbers and given != wanted and abs(given - wanted) <= 0.05 * abs(wanted):
        return "source allows 5 %"
    if gold and gold in said:
        return "source finds the gold text inside a longer answer"
    if gold.startswith("["):
        return "source compares lists without order or with tolerance"
    return ""


def _first_number(text: str) -> float | None:
    found = _NUMBER.search(text)
    return float(found[0].replace(",", "")) if found else None
