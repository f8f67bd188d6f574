r"""MATH500: 500 competition problems whose answer is a number or a short expression.

Data: the MATH test split of *Let's verify step by step*, math_splits/test.jsonl of the GitHub repository openai/prm800k
(MIT), which LLMRouterBench uses byte for byte; here <data_dir>/math500/test.jsonl. A row, shortened:

    {"problem": "Convert the point $(0,3)$ in rectangular coordinates to polar coordinates.  Enter …", "solution": "…",
     "answer": "\\left( 3, \\frac{\\pi}{2} \\right)", "subject": "Precalculus", "level": 2,
     "unique_id": "test/precalculus/807.json"}

Answer: the last marked one after the reasoning (box, tag or JSON field); without one, what the last "the answer is"
states; without one, what the last line ends with. It is right if it is mathematically equal to the gold answer
(`scoring.graders.math.equal`). The published rule takes the last box or, where there is none, the line after "Final
Answer", and no other statement (LLMRouterBench, section MATH500).
"""

from pathlib import Path

from scoring.benchmark import Benchmark
from scoring.graders.boxed import last_box_compat
from scoring.graders.final_answer import final_answer
from scoring.graders.math import equal
from scoring.graders.math_compat import equal_compat
from scoring.graders.reasoning import answer_part, why
from scoring.graders.statement import line_compat
from scoring.rows import find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "the test split of MATH in the GitHub repository openai/prm800k, math_splits/test.jsonl"
_PROMPT = r"""Work through this mathematics problem step by step. End with a line that holds nothing but the final answer inside a \boxed{} command.

%s

Keep in mind: the last line gives the final answer as \boxed{$ANSWER}, where $ANSWER stands for the answer you found."""  # noqa: E501


class Math500(Benchmark):
    """The 500 problems of MATH500."""

    name = "math500"
    source = Source(
        host="github", repository="openai/prm800k", revision="7ecc794703b2877f63226f2477a49b34f9b25163",
        files={"test.jsonl": "prm800k/math_splits/test.jsonl"},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "math500/test.jsonl", _SOURCE)
        rows = read_rows(path, {"problem": str, "answer": str, "subject": str, "level": int, "unique_id": str})
        kept = ("subject", "level", "unique_id")
        return [
            Query(index, row["problem"], row["answer"], metadata={key: row[key] for key in kept})
            for index, row in enumerate(rows)
        ]

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": _PROMPT.replace("%s", query.text)}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        prediction = final_answer(answer, truncated)
        is_equal, rule = equal(prediction, query.ground_truth, query.text)
        return Score(float(is_equal), prediction, why(rule, truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        has_heading_only = "Final Answer" in text and "\\boxed" not in text
        prediction = (line_compat(text) if has_heading_only else last_box_compat(text)) or ""
        return Score(float(prediction != "" and equal_compat(prediction, query.ground_truth)), prediction)
