r"""SGI-Bench, dry experiment: 271 scientific programs in which functions are to be written.

Data: InternScience/SGI-DryExperiment (MIT) as JSON lines, in LLMRouterBench data/sgibench/dry_experiment/test.jsonl
(22,661,535 bytes), here <data_dir>/sgi_dry_experiment/test.jsonl or test.jsonl.gz. A row, shortened and made up:

    {"idx": "SGI_DryExperiment_0000", "question": "Complete half_life() of main_en.py: …",
     "incomplete_functions": ["half_life"], "incomplete_main_code": "import json\n\ndef half_life(k): pass\n…",
     "main_code": "import json\nimport math\n\ndef half_life(k):\n    return math.log(2) / k\n…",
     "unit_test_0_data": "import json\njson.dump([0.1], open('data/rates.json', 'w'))\n",
     "unit_test_0_output": "half-life 6.93", "unit_test_1_data": …, "unit_test_4_output": …}

Answer: the functions between the answer tags, put into the program (`scoring.graders.completion`). Each of five unit
tests runs its data program and then the completed one, in one folder. Right if all five give the expected output: the
same text, or the same numbers in it, or in the opinion of the judge, who is asked where all five ran and only about
outputs that differ. The published rule counts warnings as output, has the judge repair answers that are no Python, and
runs them with the rights of the user.

What holds: everything runs in the sandbox, with Python's library and NumPy, 900 s of computing for a test. What does
not: the authors' environment has many packages, from SciPy to PyTorch, and three questions come with folders of data.
Where not even the gold program runs here, no answer gets a score, and the explanation says why; nor does an answer that
imports a package which other programs of the data set have and the sandbox has not.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from scoring.benchmark import BenchmarkError
from scoring.graders import sandbox
from scoring.graders.answer_tag import tagged, tagged_compat
from scoring.graders.code import program_with, python_blocks
from scoring.graders.completion import completed, imported, replaced_compat
from scoring.graders.experiment import lacking, run_all
from scoring.graders.json_reply import json_in
from scoring.graders.judge import said
from scoring.graders.reasoning import answer_part, why
from scoring.graders.restatement import restatement
from scoring.graders.same_values import same_values
from scoring.judged import JudgedBenchmark, Judging, Question
from scoring.rows import Row, find_file, read_rows
from store.records import Message, Query, Score

_SOURCE = "the 271 rows of the data set InternScience/SGI-DryExperiment as JSON lines"
_TESTS = range(5)
_FORM = """
Give the completed function, or all completed functions, between <answer> and </answer>.

Example of one:
<answer>
def double(x):
    return 2 * x
</answer>

Example of two:
<answer>
%s
</answer>

"""
_TWO_FUNCTIONS = """def area(r):
    return 3.14159 * r ** 2

def perimeter(r):
    return 2 * 3.14159 * r"""
_COMPARE = """Decide whether the output of a program agrees with the reference.

1. Every number must be the same, digit by digit.
2. Only losses and metrics of a training may differ, by up to 2 %.

# Reference
{expected}

# Output
{output}

