"""Finding the program in an answer: what models write around it, and the published rule."""

import pytest

from scoring.graders.code import program_with, python_blocks, with_imports
from scoring.graders.code_compat import sanitize

ADD = "def add(a, b):\n    return a + b"
DRAFT = "def add(a, b):\n    return a"
OTHER = "class Solution:\n    pass"
BEFORE = 'from typing import List\n\n\ndef add(a: int, b: int) -> int:\n    """ Their sum. """\n'


def fenced(code, tag="python"):
    return f"```{tag}\n{code}\n```"


@pytest.mark.parametrize(
    "answer",
    [
        ADD,
        fenced(ADD),
        fenced(ADD, ""),
        fenced(ADD, "py"),
        f"Sure!\n\n{fenced(ADD)}\n\nIt runs in O(1).",
        f"~~~python\n{ADD}\n~~~",
        f"````python\n{ADD}\n````",
        f"```python\n{ADD}",
        f"{fenced(ADD)}\nIts output:\n{fenced('3')}",
        f"{fenced(ADD)}\nTry it:\n{fenced('print(add(1, 2))')}",
        f"{fenced('pip install numpy', 'bash')}\n{fenced(ADD)}",
        f"First idea:\n{fenced(DRAFT)}\nBetter:\n{fenced(ADD)}",
        f"{fenced(ADD)}\nBroken off:\n```python\ndef add(a,",
        f"1. Write it:\n\n   ```python\n   {ADD.replace(chr(10), chr(10) + '   ')}\n   ```",
        f"Here is the function\n\n{ADD}\n\nIt adds two numbers.",
        f"{ADD}\n\nassert add(1, 2) == 4\nprint(add(1, 2))",
        fenced(f"{ADD}\n\nprint(add(int(input()), 1))"),
        fenced(ADD).replace("\n", "\r\n"),
        "x\n" * 500 + fenced(ADD),
    ],
)
def test_the_program_is_found(answer):
    namespace = {}
    exec(program_with(answer, ["add"]), namespace)
    assert namespace["add"](1, 2) == 3


@pytest.mark.parametrize(
    "answer", ["", "I cannot.", "def add(a, b", fenced("x = 1"), fenced("add(1, 2)"), "```" * 1000]
)
def test_no_program_is_found(answer):
    assert program_with(answer, ["add"]) == ""


@pytest.mark.parametrize(
    "body",
    [
        "    return a + b",
        "return a + b",
        fenced("    return a + b"),
        "    c = a + b\n    return c",
        "    return a + b\n```\nThe prompt had opened the fence.",
    ],
)
def test_an_answer_may_go_on_where_the_task_ends(body):
    namespace = {}
    exec(program_with(body, ["add"], before=BEFORE), namespace)
    assert namespace["add"](1, 2) == 3


def test_blocks_that_need_each_other_are_put_together():
    helper = "def twice(x):\n    return 2 * x"
    answer = f"{fenced(helper)}\n{fenced(OTHER)}"
    assert "twice" in program_with(answer, ["twice"])


def test_only_blocks_of_python_count():
    text = f"{fenced('ls', 'bash')}\n{fenced('{}', 'json')}\n{fenced('a = 1')}\n{fenced('b = 2', '')}\n```python\nc = 3"
    assert python_blocks(text) == ["a = 1", "b = 2", "c = 3"]


def test_imports_come_after_those_of_the_future():
    program = with_imports("import os\nfrom __future__ import annotations\nx: Missing = math.pi\nx = np.pi")
    exec(compile(program, "p", "exec"), {})
    assert "numpy" not in with_imports("x = 1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ADD, ADD),
        (f"Sure:\n{fenced(ADD)}", ADD),
        ("def f(x):\n\treturn x", "def f(x):\n    return x"),
        ("def f(x):\r\n    return x", "def f(x):\n    return x"),
        ("def show(x):\n    print(x)", ""),  # no return
        ("async def f(x):\n    return x", ""),
        ("def g():\n    yield 1\n\ndef f(x):\n    return x", "def f(x):\n    return x"),
        (
            "def f():\n    return 1\nimport re\nx = 2\nx += 1\na, b = 1, 2\nprint(x)",
            "import re\ndef f():\n    return 1\nx = 2",
        ),
        ("def f():\n    return 1\nx = 2\ndef f():\n    return 3", "def f():\n    return 3\nx = 2"),
        ("class A:\n    x = 1", "class A:\n    x = 1"),
        ("The end.\n" * 100 + ADD, ""),  # after 100 lines
        ("The end.\n" * 98 + ADD, ADD),
        ("", ""),
        ("It is so.", ""),
        ("x = 1\x00", ""),
    ],
)
def test_the_published_rule(text, expected):
    assert sanitize(text) == expected


@pytest.mark.parametrize(
    "text", ["a" + ".a" * 50_000, "-" * 50_000 + "1", "[" * 50_000, "7" * 50_000, "\ud800", "if a:\n x\n" * 3_000]
)
def test_no_text_breaks_the_search(text):
    for wrapped in (text, fenced(text), f"x = {text}"):
        assert isinstance(sanitize(wrapped), str)
        assert program_with(wrapped, ["add"], before=BEFORE) == ""
