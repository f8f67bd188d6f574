r"""The answer that an output marks as its own, whatever mark its prompt has asked for.

Marks are boxes (`\boxed{5}`), tags (`<answer>5</answer>`) and fields of a JSON object (`"answer": "5"`). The last one
counts, for models correct themselves; but models also go on to ask questions of their own and answer those. Without a
mark it is what the output states in words (`scoring.graders.statement`), at last what its last line ends with.
"""

import json
import re
from itertools import pairwise

from scoring.graders.boxed import boxes
from scoring.graders.statement import FORMULA, content, stated_answer

_TAG = re.compile(r"<(/?)(?:final[_ ]?)?(?:answer|solution)>", re.IGNORECASE)
_FIELD = re.compile(r"""["'](?:(?:final|correct)[_ ])?answer["']\s*:\s*""", re.IGNORECASE)
# A quote within a string that nobody has escaped is told from its end by what follows.
_STRING = re.compile(r'"(?P<text>(?:[^"\\\n]|\\.|"(?!\s*(?:[,}\]\n`]|$)))*+)"?', re.DOTALL)
_HASHES = re.compile(r"^####[ \t]*([-$]*\d[\d,.]*%?)[ \t.]*$", re.MULTILINE)  # as in the solutions of GSM8K
_WORD = re.compile(r"[^\s,}\]]*")
_ESCAPED = re.compile(r'\\(["\\/])')
_PLACEHOLDER = re.compile(
    r"\s*|[\s$]*(?:__+|\.\.+|…|\?+|(?:(?:your|the)[ _])?(?:final[ _])?(?:answer|letter))[\s.$]*", re.IGNORECASE
)
_NEXT_QUESTION = re.compile(
    r"^[ \t#*]*(?:Question|Problem|Q|Instructions?|Human|User)[ \t]*(?::|\*\*|$)|<\|im_start\|>user|\[INST\]",
    re.IGNORECASE | re.MULTILINE,
)
_ITEM = re.compile(r"^[ \t#*]*(?:Step )?\d+[.):](?=\s)", re.IGNORECASE)
_CALL = re.compile(r"\bprint\(.*\)|(?:\b[A-Za-z_]\w*)?(?:\.\w+)+\([^()]*\)")
_DISPLAY = re.compile(r"\\\[.*?\\\]|\$\$.*?\$\$", re.DOTALL)
_BOLD = re.compile(r"\*\*([^*\n]*\d[^*\n]*)\*\*")
_NUMBER = re.compile(r"-?\\?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?\\?%?")
_MOST = 100  # fields; a text with more of them is no answer
_LONGEST = 2000  # characters; what is longer is no answer
_LONGEST_LINE = 400  # characters of a last line that are read
_N_LAST_LINES = 4
_DECODER = json.JSONDecoder()


def final_answer(text: str, truncated: bool = False) -> str:
    """The last marked answer or what that states in turn; else the stated one; else, in a text that came to its end,
    what the last line ends with; empty without any of them.
    """
    parts = own_parts(text)
    for read in (_said,) if truncated else (_said, _concluded):
        if found := next(filter(None, map(read, parts)), ""):
            return found
    return ""


def last_marked(text: str) -> str:
    """The last marked answer, or what that states in turn; empty without a mark."""
    marked = next(filter(None, map(marked_answers, own_parts(text))), [""])[-1]
    return stated_answer(marked) or marked


def own_parts(text: str) -> list[str]:
    """A text cut where it comes to another question. The first part with an answer is the one that was asked for."""
    return _NEXT_QUESTION.split(text)


def marked_answers(text: str) -> list[str]:
    """What the marks of a text hold, in the order in which they begin, without placeholders. Strings of JSON keep the
    white space at their ends.
    """
    after_hashes = [(match.start(1), match[1]) for match in _HASHES.finditer(text)]
    found = sorted([*boxes(text), *_tags(text), *_fields(text), *after_hashes])
    return [answer for _, answer in found if not _PLACEHOLDER.fullmatch(answer)]


def _tags(text: str) -> list[tuple[int, str]]:
    """Where the content of each closed tag begins, and the content; without a closed one the last that was opened."""
    tags = [*_TAG.finditer(text)]
    spans = [(tag.end(), end.start()) for tag, end in pairwise(tags) if end[1] and not tag[1]]
    if not spans and tags and not tags[-1][1]:
        spans = [(tags[-1].end(), len(text))]
    return [(start, text[start:end].strip()) for start, end in spans if end - start <= _LONGEST]


def _fields(text: str) -> list[tuple[int, str]]:
    starts = [field.end() for field in _FIELD.finditer(text)][-_MOST:]
    return [(start, _value(text[start : start + _LONGEST])) for start in starts]


def _value(text: str) -> str:
    """The JSON value a text begins with. Only quotes and backslashes lose their escape, for LaTeX often has none."""
    if string := _STRING.match(text):
        return _ESCAPED.sub(r"\1", string["text"])
    try:
        return text[: _DECODER.raw_decode(text)[1]]
    except (ValueError, RecursionError):
        word = _WORD.match(text)
        return word[0] if word else ""


def _said(text: str) -> str:
    return last_marked(text) or stated_answer(text)


def last_lines(text: str) -> list[str]:
    """The last lines that are not blank, the last one first: an answer may stand before "I hope this helps!". Numbers
    of list items and calls of a program are left out.
    """
    lines = [line for line in text.split("\n") if line.strip()][: -_N_LAST_LINES - 1 : -1]
    return [_CALL.sub("", _ITEM.sub("", line[-_LONGEST_LINE:])) for line in lines]


def _concluded(text: str) -> str:
    """The end of the last line that has a number or formula: what is emphasised there and has a digit, else the number
    or formula that ends last.
    """
    for line in last_lines(_DISPLAY.sub(lambda display: display[0].replace("\n", " "), text[-_LONGEST:])):
        emphasised = _BOLD.findall(line)
        end = emphasised[-1] if emphasised else line
        if found := [*FORMULA.finditer(end), *_NUMBER.finditer(end)]:
            return content(max(found, key=lambda match: match.end()))
    return ""
