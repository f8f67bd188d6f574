"""BBH: the 27 tasks of BIG-Bench Hard, 40 questions of each, asked with three examples.

Data: the GitHub repository suzgunmirac/BIG-Bench-Hard (MIT): its bbh/<task>.json and cot-prompts/<task>.txt as
<data_dir>/bbh/<task>.json and <data_dir>/bbh/cot-prompts/<task>.txt. From bbh/navigate.json, shortened:

    {"canary": "…", "examples": [{"input": "If you follow these instructions, do you return to the starting point? …
     Take 8 steps.\\nOptions:\\n- Yes\\n- No", "target": "No"}, …]}

Which 1,080 of the 6,511 questions the published tables use is not known, nor are their examples; by their size these
show question and answer without the reasoning, and so do ours. Of every task 40 rows are drawn with
`random.Random(f"{seed}/{task}").sample`. A query's index counts all 6,511 rows, tasks in alphabetical order, so it does
not depend on the sample.

Answer: the last closed box after the reasoning; without one, what the last "the answer is" states; without one, the
last line. It is read as what the gold answer is: an option's letter, one of two words, an integer, the closing brackets
(after their beginning or without), a list of words, a text. The published rule compares the last "Answer:" line,
markdown included, like mathematics (LLMRouterBench, section BBH), so its scores are low and "on" is "No".
"""

import json
import random
import re
from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders import short
from scoring.graders.boxed import last_box_compat
from scoring.graders.choice import letter
from scoring.graders.math_compat import equal_compat
from scoring.graders.reasoning import answer_part, why
from scoring.graders.statement import line_compat
from scoring.rows import find_file
from scoring.source import Source
from store.records import Message, Query, Score

_NAMES = """
    boolean_expressions causal_judgement date_understanding disambiguation_qa dyck_languages formal_fallacies
    geometric_shapes hyperbaton logical_deduction_five_objects logical_deduction_seven_objects
    logical_deduction_three_objects movie_recommendation multistep_arithmetic_two navigate object_counting
    penguins_in_a_table reasoning_about_colored_objects ruin_names salient_translation_error_detection snarks
    sports_understanding temporal_sequences tracking_shuffled_objects_five_objects
    tracking_shuffled_objects_seven_objects tracking_shuffled_objects_three_objects web_of_lies word_sorting
"""
TASKS = _NAMES.split()
_SOURCE = "part of the GitHub repository suzgunmirac/BIG-Bench-Hard (bbh/<task>.json, cot-prompts/<task>.txt)"
_PROMPT = """You get a question that takes logical thinking. Close your response with a line of the form 'Answer: $ANSWER' (without the quotes), where $ANSWER is your answer. Think it through step by step first.

These are three examples of the question and its answer:

{examples}

Question: {question}"""  # noqa: E501

_PAIRS = ({"yes", "no"}, {"true", "false"}, {"valid", "invalid"})
_OPTION = re.compile(r"^\(([A-Z])\) ?(.*)$", re.MULTILINE)
_SHOT = re.compile(r"^Q: (.*?)\nA:.*[Tt]he answer is ([^\n]*?)\.?\s*$", re.DOTALL)


class BBH(Benchmark):
    """A seeded sample of BIG-Bench Hard, equally many questions of every task.

    Args:
        per_task: questions of every task; None for all 6,511.
        seed: of the sample.
    """

    name = "bbh"
    source = Source(
        host="github", repository="suzgunmirac/BIG-Bench-Hard", revision="9ee07bd481feebf959a6b59d61ea57bdcf30964d",
        files={f"{task}.json": f"bbh/{task}.json" for task in TASKS}
        | {f"cot-prompts/{task}.txt": f"cot-prompts/{task}.txt" for task in TASKS},
    )  # fmt: skip
    scorer_version = 2

    def __init__(self, per_task: int | None = 40, seed: int = 42):
        self.per_task = per_task
        self.seed = seed

    def load(self, data_dir: Path) -> list[Query]:
        queries, first = [], 0
        for task in TASKS:
            rows = _rows(find_file(data_dir, f"bbh/{task}.json", _SOURCE))
            shots = _shots(find_file(data_dir, f"bbh/cot-prompts/{task}.txt", _SOURCE))
            size = len(rows) if self.per_task is None else min(self.per_task, len(rows))
            for number in sorted(random.Random(f"{self.seed}/{task}").sample(range(len(rows)), size)):
                metadata = {"task": task, "examples": shots}
                queries.append(Query(first + number, *rows[number], metadata=metadata))
            first += len(rows)
        return queries

    def prompt(self, query: Query) -> list[Message]:
        content = _PROMPT.format(examples=query.metadata["examples"], question=query.text)
        return [{"role": "user", "content": content}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        is_right, prediction, kind = _judge(answer, query)
        return Score(float(is_right), prediction, why(f"read as {kind}", truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        prediction = (last_box_compat(text) if "\\boxed" in text else line_compat(text)) or ""
        return Score(float(prediction != "" and equal_compat(prediction, query.ground_truth)), prediction)


def _rows(path: Path) -> list[tuple[str, str]]:
    try:
        rows = [(row["input"], row["target"]) for row in json.loads(path.read_text(encoding="utf-8"))["examples"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{path} has no examples with input and target ({error!r}); get the file again") from error
    return rows


def _shots(path: Path) -> str:
    """The three worked examples as questions and answers."""
    parts = path.read_text(encoding="utf-8").replace("\r\n", "\n").split("\n\nQ: ")[1:]
    shots = [match.groups() for part in parts if (match := _SHOT.match("Q: " + part))]
    if len(shots) != 3:
        raise BenchmarkError(f"{path}: {len(shots)} examples with a final answer, expected 3; get the file again")
    return "\n\n".join(f"Question: {question}\nAnswer: {answer}" for question, answer in shots)


def _judge(answer: str, query: Query) -> tuple[bool, str, str]:
    """Whether the answer is right, what it was read as, and as which kind of answer."""
    gold = query.ground_truth
    if re.fullmatch(r"\([A-Z]\)", gold):
        prediction = letter(answer, dict(_OPTION.findall(query.text)))
        return prediction == gold[1], prediction, "an option"
    if query.metadata["task"] == "dyck_languages":
        prediction, wanted = short.brackets(answer), gold.replace(" ", "")
        begun = short.brackets(query.text.rpartition(":")[2])
        return prediction in (wanted, begun + wanted), prediction, "brackets"
    if query.metadata["task"] == "word_sorting":
        lists = short.word_lists(answer)
        return short.word_list(gold) in lists, " ".join(lists[0]), "a list of words"
    fragment = short.fragment(answer)
    for words in _PAIRS:
        if gold.casefold() in words:
            prediction = short.one_of(words, fragment)
            return prediction == gold.casefold(), prediction, "one of two words"
    if re.fullmatch(r"-?\d+", gold):
        prediction = short.integer(fragment)
        return prediction.lstrip("0") == gold.lstrip("0") and prediction != "", prediction, "an integer"
    return short.folded(fragment) == short.folded(gold), fragment, "a text"
