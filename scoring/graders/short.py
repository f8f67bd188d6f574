r"""Short answers that are neither letters nor mathematics: one of two words, an integer, a list of words, brackets.

`fragment` finds the part of an output that holds the answer, the other functions read it as what the question asks for.
"""

import re
import string
from collections.abc import Collection

from scoring.graders.amount import plain
from scoring.graders.final_answer import last_marked
from scoring.graders.reasoning import without_markdown
from scoring.graders.statement import stated_answer, statements

_LONGEST = 400  # characters of a last line that are read
_INTEGER = re.compile(r"(?<![\w.])(?:- ?)?\d[\d,]*(?:\.\d+)?")
_NEGATION = re.compile(r"\b(?:not|never|neither)\b|n't\b")
_REMARK = re.compile(r"\([^()\[\]{}<>]*\w[^()\[\]{}<>]*\)")
_ITEM = re.compile(r"^\d+[.)]")
_TEXT_BOX = re.compile(r"\\text\w*\s*\{(.*)\}")
_NO_BRACKET = re.compile(r"[^()\[\]{}<>]")


def fragment(answer: str) -> str:
    """The last box, else what the last "the answer is" states, else the last line; without LaTeX and markdown."""
    if marked := last_marked(answer):
        return plain(marked)
    text = without_markdown(answer).strip()
    return plain(stated_answer(text) or text.rpartition("\n")[2][-_LONGEST:])


def one_of(words: Collection[str], found: str) -> str:
    """Which of some lower-case words an answer begins with, else the only one it has unless it is denied; or empty."""
    said = re.findall(r"[^\W\d_]+", found.casefold())
    if said and said[0] in words:
        return said[0]
    named = set(words).intersection(said)
    return named.pop() if len(named) == 1 and not _NEGATION.search(found.casefold()) else ""


def integer(found: str) -> str:
    """The first integer after the last equals sign, without separators and sign of plus; empty without one."""
    number = _INTEGER.search(found.rpartition("=")[2])
    digits = number[0].replace(",", "").replace(" ", "") if number else ""
    whole, _, decimals = digits.partition(".")
    return "" if decimals.strip("0") else whole


def word_list(found: str) -> list[str]:
    """The words of a list in lower case, whatever separates them: commas, white space, arrows, a final "and"."""
    words = [word.strip(string.punctuation + "“”‘’→") for word in re.split(r"[\s,;]+", found.casefold())]
    return [word.replace("’", "'") for word in words if word and word != "and"]


def word_lists(answer: str) -> list[list[str]]:
    """The lists of words that an answer may be taken for: on one line, and over all lines of its last statement."""
    stated = statements(without_markdown(answer))
    lines = [_ITEM.sub("", plain(line)) for line in stated[0].split("\n")] if stated else []
    return [word_list(fragment(answer)), word_list(" ".join(lines))]


def brackets(answer: str) -> str:
    """The brackets of an answer that consists of brackets, in order; remarks in parentheses are left out."""
    text = answer.replace("`", "").strip()
    boxed = text.rpartition("\\boxed{")[2].partition("\n")[0].rpartition("}")[0] if "\\boxed{" in text else ""
    if boxed:  # up to the last brace of its line: the answer may hold braces without a partner
        inner = _TEXT_BOX.fullmatch(boxed.strip())
        found = (inner[1] if inner else boxed)[:_LONGEST]
    else:
        found = stated_answer(text) or text.rpartition("\n")[2][-_LONGEST:]
    return _NO_BRACKET.sub("", _REMARK.sub("", found))


def folded(text: str) -> str:
    """Text for comparison: neither case nor punctuation nor the amount of white space counts."""
    return " ".join(re.findall(r"\w+", text.casefold()))
