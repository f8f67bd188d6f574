"""Find the patch in an answer: the last complete unified diff, whatever fences or tags are around it.

The published rule takes the first block that is marked as a diff, or any first block, or everything (`patch_compat`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_GIT = re.compile(  # lines of git between "diff --git" and "---", or instead of what follows
    r"index [0-9a-f]+\.\.|(?:old|new|deleted file|new file) mode |(?:dis)?similarity index |"
    r"(?:rename|copy) (?:from|to) |Binary files "
)
_WITHOUT_HUNK = re.compile(r"(?:rename|copy) to |(?:new file|deleted file|new) mode |Binary files ")
_SAME_LINE = re.compile(r"^<patch>|</patch>$", re.MULTILINE)  # no line of its own, as it should have
_TAG = re.compile(r"<([\w-]+)>")
_FENCE = re.compile(r"```(\w*)\n")
_MARKS = {"diff", "patch"}


@dataclass(slots=True)
class _Diff:
    """Consecutive lines that are a diff of one or more files.

    Attributes:
        flaw: the first thing that makes it no valid unified diff, "" where there is none.
    """

    lines: list[str] = field(default_factory=list)
    flaw: str = ""


def last_patch(text: str) -> tuple[str, str]:
    """The last unified diff without a flaw, or with one where all have; and the flaw.

    Returns:
        ("", "no diff") where there is none. Line ends are line feeds, and the last line has one.
    """
    lines = _SAME_LINE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    diffs = list(_diffs(lines))
    if not diffs:
        return "", "no diff"
    diff = next((diff for diff in reversed(diffs) if not diff.flaw), diffs[-1])
    return "\n".join(diff.lines) + "\n", diff.flaw


def _diffs(lines: list[str]) -> Iterator[_Diff]:
    """All diffs of a text, in its order; lines between them belong to none."""
    at, diff = 0, _Diff()
    while at < len(lines):
        end, flaw = _file(lines, at)
        if end > at:
            diff.lines += lines[at:end]
            diff.flaw = diff.flaw or flaw
            at = end
            continue
        if lines[at].strip() and diff.lines:
            yield diff
            diff = _Diff()
        at += 1
    if diff.lines:
        yield diff


def _file(lines: list[str], at: int) -> tuple[int, str]:
    """Where the diff of one file that begins in a line ends, which is the same line if none does; and its flaw."""
    is_enough = False
    if is_git := lines[at].startswith("diff --git "):
        at += 1
        while at < len(lines) and _GIT.match(lines[at]):
            is_enough |= bool(_WITHOUT_HUNK.match(lines[at]))
            at += 1
    if not _begins_file(lines, at):
        return at, "" if is_enough or not is_git else "a file without changes"
    at += 2
    flaw = "" if at < len(lines) and lines[at].startswith("@@") else "a file without changes"
    while at < len(lines) and lines[at].startswith("@@"):
        at, wrong = _hunk(lines, at)
        flaw = flaw or wrong
    return at, flaw


def _hunk(lines: list[str], at: int) -> tuple[int, str]:
    """Where a hunk ends, and what is wrong with it."""
    header = _HUNK.match(lines[at])
    n_old, n_new = (int(number or 1) for number in header.groups()) if header else (0, 0)
    flaw = "" if header else f"no line numbers: {lines[at][:40]!r}"
    at += 1
    while at < len(lines):
        mark = lines[at][:1]
        if not (n_old > 0 or n_new > 0):
            if mark == "\\":
                at += 1
                continue
            if mark not in ("+", "-", " ") or _begins_file(lines, at):
                break
            flaw = flaw or "a hunk with more lines than its header says"
        elif mark not in ("+", "-", " ", "\\") and (mark or not _goes_on(lines, at)):
            break
        n_old -= mark in ("-", " ", "")
        n_new -= mark in ("+", " ", "")
        at += 1
    if n_old > 0 or n_new > 0:
        flaw = flaw or "a hunk with fewer lines than its header says"
    elif n_old < 0 or n_new < 0:
        flaw = flaw or "a hunk with other lines than its header says"
    return at, flaw


def _begins_file(lines: list[str], at: int) -> bool:
    return at + 1 < len(lines) and lines[at].startswith("--- ") and lines[at + 1].startswith("+++ ")


def _goes_on(lines: list[str], at: int) -> bool:
    """Whether an empty line is one of the file that has lost its space: more of the hunk follows."""
    return at + 1 < len(lines) and (lines[at + 1][:1] in ("+", "-", " ", "\\") or not lines[at + 1])


def patch_compat(text: str) -> str:
    """The patch as the published rule finds it (SWE-bench `extract_diff`, tags in lower case and stripped)."""
    blocks = [*_tagged(text), *_fenced(text)]
    marked = [content for mark, content in blocks if mark.lower() in _MARKS]
    others = [content for mark, content in blocks if mark.lower() not in _MARKS]
    return (marked or others or [text.partition("</s>")[0]])[0].strip()


def _tagged(text: str) -> Iterator[tuple[str, str]]:
    """(tag, content) of elements that do not overlap; a regular expression with a back reference would be quadratic."""
    at, unclosed = 0, set[str]()
    while tag := _TAG.search(text, at):
        end = -1 if tag[1] in unclosed else text.find(f"</{tag[1]}>", tag.end())
        if end < 0:
            unclosed.add(tag[1])
            at = tag.end()
            continue
        yield tag[1], text[tag.end() : end]
        at = end + len(tag[1]) + 3


def _fenced(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while (fence := _FENCE.search(text, at)) and (end := text.find("```", fence.end())) >= 0:
        yield fence[1], text[fence.end() : end]
        at = end + 3
