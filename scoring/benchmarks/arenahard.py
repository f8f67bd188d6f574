"""ArenaHard: the 750 prompts of Arena-Hard v2.0, each response compared with that of a baseline model.

Data: data/arena-hard-v2.0 of lmarena/arena-hard-auto (Apache-2.0): question.jsonl, which LLMRouterBench uses byte for
byte, and the answers of the two baselines, o3-mini-2025-01-31 for the 500 hard prompts (coding and mathematics) and
gemini-2.0-flash-001 for the 250 of creative writing; here <data_dir>/arenahard/question.jsonl and
<data_dir>/arenahard/model_answer/<baseline>.jsonl, each also as .gz. A row of each, shortened:

    {"uid": "2edbb5f36f5b42be", "category": "hard_prompt", "subcategory": "coding", "prompt": "Write me a zig …"}
    {"uid": "2edbb5f36f5b42be", "model": "o3-mini-2025-01-31",
     "messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": {"answer": "Below is …"}}], …}

Answer: a judge compares the two twice, the baseline being A first and B then, and ends each time with one of five
labels. An order gives 1 where it finds the response better, 0.5 for a tie, 0 where it finds it worse; the score is the
mean of the two. The judge does not see the response's reasoning; an empty response has lost. The published rule lets it
see everything, and sums points instead, 3 for "much better" and 1 for "better": 1, 0.5 or 0 by the sign of the sum. It
takes a label that it does not know for a tie, and gives 0 where there is none (LLMRouterBench, section ArenaHard).
`win_rate` makes the authors' measure of the labels, which neither of the two means is.
"""

import re
from collections.abc import Iterable
from html import unescape
from pathlib import Path

from scoring.benchmark import BenchmarkError
from scoring.graders.judge import agreed, said
from scoring.graders.reasoning import after_reasoning, why
from scoring.judged import JudgedBenchmark, Judging, Question
from scoring.rows import Row, find_file, read_rows
from store.records import Message, Query, Score

_SOURCE = (
    "data/arena-hard-v2.0/{name} of lmarena/arena-hard-auto on GitHub, or of the data set lmarena-ai/arena-hard-auto"
)
_BASELINE = {"hard_prompt": "o3-mini-2025-01-31", "creative_writing": "gemini-2.0-flash-001"}
_JUDGE_RULES = """Two assistants, A and B, have answered the same message of a user. Judge impartially whose answer serves this user better.

{own_answer}Weigh:
- Mistakes: name whatever is wrong in either answer and put it right.
- Help: a helpful answer responds to what was asked and follows the instructions. Where the message is ambiguous, asking back or asking for what is missing helps more than going by a guess.
- Relevance: every part of the answer belongs to the matter.
- Brevity: it is clear, and no longer than it has to be.
- Originality and invention, where the task calls for them.
- Gaps: what the user would have needed and an answer leaves out.

Explain your judgement first. Then close with exactly one of these labels as the verdict:
[[A>>B]] if A is much better
[[A>B]] if A is a little better
[[A=B]] if both are about as good
[[B>A]] if B is a little better
[[B>>A]] if B is much better

The last line then reads, for example: Verdict: [[A=B]]"""  # noqa: E501
_OWN_ANSWER = {
    "hard_prompt": "Before you judge anything, answer the message yourself; hold both answers against your own.\n\n",
    "creative_writing": "",
}
_COMPARISON = """<user_message>
{question}
</user_message>

<answer_of_A>
{a}
</answer_of_A>

<answer_of_B>
{b}
</answer_of_B>"""

_POINTS = {"A>>B": 3, "A>B": 1, "A=B": 0, "B=A": 0, "B>A": -1, "B>>A": -3}  # for A
_MIRRORED = {"A<<B": "B>>A", "A<B": "B>A", "B=A": "A=B", "B<A": "A>B", "B<<A": "A>>B"}
_DOUBLE = re.compile(r"\[\[([AB<>=\s]+)\]\]")
_SINGLE = re.compile(r"(?<!\w)\[([AB<>=\s]+)\]")  # not the mask of an array, x[A>B]
_COMPAT = (re.compile(r"\[\[([AB<>=]+)\]\]"), re.compile(r"\[([AB<>=]+)\]"))


