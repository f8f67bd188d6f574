r"""FrontierScience: 100 olympiad problems with a short answer, or 60 research problems with a rubric of 10 points.

Data: data/olympiad.jsonl and data/research.jsonl of the GitHub repository luccabb/frontierscience (Apache-2.0), which
LLMRouterBench uses byte for byte; here <data_dir>/frontierscience/<part>.jsonl or .jsonl.gz. A row, shortened:

    {"problem": "Consider a dielectric block with polarization … write your final answer on a new line starting with
     “FINAL ANSWER”. …", "answer": "\\(U=CT\\)", "subject": "physics", "task_group_id": "27c865e6-…"}

In the research part "answer" is the rubric: "Points: 1.0, Item: The solution to question 1 should mention …".

Answer: a judge compares the whole response, without its reasoning, with the reference answer and ends with the line
"VERDICT: CORRECT" or "VERDICT: INCORRECT"; in the research part it ends with the points, of which 7 are a success: the
score is 1 from there on and 0 below, and the prediction keeps the points. The published rule shows the judge only what
follows the first FINAL ANSWER, up to a blank line, wants a grade in XML and takes everything else for INCORRECT; it has
no other rule for the research part (LLMRouterBench, section FrontierScience). The authors' judge is GPT-5.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

from scoring.benchmark import BenchmarkError
from scoring.graders.judge import agreed, labelled, said
from scoring.graders.reasoning import after_reasoning, answer_part, why
from scoring.judged import JudgedBenchmark, Judging, Question
from scoring.rows import find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "data/{part}.jsonl of the GitHub repository luccabb/frontierscience"
_JUDGE_PROMPT = """Grade an answer in a science examination. You get the problem, the answer that was attempted, and {told}.

<problem>
{problem}
</problem>

<attempted_answer>
{answer}
</attempted_answer>

<reference>
{reference}
</reference>

{rules}"""  # noqa: E501
_TOLD = {
    "olympiad": "a reference answer, which is right",
    "research": "for reference a rubric that gives up to 10 points",
}
_RULES = {
    "olympiad": """The attempt is correct if what it finally answers is equivalent to the reference. A number may differ by rounding and be given in another unit; an expression may be written in another form; a substance or other thing may go by another accepted name. All parts that the reference has must be there. Nothing else counts for or against it.

Reason step by step, then end with one of these two lines and nothing after it:
VERDICT: CORRECT
VERDICT: INCORRECT""",  # noqa: E501
    "research": """Be exact, strict and fair. The rubric alone decides, even where you would judge otherwise or think that it is wrong. Take its items one after the other: say what the answer has of the item, why, and how many points that earns; parts of a point can be earned where the rubric has them.

Add up the points, then end with a line of this form and nothing after it:
VERDICT: <total, such as 6.25>""",  # noqa: E501
}
_JUDGE_PROMPT_COMPAT = """Grade an answer to a science question against the gold answer.

Question: {problem}

Gold answer: {reference}

Predicted answer: {answer}

It is correct if it means the same scientifically: another form of the same expression, or a number that is as good as the same, counts.

Reply with nothing but this XML, with CORRECT or INCORRECT as the grade and HIGH, MEDIUM or LOW as your confidence in it:
<result>
  <grade>INCORRECT</grade>
  <confidence>MEDIUM</confidence>
