r"""FinQA: 1,147 questions about a page of an annual report, most of them for an amount or a percentage.

Data: the test split of the GitHub repository czyssrs/FinQA (MIT), dataset/test.json, here <data_dir>/finqa/test.jsonl
or test.jsonl.gz, as JSON lines or as the array it is there. A row, shortened:

    {"id": "ETR/2016/page_23.pdf-2", "pre_text": ["entergy corporation and subsidiaries management 2019s …"],
     "table": [["", "amount ( in millions )"], ["2014 net revenue", "$ 5735"], …], "post_text": ["…"],
     "qa": {"question": "what is the net change in net revenue during 2015 for entergy corporation?", "answer": "94",
            "program": "subtract(5829, 5735)", "exe_ans": 94.0}}

Answer: the amount in the last marked answer after the reasoning (box, tag or JSON field); without one, in what the last
"the answer is" states; without one, in the last line that has one. Right if it agrees with the annotated answer, or
with the value of the annotated program where that says something else (in 86 rows; in 14 more there is no answer):
within 1 %, or when rounded to the decimals of the answer. A percentage and its fraction count as the same, and so does
a number with and without its "million". The published rule rounds the first number in the last box to an integer
(LLMRouterBench, section FinQA). The authors' measure, whether a program gives the value to five digits, is another one.
"""

import re
from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders.amount import Amount, agree, amounts, plain, read
from scoring.graders.boxed import last_box_compat
from scoring.graders.math_compat import equal_compat
from scoring.graders.reasoning import answer_part, why
from scoring.rows import Row, find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "dataset/test.json (1,147 rows) of the GitHub repository czyssrs/FinQA"
_PROMPT = r"""Work through this problem step by step. End with a line that holds nothing but the final answer inside a \boxed{} command.

%s

Keep in mind: the last line gives the final answer as \boxed{$ANSWER}, where $ANSWER stands for the answer you found."""  # noqa: E501

_TOLERANCE = 0.01
_YES_NO = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)
_FIRST_NUMBER = re.compile(r"[-+]?\d*\.?\d+")


class FinQA(Benchmark):
    """The test questions of FinQA."""

    name = "finqa"
    source = Source(
        host="github", repository="czyssrs/FinQA", revision="0f16e2867befa6840783e58be38c9efb9229d742",
        files={"test.jsonl": "dataset/test.json"},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "finqa/test.jsonl", _SOURCE)
        rows = read_rows(path, {"id": str, "pre_text": list, "post_text": list, "table": list, "qa": dict})
        return [_query(index, row, path) for index, row in enumerate(rows)]

    def prompt(self, query: Query) -> list[Message]:
        page = query.metadata
        table = "\n".join("| " + " | ".join(cell.strip() for cell in cells) + " |" for cells in page["table"])
        body = (
            f"{' '.join(page['pre_text'])}\n\nThe table:\n{table}\n\n{' '.join(page['post_text'])}\n\n"
            f"From the text and the table, answer this question: {query.text}"
        )
        return [{"role": "user", "content": _PROMPT.replace("%s", body)}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        found, fragment = read(answer)
        golds = [query.ground_truth.strip().lower(), query.metadata["exe_ans"]]
        if words := {"yes", "no"}.intersection(map(str, golds)):
            said = _YES_NO.match(plain(fragment)) or _YES_NO.match(answer)
            prediction = said[1].lower() if said else ""
            return Score(float(prediction in words), prediction, why("compared as yes or no", truncated))
        if found is None:
            return Score(0.0, fragment, why("no number", truncated))
        is_right = any(agree(found, gold, query.text, _TOLERANCE) for gold in _wanted(query))
        return Score(float(is_right), fragment, why("compared as amounts", truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        prediction, gold = last_box_compat(text) or "", query.ground_truth
        if prediction and equal_compat(prediction, gold):
            return Score(1.0, prediction)
        return Score(float(_rounded_compat(prediction) == _rounded_compat(gold)), prediction)


def _query(index: int, row: Row, path: Path) -> Query:
    qa = row["qa"]
    if not all(isinstance(qa.get(key), str) for key in ("question", "answer")) or "exe_ans" not in qa:
        raise BenchmarkError(f"{path}, row {index}: its qa has no question, answer or exe_ans; get the file again")
    metadata = {key: row[key] for key in ("id", "pre_text", "table", "post_text")} | {"exe_ans": qa["exe_ans"]}
    return Query(index, qa["question"], qa["answer"].strip(), metadata=metadata)


def _wanted(query: Query) -> list[Amount]:
    """The annotated answer, where it begins with a number, and the value of the program unless the two agree."""
    gold, value = query.ground_truth, query.metadata["exe_ans"]
    wanted = amounts(gold)[:1] if re.match(r"[-$. ]*\d", gold) else []
    program = [Amount(float(value), n_decimals=5)] if isinstance(value, int | float) else []
    said = any(agree(amount, gold, query.text, _TOLERANCE) for amount in program for gold in wanted)
    return wanted if said else wanted + program


def _rounded_compat(text: str) -> str:
    number = _FIRST_NUMBER.search(text)
    return str(round(float(number[0]), 0)) if number else text
