r"""LiveCodeBench: 1,055 contest problems (release v6) from LeetCode, AtCoder and Codeforces.

Data: either the six files of livecodebench/code_generation_lite as published, <data_dir>/livecodebench/test.jsonl to
test6.jsonl (4.5 GB, with all tests), or questions_release_v6.jsonl (no tests) beside any public_tests_*.jsonl; all but
the first kind may be gzip. A row, shortened:

    {"question_title": "Overall Winner", "question_content": "Takahashi and Aoki played N games. …",
     "platform": "atcoder", "question_id": "abc301_a", "contest_date": "2023-05-13T00:00:00", "starter_code": "",
     "difficulty": "easy", "public_test_cases": "[{\"input\": …, \"output\": …, \"testtype\": \"stdin\"}]",
     "private_test_cases": "eJx…", "metadata": "{\"func_name\": …}"}

Answer: the last fenced block that says it is Python and is, or another block where none does; right if every test
passes within 6 s of computing, by the comparison of the official runner (`scoring.graders.contest`). A question without
tests gets no score. Scripts get a real standard input; the published rule has the official runner's stand-in for it,
and takes the last two fence lines, whatever is between them (LLMRouterBench, section LiveCodeBench).
"""

import json
import logging
import re
from pathlib import Path
from typing import Any

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders import contest, sandbox
from scoring.graders.code import SAYS_PYTHON, defined_names, parse, python_blocks
from scoring.graders.contest_compat import IMPORTS, NAME, last_fence, wrapped
from scoring.graders.contest_tests import published_questions, tests_at
from scoring.graders.reasoning import answer_part, why
from scoring.rows import Row, find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "a list of the questions of livecodebench/code_generation_lite, release v6, as JSON lines"
_FIELDS = {"question_content": str, "question_id": str, "starter_code": str, "platform": str, "difficulty": str}
_PROMPT = """You are an expert Python programmer. Below is the specification of a programming problem. Write a correct Python program that matches the specification and passes all tests.

### Question:
{question}

### Format: {format}
```python
{code}
```

### Answer: (use the format given above, with the back-ticks)
"""  # noqa: E501
_WITH_STARTER = "Begin with the starter code below and put your solution between the back-ticks."
_WITH_STDIN = (
    "Read the input from standard input and write the answer to standard output; do not just try the sample inputs. "
    "Put your program between the back-ticks as below."
)
_TAGGED = re.compile(r"\[PYTHON\]\n(.*?)\n\[/PYTHON\]", re.DOTALL)
_CHECKS = Path(contest.__file__).read_text(encoding="utf-8")
_log = logging.getLogger(__name__)


