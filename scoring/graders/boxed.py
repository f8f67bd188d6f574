r"""The answer in a LaTeX box: `\boxed{…}` or `\fbox{…}`.

Braces are matched once for the whole text, so a text full of boxes that are never closed costs no more than any other.
The two functions with `compat` in their name are the two helpers of LLMRouterBench, which disagree with each other.
"""

import re

_TOKEN = re.compile(r"\\{1,2}(?:boxed|fbox)(?![A-Za-z])|\\.|[{}]", re.DOTALL)  # two backslashes: escaped once too often
_BARE = re.compile(r"[ \t]+(-?\d[\d.,/]*|[A-Za-z](?![A-Za-z]))")  # a number or a letter, no word: "use \boxed format"
_BRACE = re.compile("[{}]")
_LONGEST = 2000  # characters; what is longer is no answer, and boxes within boxes would add up


def last_box(text: str) -> str | None:
    r"""The content of the last box that is closed and not empty, stripped; None where there is none.

    Also accepts `\boxed 5`: a number or letter without braces. Escaped braces do not count when braces are matched.
    """
    contents = all_boxes(text)
    return contents[-1] if contents else None


def all_boxes(text: str) -> list[str]:
    """The contents of all closed boxes that hold something, stripped, in the order in which the boxes begin."""
    return [content for _, content in boxes(text)]


def boxes(text: str) -> list[tuple[int, str]]:
    """The same, each with the place where its content begins."""
    found: dict[int, str] = {}
    open_braces: list[int | None] = []  # for every open brace, where its content begins if it belongs to a box
    box_end = -1
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == "{":
            open_braces.append(token.end() if box_end >= 0 and not text[box_end : token.start()].strip() else None)
            box_end = -1
        elif mark == "}":
            box_end = -1
            start = open_braces.pop() if open_braces else None
            if start is not None and token.start() - start <= _LONGEST:
                found[start] = text[start : token.start()].strip()
        elif len(mark) > 2:
            box_end = token.end()
            if bare := _BARE.match(text, box_end):
                found[box_end] = bare[1].rstrip(".,;:")
        else:
            box_end = -1
    return [(start, found[start]) for start in sorted(found) if found[start]]


def last_box_compat(text: str) -> str | None:
    r"""The content of the last `\boxed{…}`, or None where the last `\boxed` has another form or is never closed."""
    begin = text.rfind("\\boxed")
    end = _closing(text, begin) if begin >= 0 else -1
    return text[begin + 7 : end] if end >= 0 and text.startswith("\\boxed{", begin) else None


def first_box_compat(text: str) -> str:
    r"""The content of the first `\boxed{…}`, stripped; all that follows where it is never closed; empty without one."""
    begin = text.find("\\boxed{")
    if begin < 0:
        return ""
    end = _closing(text, begin)
    return text[begin + 7 : end if end >= 0 else len(text)].strip()


def _closing(text: str, begin: int) -> int:
    """Position of the brace that closes the first one opened at or after `begin`; -1 where none does."""
    depth = 0
    for brace in _BRACE.finditer(text, begin):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0 and brace[0] == "}":
            return brace.start()
    return -1
