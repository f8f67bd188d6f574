"""How LiveCodeBench's own runner runs a script: as a function inside its process, with a stand-in for standard input.

What that breaks is part of the published scores: `for line in sys.stdin` fails, `sys.stdin.buffer.readline` gives the
first line again and again, `global` finds no variable, a main guard that is not the last statement never runs.
"""

import ast

from scoring.graders.code import parse

NAME = "run_on_input"
_MODULES = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics", "itertools",
    "functools", "operator", "io", "sys", "json", "builtins", "typing",
)  # fmt: skip
IMPORTS = (
    "".join(f"from {module} import *\n" for module in _MODULES)
    + f"import {', '.join(_MODULES)}\n"
    + "sys.setrecursionlimit(50000)\n"
)

_WRAPPED = "wrapped_program"
# Runs after the program's definitions; the names must not meet the program's own.
_HARNESS = """
def run_on_input(text):
    import builtins, io, sys
    lines = text.split("\\n")
    remaining = iter(lines)

    class Buffer:
        def read(self, *_):
            return text.encode()

        def readline(self, *_):
            return text.partition("\\n")[0].encode()

        def readlines(self, *_):
            return [line.encode() for line in lines]

    class Input:
        buffer = Buffer()

        def read(self, *_):
            return text

        def readline(self, *_):
            return next(remaining, "")

        def readlines(self, *_):
            return list(lines)

    def read_line(*_):
        for line in remaining:
            return line
        raise EOFError

    sys.stdin, sys.stdout = Input(), io.StringIO()
    builtins.input, builtins.open = read_line, lambda *_, **__: io.StringIO(text)
    try:
        wrapped_program()
    except SystemExit:
        pass
    return sys.stdout.getvalue()
"""


def last_fence(text: str) -> str:
    """What stands between the last two lines with a [PYTHON] tag or, without those, with three back-ticks."""
    lines = text.split("\n")
    for mark in ("PYTHON]", "```"):
        marked = [number for number, line in enumerate(lines) if mark in line]
        if len(marked) > 1:
            return "\n".join(lines[marked[-2] + 1 : marked[-1]]).strip()
    return ""


def wrapped(program: str) -> str:
    """The program as a function that takes its input as text and gives back its output; empty where it is no Python."""
    tree = parse(program)
    if tree is None or not tree.body:
        return ""
    body = tree.body
    if isinstance(body[-1], ast.If) and ast.unparse(body[-1].test) == "__name__ == '__main__'":
        body = [*body[:-1], *body[-1].body]
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    rest = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    if not rest:
        return ""
    try:
        lines = [ast.unparse(node) for node in imports] + [f"def {_WRAPPED}():"]
        lines += [_indented(node) for node in rest]
    except RecursionError:
        return ""
    return IMPORTS + "\n".join(lines) + "\n" + _HARNESS


def _indented(node: ast.stmt) -> str:
    """A statement one level deeper. Printed as part of a block, since text in several lines must not be indented."""
    block = ast.unparse(ast.If(ast.Constant(True), [node], []))
    return "    " + block.replace("if True:\n", "", 1).lstrip(" ")
