"""Find the program in an answer: fenced blocks of Python first, plain code between prose where there are none.

The published rule for functions looks at the first 100 lines only and drops most statements (`code_compat`).
"""

import ast
import re
import threading
import warnings
from collections.abc import Container, Iterable, Sequence

# What the published harness imports before a program of HumanEval or MBPP. NumPy takes 50 ms, so only where mentioned.
_MODULES = (
    "math", "re", "sys", "copy", "datetime", "itertools", "collections", "heapq", "functools", "hashlib", "string"
)  # fmt: skip
_IMPORTS = f"import {', '.join(_MODULES)}\nfrom typing import *\nfrom collections import *\n"
_NUMPY = "import numpy\nimport numpy as np\n"

_FENCE = re.compile(r"([ \t>]*)(`{3,}|~{3,})[ \t]*([^\s`{}]*)[^`]*")
_FENCE_LINE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
SAYS_PYTHON = {"python", "python3", "py", "py3", "python-repl", "ipython"}
_PYTHON_TAGS = SAYS_PYTHON | {""}
_CODE_LINE = re.compile(
    r"(?:import|from|def|class|async\s+def|@\w|if|for|while|with|try)\b|@|[A-Za-z_][\w.\[\], ]*\s*=[^=]"
)
_FUTURE = re.compile(r"^from __future__ import .*\n?", re.MULTILINE)
_MAX_TRIES = 200

_parsing = threading.Lock()


def with_imports(program: str) -> str:
    """The program after the imports that the published harness gives to every one."""
    future = "".join(line.rstrip("\n") + "\n" for line in _FUTURE.findall(program))
    numpy = _NUMPY if re.search(r"\b(?:np|numpy)\b", program) else ""
    return future + _IMPORTS + numpy + _FUTURE.sub("", program)


def parse(program: str) -> ast.Module | None:
    """The syntax tree, or None where it is no Python."""
    return _parse(program)[0]


def _parse(program: str) -> tuple[ast.Module | None, int]:
    """The syntax tree and 0, or None and the line that is no Python; 0 where that is not known."""
    with _parsing, warnings.catch_warnings():  # the list of filters is one for all threads
        warnings.simplefilter("ignore")
        try:
            return ast.parse(program), 0
        except SyntaxError as error:
            return None, error.lineno or 0
        except (ValueError, RecursionError, MemoryError):
            return None, 0


def defined_names(tree: ast.Module) -> set[str]:
    """Names that a module binds at its top level."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def python_blocks(text: str, tags: Container[str] = _PYTHON_TAGS) -> list[str]:
    """The contents of the fenced blocks that may be Python, the last one also where its fence is not closed.

    Args:
        tags: what stands behind an opening fence that counts.
    """
    blocks: list[str] = []
    content: list[str] = []
    fence, indent, is_python = "", "", False
    for line in text.replace("\r\n", "\n").split("\n"):
        match = _FENCE.fullmatch(line)
        if not fence and match:
            indent, fence, tag = match.groups()
            content, is_python = [], tag.lower() in tags
        elif fence and match and match[2].startswith(fence) and not match[3]:
            blocks += ["\n".join(content)] if is_python else []
            fence = ""
        elif fence:
            content.append(line.removeprefix(indent))
    if fence and is_python:
        blocks.append("\n".join(content))
    return [block for block in blocks if block.strip()]


def program_with(text: str, names: Iterable[str], before: str = "") -> str:
    """The program of an answer that should define one of some names; empty where none does.

    In this order: the last block that defines one; all blocks together; the longest code between prose; the answer as
    the rest of what it was given. Statements that only show the use of the program are left out.

    Args:
        text: the answer without its reasoning.
        names: of functions or classes.
        before: beginning of a program that the answer may continue.
    """
    wanted = set(names)
    blocks = python_blocks(text)
    for program in (*reversed(blocks), "\n\n".join(blocks)):
        if found := _defining(program, wanted):
            return found
    snippets = _snippets(text)
    for program in sorted(snippets, key=len, reverse=True):
        if found := _defining(program, wanted):
            return found
    up_to_fence = _FENCE_LINE.split(text, maxsplit=1)[0]  # the fence may have been opened by the prompt
    for body in (*reversed(blocks), text, up_to_fence) if before else ():
        if not body.lstrip("\n").startswith((" ", "\t")):
            body = "\n".join("    " + line for line in body.split("\n"))
        if "return" in body and (found := _defining(f"{before.rstrip()}\n{body}", wanted)):
            return found
    return ""


def _defining(program: str, wanted: set[str]) -> str:
    """The program without examples of its use if it defines a wanted name, else nothing."""
    tree = parse(program)
    if tree is None or not wanted & defined_names(tree):
        return ""
    lines: list[str | None] = list(program.split("\n"))
    for node in tree.body:
        if _is_example(node, wanted) and not _shares_a_line(node, tree.body):
            lines[node.lineno - 1 : node.end_lineno] = [None] * ((node.end_lineno or 0) - node.lineno + 1)
    return "\n".join(line for line in lines if line is not None)


def _is_example(node: ast.stmt, wanted: set[str]) -> bool:
    """Whether a statement at the top level checks or shows what was defined, and could end the program."""
    if isinstance(node, ast.Assert):
        return True
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return isinstance(node, ast.Expr) and bool(used & (wanted | {"print", "input"}))


def _shares_a_line(node: ast.stmt, body: Sequence[ast.stmt]) -> bool:
    return any(
        other is not node and other.lineno <= (node.end_lineno or 0) and node.lineno <= (other.end_lineno or 0)
        for other in body
    )


def _snippets(text: str) -> list[str]:
    """Stretches of an answer that are Python: from a line that begins like code to the last line that still fits."""
    lines = [line for line in text.split("\n") if not _FENCE.fullmatch(line)]
    snippets, start, n_tries = [], 0, 0
    while start < len(lines) and n_tries < _MAX_TRIES:
        if not _CODE_LINE.match(lines[start]):
            start += 1
            continue
        end = start + 1
        while end < len(lines) and (
            not lines[end].strip() or lines[end][0] in " \t)]}#" or _CODE_LINE.match(lines[end])
        ):
            end += 1
        next_start = start + 1
        while end > start and n_tries < _MAX_TRIES:
            n_tries += 1
            tree, error_line = _parse(snippet := "\n".join(lines[start:end]))
            if tree is not None:
                snippets.append(snippet)
                next_start = end
                break
            end = min(end - 1, start + error_line - 1) if error_line else end - 1
        start = next_start
    return snippets