</result>"""  # noqa: E501

_SUCCESS = 7.0  # points of 10
_MARKER = re.compile(r"FINAL\s*ANSWER[:\s]*", re.IGNORECASE)
_GRADE = re.compile(r"(IN)?CORRECT[.!\s]*", re.IGNORECASE)
_POINTS = re.compile(
    r"[{(\[]*(\d{1,2}(?:\.\d+)?)[})\]]*\s*(?:(?:/|out of)\s*10(?:\.0+)?)?\s*(?:points?|pts)?[.!\s]*", re.IGNORECASE
)


class FrontierScience(JudgedBenchmark):
    """One part of FrontierScience.

    Args:
        part: "olympiad" or "research".
    """

    name = "frontierscience"
    source = Source(
        host="github", repository="luccabb/frontierscience", revision="8155c7d",
        files={f"{part}.jsonl": f"data/{part}.jsonl" for part in ("olympiad", "research")},
    )  # fmt: skip

    def __init__(self, part: str = "olympiad"):
        self.part = part

    def load(self, data_dir: Path) -> list[Query]:
        if self.part not in _RULES:
            raise BenchmarkError(f"frontierscience has no part {self.part!r}; valid: {', '.join(_RULES)}")
        path = find_file(data_dir, f"frontierscience/{self.part}.jsonl", _SOURCE.format(part=self.part))
        rows = read_rows(path, {"problem": str, "answer": str, "subject": str, "task_group_id": str})
        kept = ("subject", "task_group_id")
        return [
            Query(index, row["problem"], row["answer"], metadata={key: row[key] for key in kept})
            for index, row in enumerate(rows)
        ]

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": query.text}]

    def judging(self, query: Query, text: str) -> Judging:
        attempt, is_truncated = after_reasoning(text)
        if not attempt.strip():
            return Score(0.0, "", why("no answer", is_truncated))
        prompt = _messages(_JUDGE_PROMPT, query, attempt, told=_TOLD[self.part], rules=_RULES[self.part])
        if self.part == "research":
            (points,) = yield [Question(messages=prompt, read=read_points)]
            return Score(float(points >= _SUCCESS), f"{points:g}", why(f"{points:g} of 10 points", is_truncated))
        (grade,) = yield [Question(messages=prompt, read=read_grade)]
        prediction = final_answer(answer_part(text)[0], -1)
        return Score(float(grade == "CORRECT"), prediction, why(f"the judge says {grade}", is_truncated))

    def judging_compat(self, query: Query, text: str) -> Judging:
        prediction = final_answer(text, 0)
        prompt = _messages(_JUDGE_PROMPT_COMPAT, query, prediction or "(none given)")
        (grade,) = yield [Question(messages=prompt, read=read_grade_compat)]
        return Score(float(grade == "CORRECT"), prediction, f"the judge says {grade}")


def final_answer(text: str, which: int) -> str:
    """The paragraph that follows one of the markers FINAL ANSWER; empty where there is none."""
    plain = text.replace("**", "")
    markers = list(_MARKER.finditer(plain))
    return plain[markers[which].end() :].strip().split("\n\n")[0].strip() if markers else ""


def read_grade(reply: str) -> str | None:
    """CORRECT or INCORRECT, of the verdict lines."""
    found = [_GRADE.fullmatch(value) for value in labelled(said(reply), "verdict")]
    return agreed(("INCORRECT" if one[1] else "CORRECT") if one else None for one in found)


def read_points(reply: str) -> float | None:
    """The points of the verdict lines, 0 to 10."""
    found = [_POINTS.fullmatch(value) for value in labelled(said(reply), "verdict")]
    points = agreed(float(one[1]) if one else None for one in found)
    return points if points is not None and points <= 10 else None


def read_grade_compat(reply: str) -> str:
    """The grade that the published rule reads in the XML; INCORRECT where there is none."""
    try:
        if document := re.search(r"<result>.*?</result>", reply, re.DOTALL):
            return (ElementTree.fromstring(document[0]).findtext("grade") or "INCORRECT").strip()
    except (ElementTree.ParseError, ValueError):  # no XML, or characters that it cannot hold
        pass
    tagged = re.search(r"<grade>\s*(CORRECT|INCORRECT)\s*</grade>", reply, re.IGNORECASE)
    return tagged[1].upper() if tagged else "INCORRECT"


def _messages(prompt: str, query: Query, answer: str, **more: str) -> tuple[Message, ...]:
    content = prompt.format(problem=query.text, reference=query.ground_truth, answer=answer, **more)
    return ({"role": "user", "content": content},)
