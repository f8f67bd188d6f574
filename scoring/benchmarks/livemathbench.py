r"""LiveMathBench: 121 recent competition problems in English; numbers, expressions, lists and letters as answers.

Data: opencompass/LiveMathBench, given out after consent, as JSON lines at <data_dir>/livemathbench/en_test.json. The
release of December 2024 (AMC 46, CCEE 44, CNMO 18 and WLPMC 11 problems) has 119 rows; where the other two of the
published 121 come from is not known. The shape of a row:

    {"question": "…", "answer": "$\\frac{1}{2}$", …}

Answer: the last marked one after the reasoning (box, tag or JSON field); without one, what the last "the answer is"
states; without one, what the last line ends with. It is right if it is mathematically equal to the gold answer
(`scoring.graders.math.equal`). The published rule takes the last integer of the whole output where there is no box
(LLMRouterBench, section LiveMathBench). The authors' own measure, several tries and a judging model, is another one;
answers in words and in several parts are scored too low by both rules here.
"""

from pathlib import Path

from scoring.benchmark import Benchmark
from scoring.graders import competition
from scoring.graders.final_answer import final_answer
from scoring.graders.math import equal
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file, read_rows
from store.records import Message, Query, Score

_SOURCE = "the English part of opencompass/LiveMathBench (121 rows with question and answer) as JSON lines"
_PROMPT = r"""Work through this mathematics problem step by step. End with a line that holds nothing but the final answer inside a \boxed{} command.

%s

Keep in mind: the last line gives the final answer as \boxed{$ANSWER}, where $ANSWER stands for the answer you found."""  # noqa: E501


class LiveMathBench(Benchmark):
    """The English problems of LiveMathBench."""

    name = "livemathbench"
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "livemathbench/en_test.json", _SOURCE)
        rows = read_rows(path, {"question": str, "answer": (str, int, float)})
        kept = ("source", "question_type")
        return [
            Query(index, row["question"], str(row["answer"]), metadata={key: row[key] for key in kept if key in row})
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
        return competition.score_compat(text, query.ground_truth)
