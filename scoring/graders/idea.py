"""Research ideas of SGI-Bench: a JSON object with six parts, and how it is found in an answer."""

import json
import re
from collections.abc import Mapping
from typing import Any

from scoring.graders.answer_tag import tagged, tagged_compat
from scoring.graders.json_reply import json_in

Idea = Mapping[str, Any]

KEYS = ("Idea", "ImplementationSteps", "ImplementationOrder", "Dataset", "EvaluationMetrics", "ExpectedOutcome")
_VALUE = r'\s*+:\s*+(\{[^}]{0,20000}+\}|\[[^\]]{0,20000}+\]|"%s")'
_STRING, _STRING_COMPAT = r'(?:[^"\\]|\\.)*+', '[^"]*+'
EMPTY: tuple[Any, ...] = (None, "", {}, [])
_FENCED = re.compile(r"```(?:json)?\s*+(.*?)```", re.DOTALL)


def read(answer: str) -> dict[str, Any]:
    """The six parts of an idea by their keys, those that are there; empty where the answer holds none.

    JSON in the answer tags, a fence or prose, its keys in any spelling; or what is left of it where it broke off.
    """
    content = tagged(answer) or answer
    found = json_in(content, dict) or _fields(content, _STRING)
    spelled = {re.sub(r"\W|_", "", key).casefold(): value for key, value in found.items()}
    return {key: spelled[key.casefold()] for key in KEYS if spelled.get(key.casefold()) not in EMPTY}


def read_compat(text: str) -> Any:
    """The first fenced JSON of the answer, the answer as JSON, what is in its outermost braces, its fields; or None."""
    content = tagged_compat(text) or text
    fenced = _FENCED.search(content)
    start, end = content.find("{"), content.rfind("}")
    for candidate in (fenced[1] if fenced else "", content, content[start : end + 1] if 0 <= start < end else ""):
        try:
            return json.loads(candidate.strip())
        except (ValueError, RecursionError):
            continue
    return _fields(content, _STRING_COMPAT) or None


def _fields(text: str, string: str) -> dict[str, Any]:
    """Those of the six fields whose value is complete, in text that is no JSON as a whole."""
    found: dict[str, Any] = {}
    for key in KEYS:
        name = f'"?{key}"?' if key == "Idea" else f'"{key}"'
        if match := re.search(name + _VALUE % string, text, re.IGNORECASE):
            try:
                found[key] = json.loads(match[1], strict=False)
            except (ValueError, RecursionError):
                found[key] = match[1].strip('"')
    return found


def as_text(value: Any) -> str:
    """A part of an idea as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
