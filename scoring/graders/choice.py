"""Which letter of a multiple-choice question an output chose.

`letter` is the robust rule, `letter_compat` the one behind the published tables of LLMRouterBench with its defects: no
tolerance for markdown, brackets or lower case, and any word that begins with an allowed letter taken for that letter
("Answer: Because …" is B there).
"""

import re
from collections.abc import Mapping

from scoring.graders.final_answer import marked_answers, own_parts
from scoring.graders.reasoning import without_markdown
from scoring.graders.statement import line_compat, statements

_OPEN = r"""[\s"'“‘(\[{$\\]*+"""
_HEAD = re.compile(
    rf"{_OPEN}(?:(?:option|choice)\b)?(?:{_OPEN}(?:text|textbf|mathrm|mathbf)\s*(?=\{{))?{_OPEN}"
    r"""(?P<letter>[A-Za-z])(?![A-Za-z0-9])(?P<close>["'”’)\]}$\\]*)""",
    re.IGNORECASE,
)
_LATER = re.compile(r"\b(?:is|be|option|choice|choose|pick|select)\s+" + _OPEN + r"([A-Z])(?![\w'’+/^=*-])")
# A second letter beside the first: "B and D", "(A), (C)". No choice was made.
_OTHER = re.compile(r"""[\s"'”’)\]}$\\]*(?:(?:and|or|&)|[,/](?=\W*[A-Z]\W*(?:$|\n|and|or)))\W*([A-Z])(?![\w'’])""")
_SENTENCE_END = re.compile(r"[.!?]\s|\n")
_GLUED = re.compile(r"[\w+/^=*]|['’-]\w|\s*[=^+*/<>]")  # part of a word or a formula: "d'Alembert", "C-14", "E = mc^2"
# "A" and "I" are words too: a letter only before punctuation or one of these words.
_AS_WORD = re.compile(r"\s+(?!(?:because|since|as|is|was|due|for|by|with|and|where|which)\b)[a-z']")


def letter(text: str, options: Mapping[str, str]) -> str:
    """The option an output chose, as an upper-case letter; empty where it chose none.

    In this order: the last box, tag or field that holds a letter or the text of exactly one option; the last statement
    of an answer that names a letter; the whole text; the last line, being the same as a box. Never a guess.

    Args:
        text: the part of the output after the reasoning.
        options: text of each option by its upper-case letter.
    """
    plain = without_markdown(text).strip()
    options = {key: without_markdown(option) for key, option in options.items()}
    return next(filter(None, (_chosen(part.strip(), options) for part in own_parts(plain))), "")


def _chosen(plain: str, options: Mapping[str, str]) -> str:
    last_line = plain.rpartition("\n")[2]
    marked = (_marked(answer, options) for answer in reversed(marked_answers(plain)))
    stated = (_stated(statement, options) for statement in statements(plain))
    whole = (_alone(fragment, options) for fragment in (plain, last_line))
    for candidates in (marked, stated, whole):
        if found := next(filter(None, candidates), ""):
            return found
    return _by_text(last_line, options)


def _marked(answer: str, options: Mapping[str, str]) -> str:
    return _alone(answer, options) or _stated(answer, options) or _by_text(answer, options)


def _alone(fragment: str, options: Mapping[str, str]) -> str:
    """The letter that a fragment consists of, with brackets or punctuation, and at most its option's text, which may
    have been cut off.
    """
    head = _HEAD.match(fragment)
    if not head or (key := head["letter"].upper()) not in options:
        return ""
    return key if _folded(options[key]).startswith(_folded(fragment[head.end() :])) else ""


def _by_text(fragment: str, options: Mapping[str, str]) -> str:
    """The option whose text a fragment is, if there is just one."""
    same = [key for key, option in options.items() if _folded(option) == _folded(fragment) != ""]
    return same[0] if len(same) == 1 else ""


def _stated(rest: str, options: Mapping[str, str]) -> str:
    """The letter named after "the answer is": at once, or later in the sentence as in "I think it is B"."""
    head = _HEAD.match(rest)
    if head and (key := head["letter"].upper()) in options:
        after = rest[head.end() :]
        other = _OTHER.match(after)
        if other and other[1] in options and not (other[1] in "AI" and _AS_WORD.match(after, other.end())):
            return ""
        option = _folded(options[key])
        has_option = option != "" and _folded(after).startswith(option)
        is_bracketed = not set(head["close"]).isdisjoint(')]}"”')
        is_word = _GLUED.match(after) or (key in "AI" and _AS_WORD.match(after))
        if has_option or is_bracketed or not is_word:
            return key
    sentence = _SENTENCE_END.split(rest.lstrip(), maxsplit=1)[0]
    later = [key for key in _LATER.findall(sentence) if key in options]
    return later[-1] if later else ""


def _folded(text: str) -> str:
    """Text for comparison: case, the amount of white space, and punctuation around it do not count."""
    return " ".join(text.casefold().split()).strip(" .:,;()[]{}\"'$\\")


def letter_compat(text: str, letters: str) -> str:
    """What the published rule takes for the letter. It is right if it equals the gold letter exactly.

    Args:
        text: the raw output.
        letters: the range of letters that are accepted, such as "A-J".
    """
    return line_compat(text, rf"\$?([{letters}])[.\s\n]?")
