r"""KORBench: 1,250 questions, 50 for each of 25 rules in five categories, asked with the rule and three examples.

Data: the GitHub repository KOR-Bench/KOR-Bench (Apache-2.0), its data folder: the files sample.jsonl, rule.jsonl and
three-shot.jsonl of cipher, operation, puzzle, counterfactual and logic (read in this order) as
<data_dir>/korbench/<category>/…, the files LLMRouterBench uses byte for byte. A row of each, shortened:

    {"idx": "1", "question": "Compute 4※7.\nPlease ensure the answer is a single number and wrap it in double square
     brackets, like this: [[your answer]].", "answer": "[[24]]", "rule_id": "1", "needle": […]}
    {"idx": "1", "title": "※", "rule_content": "Define an operation such that when a is a multiple of b, …", "tag": "…"}
    {"idx": "1", "question": "Compute 5※25.\n…", "answer": "[[7]]", "rule_id": "1"}

Answer: the last double brackets after the reasoning; without them the last closed box, the last brackets, the last
line. It is compared by the rule of its kind (`scoring.graders.kor`). The published rule takes the first brackets, those
of a quoted format included, and has lost them where the answer is a formula, so that 45 rows can never be right
(LLMRouterBench, section KORBench).
"""

import re
from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders import kor
from scoring.graders.brackets import first_brackets_compat, last_brackets
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "data/{path} of the GitHub repository KOR-Bench/KOR-Bench"
_RULE_OF = {
    "cipher": "Cipher",
    "operation": "Operation",
    "puzzle": "Puzzle",
    "counterfactual": "Story",
    "logic": "Logic",
}
_ROLES = {
    "cipher": "You encrypt and decrypt messages, exactly by the rule below.",
    "operation": "You compute with operations that are newly defined; the rule below says how.",
    "puzzle": "You solve puzzles of the kind that the rule below describes.",
    "counterfactual": "You answer questions within a story. What it tells holds, whatever the real world is like.",
    "logic": "You reason with the symbols and laws of the logic that the rule below introduces.",
}
_FILES = {
    "sample": {"idx": str, "question": str, "answer": str, "rule_id": str},
    "rule": {"idx": str, "rule_content": str},
    "three-shot": {"question": str, "answer": str, "rule_id": str},
}
_PROMPT = """{role}

### Instructions:
1. Read the rule; nothing but this rule counts, even where it contradicts what you know.
2. See from the examples how the rule is applied and what an answer looks like.
3. Reason step by step, then answer the last question in the format that it asks for.

### {kind} Rule:
{rule}

{shots}### Question:
{question}

### Answer:"""


class KORBench(Benchmark):
    """The questions of KORBench in its setting with three examples."""

    name = "korbench"
    source = Source(
        host="github", repository="KOR-Bench/KOR-Bench", revision="bb8194d",
        files={f"{name}/{kind}.jsonl": f"data/{name}/{kind}.jsonl" for name in _RULE_OF for kind in _FILES},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        queries: list[Query] = []
        for category in _RULE_OF:
            samples, rules, shots = (_read(data_dir, f"{category}/{name}.jsonl") for name in _FILES)
            contents = {row["idx"]: row["rule_content"] for row in rules}
            for row in samples:
                rule = row["rule_id"]
                examples = [[shot["question"], shot["answer"]] for shot in shots if shot["rule_id"] == rule]
                if rule not in contents or len(examples) != 3 or not re.match(r"\[\[.*\]\]$", row["answer"], re.DOTALL):
                    raise BenchmarkError(
                        f"korbench/{category}, question {row['idx']}: no rule {rule!r}, no three examples of it, or no "
                        "answer in double brackets; get the files again"
                    )
                metadata = {"category": category, "number": int(row["idx"]), "rule_id": int(rule)}
                metadata |= {"rule": contents[rule], "examples": examples}
                queries.append(Query(len(queries), row["question"], row["answer"], metadata=metadata))
        return queries

    def prompt(self, query: Query) -> list[Message]:
        category = query.metadata["category"]
        shots = (
            f"### Question:\n{question}\n\n### Answer:\n{answer}\n\n" for question, answer in query.metadata["examples"]
        )
        content = _PROMPT.format(
            role=_ROLES[category],
            kind=_RULE_OF[category],
            rule=query.metadata["rule"],
            shots="".join(shots),
            question=query.text,
        )
        return [{"role": "user", "content": content}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        prediction = last_brackets(answer)
        is_right = kor.agrees(prediction, *_gold(query))
        return Score(
            float(is_right), prediction, why(f"compared by the rule of {query.metadata['category']}", truncated)
        )

    def score_compat(self, query: Query, text: str) -> Score:
        gold, category, number, rule = _gold(query)
        if (prediction := first_brackets_compat(text)) is None:
            return Score(0.0, "NULL")
        if category == "operation" and number in kor.MATHS:
            return Score(0.0, prediction, "published rule: always 0")
        if category != "logic":
            prediction = kor.clean(prediction)
        return Score(float(kor.agrees_compat(prediction, gold, category, number, rule)), prediction)


def _read(data_dir: Path, path: str) -> list[dict]:
    fields = _FILES[Path(path).stem]
    return read_rows(find_file(data_dir, f"korbench/{path}", _SOURCE.format(path=path)), fields)


def _gold(query: Query) -> tuple[str, str, int, int]:
    return query.ground_truth[2:-2], *(query.metadata[key] for key in ("category", "number", "rule_id"))
