"""The answer between <answer> and </answer>, the form that all tasks of SGI-Bench ask for."""

import re

_OPEN, _CLOSE = "<answer>", "</answer>"
_CLOSED = re.compile(r"<answer>((?:(?!</?answer>).)*+)</answer>", re.DOTALL | re.IGNORECASE)


def tagged(answer: str) -> str | None:
    """What the last closed tags hold, stripped; without any, what follows the last opening tag; else None.

    An opening tag that prose mentions after the answer hides nothing, and one that is never closed still marks it.
    """
    if closed := [content for content in _CLOSED.findall(answer) if content.strip()]:
        return closed[-1].strip()
    start = answer.lower().rfind(_OPEN)
    return answer[start + len(_OPEN) :].partition(_CLOSE)[0].strip() or None if start >= 0 else None


def tagged_compat(text: str) -> str | None:
    """What stands between the last opening tag and the next closing one, stripped; None where either is missing."""
    _, is_open, rest = text.rpartition(_OPEN)
    content, is_closed, _ = rest.partition(_CLOSE)
    return content.strip() if is_open and is_closed else None
