"""How LiveCodeBench compares what a program gives with what is expected: the rules of its own runner.

This file is also the source of checks that run inside the sandbox: it imports nothing but Python's library.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

Case = dict[str, str]  # "input" and "output"


def check_script(program: Any, cases: list[Case]) -> None:
    """Run the program as a script on each input; the first wrong output ends it."""
    for number, case in enumerate(cases, 1):
        run = program.run(case["input"])
        if run.exit_code:
            reason = run.stderr.strip().rpartition("\n")[2]
            raise AssertionError(f"test {number}: {reason or f'exit status {run.exit_code}'}")
        _expect(same_output(run.stdout, case["output"]), number)


def check_wrapped(program: Any, cases: list[Case], name: str) -> None:
    """Call the function that runs the wrapped program on an input and gives back its output."""
    run = program.load(name)
    for number, case in enumerate(cases, 1):
        program.step()
        _expect(same_output(run(case["input"]), case["output"]), number)


def check_calls(program: Any, cases: list[Case], name: str, has_class: bool) -> None:
    """Call a function, or that method of the class Solution, with each line of the input as a JSON argument."""
    function = getattr(program.load("Solution")(), name) if has_class else program.load(name)
    for number, case in enumerate(cases, 1):
        program.step()
        result = function(*map(json.loads, case["input"].split("\n")))
        result = list(result) if isinstance(result, tuple) else result
        _expect(bool(result == json.loads(case["output"])), number)


def same_output(output: str, expected: str) -> bool:
    """Whether two outputs have equal lines: as text without outer blanks, or as decimal numbers without tolerance."""
    lines, expected_lines = ([line.strip() for line in text.strip().split("\n")] for text in (output, expected))
    return len(lines) == len(expected_lines) and all(map(_same_line, lines, expected_lines))


def _same_line(line: str, expected: str) -> bool:
    if line == expected:
        return True
    try:
        numbers, expected_numbers = ([Decimal(word) for word in text.split()] for text in (line, expected))
        return numbers == expected_numbers
    except InvalidOperation:
        return False


def _expect(is_right: bool, number: int) -> None:
    if not is_right:
        raise AssertionError(f"test {number}: wrong answer")
