"""HLE, Humanity's Last Exam: the 2,158 of its 2,500 expert questions that need no image.

Data: the test split of cais/hle (MIT, given out after consent to its terms), exported as JSON lines to
<data_dir>/hle/test.jsonl or test.jsonl.gz. LLMRouterBench has the questions without an image in a file of its own
(6,344,713 bytes, SHA-256 20ccea0a6ec9330d9ad0a963e3999320eace6835ae3578d113c9048d723c5eff), which serves as well, with
nothing but question and answer. The authors ask that no question be shown in plain text, so this is only the shape of a
row:

    {"id": …, "question": …, "image": "", "answer": …, "answer_type": "exactMatch", "category": …, "raw_subject": …}

An image is a data URL, or the name of a file in the same folder. A question's index is its row in the file, those with
an image counted, so that it is the same with and without them.

Answer: a judge is shown question, response and gold answer and says whether the two answers agree, as the authors have
it; here without the response's reasoning, and an empty response is wrong without a judge. Its verdict is the line (or
the JSON key) "correct". The published rule takes the first "correct:" anywhere, that of "incorrect: yes" too, knows
neither JSON nor emphasis, and counts what it cannot read as wrong (LLMRouterBench, section HLE).
"""

import base64
import mimetypes
import re
from pathlib import Path
from typing import Any, NamedTuple

from scoring.benchmark import BenchmarkError
from scoring.graders.judge import agreed, labelled, said
from scoring.graders.reasoning import after_reasoning, why
from scoring.judged import JudgedBenchmark, Judging, Question
from scoring.rows import find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_KEPT = ("id", "answer_type", "category", "raw_subject")
_SOURCE = (
    "the test split of cais/hle (2,500 rows; consent to the terms on its page, then save it as JSON lines), or the "
    "file of its 2,158 questions without an image that LLMRouterBench uses"
)
_PROMPT = """Write your response as these three lines:
Explanation: {{why you choose this answer}}
Answer: {{the answer you choose}}
Confidence: {{how sure you are that it is right, from 0% to 100%}}

{question}"""
_JUDGE_PROMPT = """Does a response give the correct answer to a question? You are told the correct answer, and there is no other: do not solve the problem, do not argue for anything else, say nothing about its background. Only compare.

<question>
{question}
</question>

<response>
{response}
</response>

<correct_answer>
{gold}
</correct_answer>

Reply with four lines in exactly this form:
extracted_final_answer: the final answer that the response arrives at, copied from it; None if it arrives at none
reasoning: whether anything that matters differs between this answer and the correct one, and what
correct: one word, yes if the two agree (a number may be off a little, as by rounding), no if they contradict each other, are not equivalent, or one is ambiguous
confidence: how sure the response says it is, as a number from 0 to 100; 100 if it does not say"""  # noqa: E501

_YES_NO = re.compile(r"(yes|no|true|false)\b(?:\W*$|\s*[.,;:(–—-](?!.*\b(?:yes|no|true|false)\b))", re.IGNORECASE)
_IS_YES = {"yes": True, "true": True, "no": False, "false": False}


class Verdict(NamedTuple):
    """What a judge says of a response; `confidence` is the response's own, in percent, empty where not given."""

    is_correct: bool
    answer: str
    confidence: str


class HLE(JudgedBenchmark):
    """The questions of Humanity's Last Exam.

    Args:
        images: ask those with an image too, 2,500 in all.
    """

    name = "hle"
    source = Source(
        host="hub", repository="cais/hle", revision="5a81a4c7271a2a2a312b9a690f0c2fde837e4c29", needs_consent=True,
        files={"test.jsonl": "data/test-00000-of-00001.parquet"},
        columns=("id", "question", "image", "answer", "answer_type", "category", "raw_subject"),
    )  # fmt: skip

    def __init__(self, images: bool = False):
        self.images = images

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "hle/test.jsonl", _SOURCE)
        queries = []
        for index, row in enumerate(read_rows(path, {"question": str, "answer": str})):
            metadata = {key: row[key] for key in _KEPT if key in row}
            if row.get("image"):
                if not self.images:
                    continue
                metadata["image"] = _image_url(row["image"], f"{path}, row {index}", path.parent)
            queries.append(Query(index, row["question"], row["answer"], metadata=metadata))
        return queries

    def prompt(self, query: Query) -> list[Message]:
        text = _PROMPT.format(question=query.text)
        if "image" not in query.metadata:
            return [{"role": "user", "content": text}]
        image = {"type": "image_url", "image_url": {"url": query.metadata["image"]}}
        return [{"role": "user", "content": [{"type": "text", "text": text}, image]}]

    def judging(self, query: Query, text: str) -> Judging:
        response, is_truncated = after_reasoning(text)
        if not response.strip():
            return Score(0.0, "", why("no answer", is_truncated))
        (verdict,) = yield [Question(messages=_judge_prompt(query, response), read=read)]
        return _score(verdict, is_truncated)

    def judging_compat(self, query: Query, text: str) -> Judging:
        (verdict,) = yield [Question(messages=_judge_prompt(query, text), read=read_compat)]
        return _score(verdict, is_truncated=False)


def read(reply: str) -> Verdict | None:
    """The verdict of a reply in labelled lines or JSON."""
    text = said(reply)
    grades = [_YES_NO.match(value) for value in labelled(text, "correct")]
    is_correct = agreed(_IS_YES[grade[1].lower()] if grade else None for grade in grades)
    if is_correct is None:
        return None
    answers = labelled(text, "extracted_final_answer")
    confidences = re.findall(r"\d{1,3}(?:\.\d+)?", " ".join(labelled(text, "confidence")))
    return Verdict(is_correct, answers[0] if answers else "", confidences[0] if confidences else "")


def read_compat(reply: str) -> Verdict:
    """The verdict as the published rule reads it; without one the answer is None and wrong."""
    answer = re.search(r"extracted_final_answer:\s*(.*)", reply, re.IGNORECASE)
    correct = re.search(r"correct:\s*(yes|no)", reply, re.IGNORECASE)
    confidence = re.search(r"confidence:\s*(\d{1,9})", reply, re.IGNORECASE)
    return Verdict(
        correct is not None and correct[1].lower() == "yes",
        answer[1].strip() if answer else "None",
        confidence[1] if confidence else "0",
    )


def _judge_prompt(query: Query, response: str) -> tuple[Message, ...]:
    content = _JUDGE_PROMPT.format(question=query.text, response=response, gold=query.ground_truth)
    return ({"role": "user", "content": content},)


def _score(verdict: Verdict, is_truncated: bool) -> Score:
    found = "the judge says yes" if verdict.is_correct else "the judge says no"
    if verdict.confidence:
        found += f", confidence {verdict.confidence} %"
    return Score(float(verdict.is_correct), verdict.answer, why(found, is_truncated))


def _image_url(image: Any, where: str, folder: Path) -> str:
    """A data URL of the image, so that a message holds all that the model sees."""
    if not isinstance(image, str):
        raise BenchmarkError(f"{where}: its image is {type(image).__name__}, expected a data URL or a file name")
    if image.startswith(("data:", "https://", "http://")):
        return image
    kind = mimetypes.guess_type(image)[0] or ""
    if not kind.startswith("image/"):
        raise BenchmarkError(f"{where}: its image {image[:80]!r} is neither a data URL nor the name of an image file")
    try:
        content = base64.b64encode((folder / image).read_bytes()).decode()
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"{where}: its image {image[:80]!r} cannot be read from {folder} ({error})") from error
    return f"data:{kind};base64,{content}"
