"""SFE, the Scientists' First Exam: about 830 questions on scientific images.

Data: PrismaX/SFE (MIT, English), in LLMRouterBench data/SFE/test.jsonl (669,978 bytes) and data/SFE/images, here
<data_dir>/sfe/test.jsonl or test.jsonl.gz and the image files in <data_dir>/sfe/images. A row, shortened and made up:

    {"question": "<image> Which class has the star whose spectrum is shown?", "question_type": "mcq",
     "options": ["A. O", "B. G", "C. M"], "images": ["A001_0.png"], "field": "astronomy", "answer": "B"}

The images stand in the message where the question has its tags; those without a tag come last. The path of an image is
part of the message, so a store of responses goes with one data folder.

Answer: of a multiple-choice question, the letter that `scoring.graders.choice.letter` finds; of one for an exact match,
the answer itself where it equals the gold one. Everything else the judge, who sees no image, grades from 0 to 10, and
the score is a tenth of that. The published rule has all responses graded and takes the first integer of the judge's
reply, be it "1" in "I give 1 point: 9" (LLMRouterBench, section SFE).
"""

import re
from pathlib import Path

from scoring.benchmark import BenchmarkError
from scoring.graders.choice import letter
from scoring.graders.judge import said
from scoring.graders.reasoning import answer_part, why, without_markdown
from scoring.graders.same_values import same_answer
from scoring.graders.short import fragment
from scoring.judged import JudgedBenchmark, Judging, Question
from scoring.rows import Kind, Row, find_file, read_rows
from store.records import Message, Query, Score

_SOURCE = (
    "the questions of the data set PrismaX/SFE (English) as JSON lines, with its images in the folder images beside"
)
_KINDS = {
    "mcq": "It is a multiple-choice question: answer with the letter of the right option.",
    "exact_match": "It has one exact answer: give a single word or phrase.",
    "open_ended": "It is an open question: answer with a phrase.",
}
_TASK = "You are a specialist in {field}; solve the question below. {kind}"
_GRADE = """Grade how well an answer agrees with the reference, strictly, with an integer from 0 (entirely wrong) to 10 (right).

# Question
{question}

# Reference
{gold}

# Answer to grade
{answer}

# Rules
- The answer may contain reasoning; what counts is its final answer.
- Multiple choice: right if it names the option of the reference by letter or by content. An option that comes close in content earns a part of the points.
- Other questions: the meaning counts, in whatever wording. Take points off for what is missing and for additions that are wrong.
- Neither layout nor capitals nor spacing count.
- A number is right within reasonable precision; where a unit is asked for, number and unit must both be right.

Reply with the integer alone, for example:
4"""  # noqa: E501
_REMINDER = "Reply with one integer from 0 to 10 and nothing else."

_TAG = re.compile("<image>", re.IGNORECASE)
_LABEL = re.compile(r"\s*\(?([A-Z])[.):]\s*(.*)", re.DOTALL)
_OUT_OF = re.compile(r"(?<=\d)\s*(?:/|out of)\s*10\b", re.IGNORECASE)
_NUMBER = re.compile(r"[-−]?\d+(?:[.,]\d+)*")


class SFE(JudgedBenchmark):
    """The English questions of SFE."""

    name = "sfe"

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, f"{self.name}/test.jsonl", _SOURCE)
        fields: dict[str, Kind] = {"question": str, "question_type": str, "images": list, "answer": (str, int, float)}
        return [_query(index, row, path) for index, row in enumerate(read_rows(path, fields))]

    def prompt(self, query: Query) -> list[Message]:
        images = list(query.metadata["images"])
        parts: list[Message] = []
        for number, piece in enumerate(_TAG.split(_asked(query))):
            if number and images:
                parts.append(_image(images.pop(0)))
            if piece.strip():
                parts.append({"type": "text", "text": piece.strip()})
        return [{"role": "user", "content": parts + [_image(path) for path in images]}]

    def judging(self, query: Query, text: str) -> Judging:
        answer, truncated = answer_part(text)
        if not answer.strip():
            return Score(0.0, "", why("no answer", truncated))
        options, gold, kind = query.metadata["options"], query.ground_truth, query.metadata["question_type"]
        if kind == "mcq" and (right := letter(gold, options)) and (chosen := letter(answer, options)):
            return Score(float(chosen == right), chosen, why("compared as letters", truncated))
        prediction = fragment(answer)
        if kind == "exact_match" and same_answer(prediction, gold):
            return Score(1.0, prediction, why("the same answer", truncated))
        (grade,) = yield [Question(messages=_grade(query, answer), read=_points, reminder=_REMINDER)]
        return Score(grade / 10, prediction, why(f"{grade} of 10", truncated))

    def judging_compat(self, query: Query, text: str) -> Judging:
        (grade,) = yield [Question(messages=_grade(query, text), read=_points_compat)]
        return Score(grade / 10, text, f"{grade} of 10")


def _query(index: int, row: Row, path: Path) -> Query:
    where = f"{path}, row {index}"
    kind, options = row["question_type"].lower(), row.get("options") or []
    if kind not in _KINDS:
        raise BenchmarkError(f"{where}: question_type {kind!r}, expected {', '.join(_KINDS)}; get the file again")
    if not all(isinstance(name, str) for name in (*options, *row["images"])):
        raise BenchmarkError(f"{where}: an option or an image's name is no text; get the file again")
    images = [path.absolute().parent / "images" / name for name in row["images"]]
    if missing := [image for image in images if not image.is_file()]:
        raise BenchmarkError(f"{where}: there is no image {missing[0]}. It belongs to {_SOURCE}. Put it there.")
    metadata = {
        "question_type": kind,
        "options": _labelled(options),
        "images": [str(image) for image in images],
        "field": row.get("field") or row.get("category") or "science",
    }
    return Query(index, row["question"], str(row["answer"]).strip(), metadata=metadata)


def _labelled(options: list[str]) -> dict[str, str]:
    """The options by their letter, whether or not the file writes the letters before them."""
    labels = [_LABEL.fullmatch(option) for option in options]
    if all(labels) and len({label[1] for label in labels if label}) == len(options):
        return {label[1]: label[2].strip() for label in labels if label}
    return dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", options, strict=False))


def _asked(query: Query) -> str:
    """The question with its instruction and options; image tags are where they were."""
    task = _TASK.format(field=query.metadata["field"], kind=_KINDS[query.metadata["question_type"]])
    choices = "\n".join(f"{key}. {option}" for key, option in query.metadata["options"].items())
    return f"{task} {query.text}" + (f"\nChoices are:\n{choices}" if choices else "")


def _image(path: str) -> Message:
    return {"type": "image_url", "image_url": {"url": path}}


def _grade(query: Query, answer: str) -> tuple[Message, ...]:
    content = _GRADE.format(question=_asked(query), gold=query.ground_truth, answer=answer)
    return ({"role": "user", "content": content},)


def _points(reply: str) -> int | None:
    """The only number of a reply, if it is an integer from 0 to 10; "8/10" is one number."""
    numbers = _NUMBER.findall(_OUT_OF.sub("", without_markdown(said(reply))))
    return int(numbers[0]) if len(numbers) == 1 and re.fullmatch("0*(?:[0-9]|10)", numbers[0]) else None


def _points_compat(reply: str) -> int:
    """The first integer of a reply, whatever it counts; 0 where it is none of the scale, or there is none."""
    first = re.search(r"\b(\d+)\b", reply)
    return int(first[1]) if first and len(first[1]) < 20 and int(first[1]) <= 10 else 0
