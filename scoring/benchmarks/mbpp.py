r"""MBPP: 974 short Python functions to write from one sentence and three asserts.

Data: mbpp.jsonl of *Program Synthesis with Large Language Models* (GitHub repository google-research/google-research,
mbpp/mbpp.jsonl, CC-BY-4.0); here <data_dir>/mbpp/mbpp.jsonl, all rows. A row, shortened:

    {"text": "Write a python function to find the first repeated character in a given string.", "task_id": 4,
     "code": "def first_repeated_char(str1):\r\n  …", "test_setup_code": "", "challenge_test_list": [],
     "test_list": ["assert first_repeated_char(\"abcabc\") == \"a\"", …]}

Answer: the program that defines a name of the asserts; right if the setup code and the asserts pass in the sandbox
within 10 s of computing. Which names the program has to define is known from the reference code; arguments reach it as
copies. The published rule finds the program as `code_compat.sanitize` and leaves the setup code out, so 5 of the 974
reference programs fail it (LLMRouterBench, section MBPP).
"""

import ast
from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders import sandbox
from scoring.graders.code import defined_names, parse, program_with, with_imports
from scoring.graders.code_compat import sanitize
from scoring.graders.reasoning import answer_part, why
from scoring.rows import Row, find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "mbpp/mbpp.jsonl of the GitHub repository google-research/google-research"
_PROMPT = """You are an expert in Python. Carry out the following programming task.

{text}

The code you write has to pass these tests:

{tests}"""


class MBPP(Benchmark):
    """The 974 problems of MBPP.

    Args:
        timeout_s: computing time for a program and its asserts together.
    """

    name = "mbpp"
    source = Source(
        host="github", repository="google-research/google-research",
        revision="f82046ba5aabbbb427dbfd38a254d26bff08b533", files={"mbpp.jsonl": "mbpp/mbpp.jsonl"},
    )  # fmt: skip
    scorer_version = 2

    def __init__(self, timeout_s: float = 10.0):
        self.timeout_s = timeout_s

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "mbpp/mbpp.jsonl", _SOURCE)
        fields = {"text": str, "code": str, "task_id": int, "test_setup_code": str, "test_list": list}
        return [_query(index, row, path) for index, row in enumerate(read_rows(path, fields))]

    def prompt(self, query: Query) -> list[Message]:
        content = _PROMPT.format(text=query.text, tests="\n".join(query.metadata["tests"]))
        return [{"role": "user", "content": content}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        names = query.metadata["names"]
        program = program_with(answer, names)
        if not program:
            return Score(0.0, "", why(f"no definition of {' or '.join(names)}", truncated))
        outcome = self._check(program, query, query.metadata["setup"])
        return Score(float(outcome.is_passed), program, why(sandbox.explain(outcome), truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        definitions = sanitize(text)
        if not definitions:
            return Score(0.0, "", "no line of Python")
        outcome = self._check(definitions, query, "")
        return Score(float(outcome.is_passed), definitions, sandbox.explain(outcome))

    def _check(self, program: str, query: Query, setup: str) -> sandbox.Outcome:
        names = query.metadata["names"]
        # One statement for all, for a task may define a function of the name `program`.
        load = f"{', '.join(names)} = {', '.join(f'program.load({name!r})' for name in names)}"
        checks = "\n".join([with_imports(""), load, setup, *query.metadata["tests"]])
        limits = sandbox.Limits(cpu_s=self.timeout_s, wall_s=4 * self.timeout_s)
        return sandbox.check(with_imports(program), checks, limits=limits)


def _query(index: int, row: Row, path: Path) -> Query:
    tests, setup = row["test_list"], row["test_setup_code"].replace("\r\n", "\n")
    code, uses = parse(row["code"]), parse("\n".join([setup, *tests]))
    used = {node.id for node in ast.walk(uses) if isinstance(node, ast.Name)} if uses else set()
    names = sorted(used & defined_names(code)) if code else []
    if not names:
        raise BenchmarkError(f"{path}, row {index}: the asserts use nothing that the code defines; get the file again")
    metadata = {"task_id": row["task_id"], "tests": tests, "setup": setup, "names": names}
    return Query(index, row["text"], row["code"], metadata=metadata)
