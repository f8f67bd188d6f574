r"""HumanEval: 164 Python functions to write from a signature and a description.

Data: HumanEval.jsonl.gz of the GitHub repository openai/human-eval (MIT), which LLMRouterBench uses unpacked; here
<data_dir>/humaneval/HumanEval.jsonl or HumanEval.jsonl.gz. A row, shortened:

    {"task_id": "HumanEval/2", "prompt": "\n\ndef truncate_number(number: float) -> float:\n    \"\"\" Given a …",
     "entry_point": "truncate_number", "canonical_solution": "    return number % 1.0\n",
     "test": "\n\nMETADATA = {…}\n\ndef check(candidate):\n    assert candidate(3.5) == 0.5\n …"}

Answer: the program that defines the entry point, after the imports and helpers of the task's own text; right if the
official checks pass in the sandbox within 10 s of computing. Arguments reach the program as copies. The published rule
finds the program as `code_compat.sanitize`, without the task's text (LLMRouterBench, section HumanEval).
"""

from pathlib import Path

from scoring.benchmark import Benchmark
from scoring.graders import sandbox
from scoring.graders.code import defined_names, parse, program_with, with_imports
from scoring.graders.code_compat import sanitize
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "data/HumanEval.jsonl.gz of the GitHub repository openai/human-eval"
_PROMPT = "You are an expert in Python. Carry out the following programming task.\n\n%s"
_TESTS = "\n\nThe code you write has to pass these tests:\n\n%s"


class HumanEval(Benchmark):
    """The 164 problems of HumanEval.

    Args:
        show_tests: put the official checks into the prompt, as in the published tables. Without them the scores mean
            what they mean elsewhere.
        timeout_s: computing time for a program and its checks together.
    """

    name = "humaneval"
    source = Source(
        host="github", repository="openai/human-eval", revision="6d43fb980f9fee3c892a914eda09951f772ad10d",
        files={"HumanEval.jsonl.gz": "data/HumanEval.jsonl.gz"},
    )  # fmt: skip
    scorer_version = 2

    def __init__(self, show_tests: bool = True, timeout_s: float = 10.0):
        self.show_tests, self.timeout_s = show_tests, timeout_s

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "humaneval/HumanEval.jsonl", _SOURCE)
        fields = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
        return [
            Query(
                index,
                row["prompt"],
                row["canonical_solution"],
                metadata={key: row[key] for key in ("task_id", "entry_point", "test")},
            )
            for index, row in enumerate(read_rows(path, dict.fromkeys(fields, str)))
        ]

    def prompt(self, query: Query) -> list[Message]:
        content = _PROMPT % query.text
        if self.show_tests:
            content += _TESTS % query.metadata["test"]
        return [{"role": "user", "content": content}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        entry_point = query.metadata["entry_point"]
        program = program_with(answer, [entry_point], before=query.text)
        if not program:
            return Score(0.0, "", why(f"no definition of {entry_point}", truncated))
        before = query.text[: query.text.rindex(f"def {entry_point}(")]
        gold = with_imports(f"{query.text}{query.ground_truth}\n{query.metadata['test']}")
        checks = f"{gold}\ncheck(program.load({entry_point!r}))\n"
        outcome = sandbox.check(with_imports(f"{before}\n{program}"), checks, limits=self._limits())
        return Score(float(outcome.is_passed), program, why(sandbox.explain(outcome), truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        entry_point, test = query.metadata["entry_point"], query.metadata["test"]
        definitions = sanitize(text)
        if not definitions:
            return Score(0.0, "", "no line of Python")
        gold = parse(query.text + query.ground_truth)
        used = {name for name in defined_names(gold) if name in test} if gold else set()
        lines = [f"{name} = program.load({name!r})" for name in sorted(used)]
        checks = "\n".join([with_imports(test), *lines, f"check(program.load({entry_point!r}))"])
        outcome = sandbox.check(with_imports(definitions), checks, limits=self._limits())
        return Score(float(outcome.is_passed), definitions, sandbox.explain(outcome))

    def _limits(self) -> sandbox.Limits:
        return sandbox.Limits(cpu_s=self.timeout_s, wall_s=4 * self.timeout_s)
