r"""AIME: the 60 problems of the American Invitational Mathematics Examination 2024 and 2025; integers from 0 to 999.

Data: the two files of the GitHub repository NVIDIA/NeMo-Skills (Apache-2.0; the problems are by the Mathematical
Association of America), nemo_skills/dataset/aime24/test.txt and aime25/test.txt, as <data_dir>/aime/aime24.jsonl and
aime25.jsonl, read in this order. A row, shortened:

    {"id": "aime25-0", "problem": "Find the sum of all integer bases  $b>9$  for which  $17_b$  is a divisor of …",
     "expected_answer": "70", "reference_solution": "…"}

The usual other names of these two fields (Problem, question; Answer, answer) and answers that are numbers are read too.

Answer: the last marked one after the reasoning (box, tag or JSON field); without one, what the last "the answer is"
states; without one, the last number of the last line. It is right if it is mathematically equal to the gold answer
(`scoring.graders.math.equal`). The published rule takes the last integer of the whole output where there is no box
(LLMRouterBench, section AIME).
"""

import re
from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders import competition
from scoring.graders.final_answer import last_marked
from scoring.graders.math import equal
from scoring.graders.reasoning import answer_part, why, without_markdown
from scoring.graders.statement import stated_answer
from scoring.rows import Row, find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "nemo_skills/dataset/{name}/test.txt of the GitHub repository NVIDIA/NeMo-Skills"
_PROMPT = r"""Work through this mathematics problem step by step. End with a line that holds nothing but the final answer inside a \boxed{} command.

%s

Keep in mind: the last line gives the final answer as \boxed{$ANSWER}, where $ANSWER stands for the answer you found."""  # noqa: E501

_PROBLEM = ("problem", "Problem", "question")
_ANSWER = ("expected_answer", "answer", "Answer")
_NUMBER = re.compile(r"\d(?:[\d,]*\d)?(?:\.\d+)?")


class AIME(Benchmark):
    """The 30 problems of 2024 and the 30 of 2025."""

    name = "aime"
    source = Source(
        host="github", repository="NVIDIA/NeMo-Skills", revision="0b012df8",
        files={f"{name}.jsonl": f"nemo_skills/dataset/{name}/test.txt" for name in ("aime24", "aime25")},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        queries: list[Query] = []
        for year in (2024, 2025):
            name = f"aime{year % 100}"
            path = find_file(data_dir, f"aime/{name}.jsonl", _SOURCE.format(name=name))
            for number, row in enumerate(read_rows(path, {})):
                gold = str(_field(row, _ANSWER, path, number))
                if not re.fullmatch(r"\d{1,3}", gold):
                    raise BenchmarkError(f"{path}, row {number}: the answer {gold!r} is no integer from 0 to 999")
                problem = str(_field(row, _PROBLEM, path, number))
                queries.append(Query(len(queries), problem, str(int(gold)), metadata={"year": year, "number": number}))
        return queries

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": _PROMPT.replace("%s", query.text)}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        prediction = _prediction(answer)
        is_equal, rule = equal(prediction, query.ground_truth, query.text)
        return Score(float(is_equal), prediction, why(rule, truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        return competition.score_compat(text, query.ground_truth)


def _field(row: Row, names: tuple[str, ...], path: Path, number: int) -> str | int:
    for name in names:
        if isinstance(row.get(name), str | int):
            return row[name]
    raise BenchmarkError(f"{path}, row {number}: none of the fields {', '.join(names)}; get the file again")


def _prediction(answer: str) -> str:
    if marked := last_marked(answer):
        return _last_side(marked)
    plain = without_markdown(answer)
    if stated := stated_answer(plain):
        side = _last_side(stated)
        number = _NUMBER.match(side)  # "204, since it is even", but not "2^{7}+76"
        return number[0] if number and side[number.end() :].startswith((",", ";", " ")) else side
    numbers = _NUMBER.findall(plain.rstrip().rpartition("\n")[2])
    return numbers[-1] if numbers else ""


def _last_side(equation: str) -> str:
    """What stands after the last equals sign: models box `m+n = 200+4 = 204`."""
    return equation.rpartition("=")[2].strip() or equation
