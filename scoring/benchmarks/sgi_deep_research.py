r"""SGI-Bench, deep research: 318 scientific questions whose short answer takes several steps of research to find.

Data: InternScience/SGI-DeepResearch as JSON lines, in LLMRouterBench data/sgibench/deep_research/test.jsonl
(601,390 bytes), here <data_dir>/sgi_deep_research/test.jsonl or test.jsonl.gz. A row, shortened and made up:

    {"idx": "SGI_DeepResearch_0000", "question": "From the light curve in …, which fraction of …? Give two
     decimals.", "steps": ["Find the depth of the transit in …", "Divide …"], "answer": "0.25", "discipline": "…"}

Answer: what stands between the answer tags; right if it is the gold answer, by value where it is a number. Where it
is not, the judge, who does not see the gold answer, reduces it to its bare form, and that is compared. The judge also
verifies the solution step by step; the share of right steps is in the explanation. The published rule compares texts,
so that 0.250 is not 0.25, and evaluates the judge's reply as Python (LLMRouterBench, section SGI deep research).
"""

from pathlib import Path

from scoring.benchmark import BenchmarkError
from scoring.graders.answer_tag import tagged, tagged_compat
from scoring.graders.json_reply import json_in
from scoring.graders.judge import said
from scoring.graders.reasoning import answer_part, why
from scoring.graders.restatement import restatement
from scoring.graders.same_values import same_answer
from scoring.graders.short import fragment
from scoring.judged import JudgedBenchmark, Judging, Question
from scoring.rows import find_file, read_rows
from store.records import Message, Query, Score

_SOURCE = "the 318 rows of the data set InternScience/SGI-DeepResearch as JSON lines"
_FORM = """
Work through the problem step by step before you commit yourself. Enclose the final answer, and nothing else, in <answer> and </answer>.

A response looks like this:
Step 1. ...
Step 2. ...
...
<answer>1.00</answer>
"""  # noqa: E501
_VERIFY = """You verify solutions to scientific problems. Compare the solution below with the reference, step by step and strictly. Do not solve the problem yourself.

Split the solution into its steps. For each step state the step, whether it is right and why: errors, gaps and departures from the reference that matter make it wrong, small ones included. If the final answer differs from the reference answer, at least one step must be wrong.

# Question
{question}

# Steps of the reference
{steps}

# Answer of the reference
{gold}

# Solution to verify
{solution}

# Answer of that solution
{answer}

Reply with a JSON list and no other text. It holds one object for each step of the solution:
[{{"solution_step": "the step", "reason": "why it is right or wrong", "judge": "correct"}}, {{"solution_step": "the next step", "reason": "why", "judge": "incorrect"}}]"""  # noqa: E501
_REMINDER = 'Reply with the JSON list alone; each object in it has a "judge" that is "correct" or "incorrect".'


class SGIDeepResearch(JudgedBenchmark):
    """The questions of SGI-Bench's deep research."""

    name = "sgi_deep_research"

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, f"{self.name}/test.jsonl", _SOURCE)
        queries = []
        for index, row in enumerate(read_rows(path, {"question": str, "answer": str, "steps": list})):
            if not all(isinstance(step, str) for step in row["steps"]):
                raise BenchmarkError(f"{path}, row {index}: a step is no text; get the file again")
            metadata = {"steps": row["steps"], "discipline": row.get("discipline", "")}
            queries.append(Query(index, row["question"], row["answer"], metadata=metadata))
        return queries

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": query.text + _FORM}]

    def judging(self, query: Query, text: str) -> Judging:
        answer, truncated = answer_part(text)
        if not answer.strip():
            return Score(0.0, "", why("no answer", truncated))
        found = tagged(answer)
        prediction = fragment(answer) if found is None else found
        is_right, rule = same_answer(prediction, query.ground_truth), "as written"
        questions = [Question(messages=_verify(query, answer, prediction), read=_right_steps, reminder=_REMINDER)]
        if not is_right:
            messages = restatement(found or answer, _example(query.ground_truth))
            questions.append(Question(messages=messages, read=_restated))
        right_steps, *restated = yield questions
        if restated:
            prediction, rule = restated[0], "as the judge restates it"
            is_right = same_answer(prediction, query.ground_truth)
        return Score(float(is_right), prediction, why(f"{rule}; {right_steps:.0%} of the steps are right", truncated))

    def judging_compat(self, query: Query, text: str) -> Judging:
        found = tagged_compat(text)
        prediction = text if found is None else found
        questions = [Question(messages=_verify(query, text, prediction), read=_right_steps_compat)]
        if prediction != query.ground_truth:
            questions.append(Question(messages=restatement(prediction, _example(query.ground_truth)), read=str.strip))
        right_steps, *restated = yield questions
        is_right = query.ground_truth in (prediction, *restated)
        return Score(float(is_right), prediction, f"{right_steps:.0%} of the steps are right")


def _example(gold: str) -> str:
    """An example of a gold answer's form that tells nothing of the answer."""
    try:
        float(gold)
    except ValueError:
        return "red giant and white dwarf"
    return "0.25"


def _verify(query: Query, solution: str, answer: str) -> tuple[Message, ...]:
    content = _VERIFY.format(
        question=query.text,
        steps="\n".join(query.metadata["steps"]),
        gold=query.ground_truth,
        solution=solution,
        answer=answer,
    )
    return ({"role": "user", "content": content},)


def _restated(reply: str) -> str | None:
    return said(reply).strip() or None


def _right_steps(reply: str) -> float | None:
    """Share of the steps that the judge found right; None where a step has no verdict."""
    steps = json_in(said(reply), list)
    verdicts = [str(step.get("judge")).strip().casefold() for step in steps or () if isinstance(step, dict)]
    if not steps or len(verdicts) < len(steps) or not {"correct", "incorrect"}.issuperset(verdicts):
        return None
    return verdicts.count("correct") / len(verdicts)


def _right_steps_compat(reply: str) -> float:
    """The same, where everything that is not "correct" counts as wrong, and an unreadable reply as 0."""
    steps = json_in(reply, list) or [{}]
    return sum(isinstance(step, dict) and str(step.get("judge")).lower() == "correct" for step in steps) / len(steps)
