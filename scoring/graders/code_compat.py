"""How the published tables find the program in an answer to HumanEval or MBPP; with defects D6 and D7.

Of the first 100 lines, the range that is valid Python and has the most lines that are not blank; of that, only imports,
classes, functions with a `return`, and assignments to a name.
"""

import ast
from functools import lru_cache

from scoring.graders.code import parse

_N_LINES = 100


@lru_cache(maxsize=256)
def sanitize(text: str) -> str:
    """The program as the published rule takes it, imports first; empty where no line is Python."""
    text = text.replace("\t", "    ").replace("\r\n", "\n").replace("\r", "\n").strip()
    tree = _longest_valid(text.split("\n")[:_N_LINES])
    if tree is None:
        return ""
    imports: list[ast.stmt] = []
    kept: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(node)
        elif isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and _returns(node)):
            kept[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            kept[node.targets[0].id] = node
    try:
        return "\n".join(ast.unparse(node) for node in (*imports, *kept.values()))
    except RecursionError:
        return ""


def _returns(node: ast.FunctionDef) -> bool:
    return any(isinstance(part, ast.Return) for part in ast.walk(node))


def _longest_valid(lines: list[str]) -> ast.Module | None:
    """Of all ranges of lines that are Python, the one with the most that are not blank; the first of several."""
    n_filled = [0]
    for line in lines:
        n_filled.append(n_filled[-1] + bool(line.strip()))
    ranges = [
        (n_filled[start] - n_filled[end], start, end)
        for start in range(len(lines))
        if lines[start] and not lines[start][0].isspace()  # neither blank nor indented can begin the best range
        for end in range(start + 1, len(lines) + 1)
    ]
    for _, start, end in sorted(ranges):
        if (tree := parse("\n".join(lines[start:end]))) is not None:
            return tree
    return None
