r"""The JSON value in what a judge or another model wrote: alone, in a fenced block, or between prose.

Nothing is ever evaluated. Models break JSON in few ways that change no meaning: a comma before a closing bracket, a
line feed within a string, the backslash of a formula (`"\alpha"`) that is not doubled. These are mended; anything else
is no JSON.
"""

import json
import re
from typing import TypeVar

Kind = TypeVar("Kind", list, dict)

_BRACKETS = {list: ("[", "]"), dict: ("{", "}")}
_FENCED = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_FINAL_COMMA = re.compile(r",(?=\s*+[\]}])")
_BACKSLASH = re.compile(r'\\(["\\/bfnrt]|u[0-9A-Fa-f]{4})?')


def json_in(text: str, kind: type[Kind]) -> Kind | None:
    """The value of that kind in the last fenced block that is one, else from its first to its last bracket; or None."""
    opening, closing = _BRACKETS[kind]
    for candidate in (*reversed(_FENCED.findall(text)), text):
        start, end = candidate.find(opening), candidate.rfind(closing)
        if 0 <= start < end:
            value = _value(candidate[start : end + 1])
            if isinstance(value, kind):
                return value
    return None


def _value(text: str) -> object:
    for attempt in (text, _mended(text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _mended(text: str) -> str:
    doubled = _BACKSLASH.sub(lambda match: match[0] if match[1] else "\\\\", text)
    return _FINAL_COMMA.sub("", doubled)