class LiveCodeBench(Benchmark):
    """The 1,055 problems of LiveCodeBench, release v6.

    Args:
        timeout_s: computing time for one test.
    """

    name = "livecodebench"
    source = Source(
        host="hub", repository="livecodebench/code_generation_lite",
        revision="0fe84c3912ea0c4d4a78037083943e8f0c4dd505",
        files={f"test{number}.jsonl": f"test{number}.jsonl" for number in ("", 2, 3, 4, 5, 6)},
    )  # fmt: skip
    scorer_version = 2

    def __init__(self, timeout_s: float = 6.0):
        self.timeout_s = timeout_s

    def load(self, data_dir: Path) -> list[Query]:
        folder = Path(data_dir) / "livecodebench"
        if published := sorted(folder.glob("test*.jsonl")):
            rows = [row for path in published for row in published_questions(path, _FIELDS)]
        else:
            rows = _with_tests(
                read_rows(find_file(data_dir, f"{folder.name}/questions_release_v6.jsonl", _SOURCE), _FIELDS), folder
            )
        queries = [_query(index, row) for index, row in enumerate(rows)]
        if n_without := sum(not query.metadata["tests"] for query in queries):
            _log.warning("livecodebench: no tests for %d of %d questions, they get no score", n_without, len(queries))
        return queries

    def prompt(self, query: Query) -> list[Message]:
        starter = query.metadata["starter_code"]
        content = _PROMPT.format(
            question=query.text,
            format=_WITH_STARTER if starter else _WITH_STDIN,
            code=starter or "# your program",
        )
        return [{"role": "user", "content": content}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        function = query.metadata["function"]
        program = _program(answer, function)
        if not (cases := _cases(query)):
            return _without_tests(query, program)
        if not program:
            return Score(0.0, "", why("no program", truncated))
        call = _call(function, program) if function else "check_script(program, data)"
        outcome = self._check(_after_imports(program), call, cases)
        return Score(float(outcome.is_passed), program, why(sandbox.explain(outcome), truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        program = last_fence(text)
        if not (cases := _cases(query)):
            return _without_tests(query, program)
        function = query.metadata["function"]
        runnable = IMPORTS + program if function else wrapped(program)
        if not program or not runnable:
            return Score(0.0, program, "no program")
        call = _call(function, program) if function else f"check_wrapped(program, data, {NAME!r})"
        outcome = self._check(runnable, call, cases)
        return Score(float(outcome.is_passed), program, sandbox.explain(outcome))

    def _check(self, program: str, call: str, cases: list[contest.Case]) -> sandbox.Outcome:
        limits = sandbox.Limits(cpu_s=self.timeout_s, wall_s=4 * self.timeout_s)
        return sandbox.check(program, f"{_CHECKS}\n{call}\n", cases, limits, n_steps=len(cases) + 1)


def _program(answer: str, function: str) -> str:
    """The last block that is Python: of those that say so, of all, or the whole answer.

    Where a function is asked for, a block that defines it goes before one that does not, such as an example of its use.
    """
    blocks = [*reversed(python_blocks(answer, SAYS_PYTHON)), *reversed(_TAGGED.findall(answer))]
    trees = [(block, parse(block)) for block in (*blocks, *reversed(python_blocks(answer)), answer)]
    programs = [(block, tree) for block, tree in trees if tree is not None and tree.body]
    fitting = [block for block, tree in programs if defined_names(tree) & {function, "Solution"}]
    return next(iter(fitting if function and fitting else [block for block, _ in programs]), "")


def _after_imports(program: str) -> str:
    lines = program.split("\n")
    future = [line for line in lines if line.startswith("from __future__ import ")]
    return "\n".join([*future, IMPORTS, *(line for line in lines if line not in future)])


def _call(function: str, program: str) -> str:
    return f"check_calls(program, data, {function!r}, {'class Solution' in program})"


def _cases(query: Query) -> list[contest.Case]:
    tests = query.metadata["tests"]
    return tests_at(*tests) if tests and isinstance(tests[0], str) else tests


def _without_tests(query: Query, program: str) -> Score:
    reason = f"no tests for {query.metadata['question_id']}; put the published test*.jsonl into data_dir/livecodebench"
    return Score(float("nan"), program, reason)


def _with_tests(rows: list[Row], folder: Path) -> list[Row]:
    """The questions with the tests that other files of the folder have for them."""
    fields = {"question_id": str, "public_test_cases": str, "metadata": str}
    found: dict[str, Row] = {}
    for path in sorted(folder.glob("public_tests_*.jsonl*")):
        found |= {row["question_id"]: row for row in read_rows(path, fields)}
    return [
        {key: value for key, value in found.get(row["question_id"], {}).items() if key in fields} | row for row in rows
    ]


def _query(index: int, row: Row) -> Query:
    try:
        tests: list[Any] = row.get("tests_at") or json.loads(row.get("public_test_cases", "[]"))
        function = json.loads(row.get("metadata", "{}")).get("func_name") or ""
    except (ValueError, AttributeError) as error:
        raise BenchmarkError(
            f"livecodebench: the tests or metadata of {row['question_id']} are no JSON ({error}); get the file again"
        ) from error
    kept = ("question_id", "platform", "difficulty", "starter_code")
    metadata = {key: row[key] for key in kept} | {"function": function, "tests": tests}
    return Query(index, row["question_content"], row["question_id"], metadata=metadata)