Reply with a JSON object and no other text:
{{"judgment": "correct" or "incorrect", "reason": "why, in a few words"}}"""
_REMINDER = 'Reply with the JSON object alone; its "judgment" is "correct" or "incorrect".'

_IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+([A-Za-z]\w*)", re.MULTILINE)
_OWN_MODULES = {"data_en", "main_en"}


class SGIDryExperiment(JudgedBenchmark):
    """The programs of SGI-Bench's dry experiments.

    Args:
        timeout_s: computing time for a test; the published limits are 600 s for its data program and 300 s for the
            completed one.
    """

    name = "sgi_dry_experiment"

    def __init__(self, timeout_s: float = 900.0):
        self.timeout_s = timeout_s

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, f"{self.name}/test.jsonl", _SOURCE)
        texts = ("idx", "question", "incomplete_main_code", "main_code")
        tests = (f"unit_test_{number}_{part}" for number in _TESTS for part in ("data", "output"))
        rows = read_rows(path, dict.fromkeys((*texts, *tests), str) | {"incomplete_functions": list})
        packages = sorted({name for row in rows for name in _mentioned_packages(row)})
        return [_query(index, row, packages, path) for index, row in enumerate(rows)]

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": query.text + _FORM % _TWO_FUNCTIONS}]

    def judging(self, query: Query, text: str) -> Judging:
        answer, truncated = answer_part(text)
        if obstacle := self._obstacle(query):
            return _unscored(obstacle)
        names = query.metadata["incomplete_functions"]
        for prediction in _candidates(answer, names):
            if program := completed(query.metadata["incomplete_main_code"], prediction, names):
                tested = yield from self._tested(query, program, _same, _is_correct)
                return replace(tested, prediction=prediction, explanation=why(tested.explanation, truncated))
        return Score(0.0, tagged(answer) or "", why(f"no definition of {' and '.join(names)}", truncated))

    def judging_compat(self, query: Query, text: str) -> Judging:
        if obstacle := self._obstacle(query):
            return _unscored(obstacle)
        found = tagged_compat(text)
        code = text if found is None else found
        n_wanted = len(query.metadata["incomplete_functions"])
        program, n_replaced = _replaced_compat(query, code)
        if n_replaced < n_wanted:
            (restated,) = yield [Question(messages=restatement(code, _TWO_FUNCTIONS), read=str.strip)]
            program, n_replaced = _replaced_compat(query, code, restated)
        if not n_replaced:
            return Score(0.0, code, "no function could be replaced")
        tested = yield from self._tested(query, program, _same_compat, _is_correct_compat)
        explanation = f"{n_replaced} of {n_wanted} functions; {tested.explanation}"
        return replace(tested, prediction=code, explanation=explanation)

    def _obstacle(self, query: Query) -> str:
        """Why this question cannot be run here, whatever the answer; empty where it can."""
        names, unfinished = query.metadata["incomplete_functions"], query.metadata["incomplete_main_code"]
        if not completed(unfinished, query.ground_truth, names):
            return f"the gold program does not define {' and '.join(names)} at its top level"
        return _failure_of_gold(query.ground_truth, tuple(data for data, _ in query.metadata["tests"]), self.timeout_s)

    def _tested(
        self,
        query: Query,
        program: str,
        same: Callable[[sandbox.Outcome, str], bool],
        read: Callable[[str], bool | None],
    ) -> Judging:
        """The score of a completed program, without prediction."""
        tests = query.metadata["tests"]
        if missing := lacking(frozenset(imported([program]).intersection(query.metadata["packages"]))):
            return _unscored(f"the sandbox has no {', '.join(missing)}")
        outcomes = run_all(program, [data for data, _ in tests], self.timeout_s)
        if failure := _failure(outcomes):
            return Score(0.0, "", failure)
        questions = [
            Question(messages=_comparison(expected, outcome), read=read, reminder=_REMINDER)
            for outcome, (_, expected) in zip(outcomes, tests, strict=True)
            if not same(outcome, expected)
        ]
        verdicts: Sequence[bool] = (yield questions) if questions else ()
        n_passed = len(tests) - sum(not verdict for verdict in verdicts)
        return Score(float(n_passed == len(tests)), "", f"{n_passed} of {len(tests)} tests passed")


@functools.lru_cache(maxsize=1024)
def _failure_of_gold(program: str, data_programs: tuple[str, ...], timeout_s: float) -> str:
    failure = _failure(run_all(program, data_programs, timeout_s))
    return f"the gold program fails, {failure}" if failure else ""


def _failure(outcomes: Sequence[sandbox.Outcome]) -> str:
    last = outcomes[-1]
    return "" if last.is_passed else f"test {len(outcomes) - 1} {sandbox.explain(last)}"


def _unscored(reason: str) -> Score:
    return Score(float("nan"), "", f"cannot be run here: {reason}")


def _mentioned_packages(row: Row) -> set[str]:
    """Names after "import" and "from" in a row's programs; a few words of docstrings among them do no harm."""
    programs = (row["main_code"], row["unit_test_0_data"])
    return {name for program in programs for name in _IMPORT.findall(program)} - _OWN_MODULES


def _query(index: int, row: Row, packages: list[str], path: Path) -> Query:
    names = row["incomplete_functions"]
    if not names or not all(isinstance(name, str) for name in names):
        raise BenchmarkError(f"{path}, row {index}: incomplete_functions is no list of names; get the file again")
    metadata = {key: row[key] for key in ("idx", "incomplete_functions", "incomplete_main_code")}
    metadata["tests"] = [[row[f"unit_test_{number}_data"], row[f"unit_test_{number}_output"]] for number in _TESTS]
    metadata |= {"packages": packages, "discipline": row.get("discipline", "")}
    return Query(index, row["question"], row["main_code"], metadata=metadata)


def _candidates(answer: str, names: Sequence[str]) -> Iterator[str]:
    """What of an answer may be the source of the functions, best first."""
    content = tagged(answer)
    for part in (content, answer) if content else (answer,):
        blocks = python_blocks(part)
        yield from (part, *reversed(blocks), "\n\n".join(blocks), program_with(part, names))


def _replaced_compat(query: Query, code: str, restated: str = "") -> tuple[str, int]:
    """The program with each function of the answer, or of its restatement, that fits; and how many did."""
    program, n_replaced = query.metadata["incomplete_main_code"], 0
    for name in query.metadata["incomplete_functions"]:
        if replaced := replaced_compat(program, code, name) or replaced_compat(program, restated, name):
            program, n_replaced = replaced, n_replaced + 1
    return program, n_replaced


def _comparison(expected: str, outcome: sandbox.Outcome) -> tuple[Message, ...]:
    return ({"role": "user", "content": _COMPARE.format(expected=expected, output=_output(outcome))},)


def _output(outcome: sandbox.Outcome) -> str:
    """What a program wrote as the published rule puts it together: warnings and errors first."""
    return f"{outcome.stderr.strip()}\n{outcome.stdout.strip()}".strip()


def _same(outcome: sandbox.Outcome, expected: str) -> bool:
    return any(same_values(output, expected) for output in (outcome.stdout, _output(outcome)))


def _same_compat(outcome: sandbox.Outcome, expected: str) -> bool:
    return _output(outcome) == expected


def _is_correct(reply: str) -> bool | None:
    text = said(reply)
    found = json_in(text, dict) or {"judgment": text.strip(" \n.*\"'`")}
    judgment = str(found.get("judgment")).strip().casefold()
    return judgment == "correct" if judgment in ("correct", "incorrect") else None


def _is_correct_compat(reply: str) -> bool:
    return str((json_in(reply, dict) or {}).get("judgment", "")).lower() == "correct"