class ArenaHard(JudgedBenchmark):
    """The prompts of Arena-Hard v2.0, against a baseline for each category."""

    name = "arenahard"

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "arenahard/question.jsonl", _SOURCE.format(name="question.jsonl"))
        rows = read_rows(path, {"uid": str, "category": str, "subcategory": str, "prompt": str})
        baselines = {category: _answers(data_dir, f"model_answer/{name}.jsonl") for category, name in _BASELINE.items()}
        return [_query(index, row, baselines, path) for index, row in enumerate(rows)]

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": query.text}]

    def judging(self, query: Query, text: str) -> Judging:
        response, is_truncated = after_reasoning(text)
        if not response.strip():
            return Score(0.0, "", why("no answer", is_truncated))
        rules, orders = _rules(query), _orders(query, response)
        first, second = yield [
            Question(
                messages=({"role": "system", "content": rules}, {"role": "user", "content": comparison}), read=read
            )
            for comparison in orders
        ]
        value = (_outcome(-_POINTS[first]) + _outcome(_POINTS[second])) / 2
        return _score(value, first, second, is_truncated)

    def judging_compat(self, query: Query, text: str) -> Judging:
        rules, orders = _rules(query), _orders(query, text)
        first, second = yield [
            Question(
                messages=({"role": "user", "content": f"System: {rules}\n\nUser: {comparison}"},), read=read_compat
            )
            for comparison in orders
        ]
        total = _POINTS.get(second, 0) - _POINTS.get(first, 0)
        return _score(_outcome(total) if first and second else 0.0, first, second, is_truncated=False)


def read(reply: str) -> str | None:
    """The label of a verdict, one of five: the last in double brackets, else the one in single brackets."""
    text = unescape(said(reply)).replace("\\", "").upper()
    if labels := _DOUBLE.findall(text):
        found = labels[-1] if len(set(labels)) < 3 else ""  # a reply with more of them lists what there is
    else:
        found = agreed(_SINGLE.findall(text)) or ""
    label = "".join(found.split())
    label = _MIRRORED.get(label, label)
    return label if label in _POINTS else None


def read_compat(reply: str) -> str:
    """What the published rule takes for the label, which may be none that there is; empty where nothing looks so."""
    text = reply.upper()
    return next((labels[-1] for pattern in _COMPAT if (labels := pattern.findall(text))), "")


def win_rate(labels: Iterable[tuple[str, str]]) -> float:
    """The authors' measure: the Bradley-Terry win rate against the baseline, in [0, 1].

    With a baseline alone to compare with it is the mean over all battles, a strong verdict counting as three.

    Args:
        labels: of each response the two words of its robust prediction.

    Returns:
        The win rate; NaN without labels. The baseline's own is 0.5.
    """
    points = [one for first, second in labels for one in (-_POINTS[first], _POINTS[second])]
    weights = [max(1, abs(one)) for one in points]
    won = sum(weight * _outcome(one) for weight, one in zip(weights, points, strict=True))
    return won / sum(weights) if weights else float("nan")


def _outcome(points: int) -> float:
    return 0.5 if points == 0 else float(points > 0)


def _rules(query: Query) -> str:
    return _JUDGE_RULES.format(own_answer=_OWN_ANSWER[query.metadata["category"]])


def _orders(query: Query, response: str) -> tuple[str, str]:
    """The comparison with the baseline as A and with the baseline as B."""
    baseline = query.metadata["baseline_answer"]
    return (
        _COMPARISON.format(question=query.text, a=baseline, b=response),
        _COMPARISON.format(question=query.text, a=response, b=baseline),
    )


def _score(value: float, first: str, second: str, is_truncated: bool) -> Score:
    found = f"{first or 'no label'} after the baseline, {second or 'no label'} before it"
    return Score(value, f"{first} {second}", why(found, is_truncated))


def _answers(data_dir: Path, name: str) -> dict[str, str]:
    """The answers of a baseline, by uid."""
    path = find_file(data_dir, f"arenahard/{name}", _SOURCE.format(name=name))
    answers = {}
    for number, row in enumerate(read_rows(path, {"uid": str, "messages": list})):
        match row["messages"]:
            case [*_, {"content": {"answer": str(answer)}}]:
                answers[row["uid"]] = answer
            case _:
                raise BenchmarkError(f"{path}, row {number}: no answer in its last message; get the file again")
    return answers


def _query(index: int, row: Row, baselines: dict[str, dict[str, str]], path: Path) -> Query:
    uid, category = row["uid"], row["category"]
    if category not in _BASELINE:
        raise BenchmarkError(f"{path}, row {index}: category {category!r}, expected one of {', '.join(_BASELINE)}")
    if uid not in baselines[category]:
        raise BenchmarkError(
            f"{path}, row {index}: no answer to {uid} in model_answer/{_BASELINE[category]}.jsonl beside it; get both "
            "files from the same release"
        )
    metadata = {key: row[key] for key in ("uid", "category", "subcategory")}
    return Query(index, row["prompt"], "", metadata=metadata | {"baseline_answer": baselines[category][uid]})
