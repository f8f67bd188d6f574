"""Put the functions that a model wrote into the program that lacks them.

`completed` takes whole functions, and with them the imports, helpers and constants of the answer that they use and the
program does not have. `replaced_compat` is the published rule, which takes the lines from `def` to the end of one
function and nothing else (LLMRouterBench, section SGI dry experiment).
"""

import ast
import symtable
from collections.abc import Iterable, Sequence

from scoring.graders.code import parse

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_HELPERS = (_Function, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Try)


def completed(program: str, answer: str, names: Sequence[str]) -> str:
    """The program with these functions as the answer defines them; empty where either lacks one or is no Python.

    A function keeps the decorators of the program unless the answer gives it some.
    """
    program, answer = _with_line_feeds(program), _with_line_feeds(answer)
    tree, answer_tree = parse(program), parse(answer)
    if tree is None or answer_tree is None:
        return ""
    old, new = _functions(tree), _functions(answer_tree)
    if not names or not all(name in old and name in new for name in names):
        return ""
    try:
        helpers = _needed(answer_tree, [new[name] for name in names], has=_bound(tree))
    except (SyntaxError, ValueError, RecursionError):  # such as a name declared global after its use
        return ""
    lines, answer_lines = program.split("\n"), answer.split("\n")
    for name in sorted(names, key=lambda name: old[name].lineno, reverse=True):
        begin = old[name].lineno if not new[name].decorator_list else _first_line(old[name])
        lines[begin - 1 : old[name].end_lineno] = answer_lines[_first_line(new[name]) - 1 : new[name].end_lineno]
    first = min(_first_line(old[name]) for name in names) - 1
    above = [line for node in helpers for line in answer_lines[_first_line(node) - 1 : node.end_lineno]]
    return "\n".join([*lines[:first], *above, *lines[first:]])


def imported(programs: Iterable[str]) -> set[str]:
    """The packages and modules that programs import anywhere, by the first part of their names."""
    names: set[str] = set()
    for tree in filter(None, map(parse, programs)):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return {name.partition(".")[0] for name in names}


def replaced_compat(program: str, code: str, name: str) -> str:
    """The program with the lines of one function exchanged for those in the code; empty where that fails."""
    old, new = (_functions_compat(text) for text in (program, code))
    if name not in old or name not in new:
        return ""
    lines, code_lines = program.splitlines(keepends=True), code.splitlines(keepends=True)
    lines[old[name].lineno - 1 : old[name].end_lineno] = code_lines[new[name].lineno - 1 : new[name].end_lineno]
    replaced = "".join(lines)
    return replaced if _functions_compat(replaced) else ""


def _functions_compat(text: str) -> dict[str, ast.FunctionDef]:
    """The functions at the top level of a program by name; none where it does not compile."""
    tree = parse(text)
    try:
        compile(tree or "?", "<answer>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)} if tree else {}


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _functions(tree: ast.Module) -> dict[str, _Function]:
    return {node.name: node for node in tree.body if isinstance(node, _Function)}


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])


def _needed(tree: ast.Module, functions: Sequence[_Function], has: set[str]) -> list[ast.stmt]:
    """The statements that define what functions use, directly or through one another, and `has` lacks; in order."""
    candidates = [(node, _bound(node)) for node in tree.body if isinstance(node, _HELPERS) and node not in functions]
    needed: list[ast.stmt] = []
    pending: list[ast.stmt] = list(functions)
    while pending:
        used = _used(pending.pop()) - has
        for node, bound in candidates:
            if node not in needed and (used & bound or "*" in bound):
                needed.append(node)
                pending.append(node)
    return [node for node, _ in candidates if node in needed]


def _bound(node: ast.stmt | ast.Module) -> set[str]:
    """The names that a statement or module binds at its top level; an asterisk for the names of a whole module."""
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        return {"*"}
    return {symbol.get_name() for symbol in _table(node).get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def _used(node: ast.stmt) -> set[str]:
    """The global names that a statement refers to, at its top level or within its functions."""
    names, tables = set(), [_table(node)]
    while tables:
        table = tables.pop()
        names |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and symbol.is_global()}
        tables += table.get_children()
    return names


def _table(node: ast.stmt | ast.Module) -> symtable.SymbolTable:
    return symtable.symtable(ast.unparse(node), "<answer>", "exec")  # unparsed, it gives no warning any more
