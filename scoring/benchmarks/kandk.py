r"""Knights and Knaves: 700 puzzles, 100 for each number of people from 2 to 8, about who tells the truth.

Data: the test sets made by the authors' generator (GitHub repository AlphaPav/mem-kk-logic; the published data set is
CC-BY-NC-SA-4.0), the files LLMRouterBench uses byte for byte: <data_dir>/kandk/people2_num100.jsonl to
people8_num100.jsonl, read in this order. A row, shortened:

    {"quiz": "A very special island is inhabited only by knights and knaves. … So who is a knight and who is a knave?",
     "names": ["Zoey", "Oliver"], "solution": [false, true],
     "solution_text_format": "(1) Zoey is a knave\n(2) Oliver is a knight", …}

Answer: of each person the role that the conclusion gives; the conclusion is what follows the last heading of that word,
else the last box, else the last lines that mention anybody. Right if every person has one role, the gold one. The
published rule wants the gold sentences literally and refuses any text with "if" in it, even as part of a word
(LLMRouterBench, section Knights and Knaves): its scores measure the format more than the logic.
"""

import re
from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders.boxed import all_boxes
from scoring.graders.reasoning import answer_part, why, without_markdown
from scoring.rows import find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "one of the seven test files of Knights and Knaves, made by data_prep/data_gen_kk.py of AlphaPav/mem-kk-logic"
_PROMPT = """This is a puzzle in logical deduction. Several characters make statements; from these, work out what each of the characters is.

Explain your reasoning first. Finish by naming the identity of every character in exactly this format:

CONCLUSION:
(1) ...
(2) ...
(3) ...

### Question:
{question}
"""  # noqa: E501

_HEADING = re.compile(r"^[^\w\n]*(?:\w+ ){0,2}conclusions?[^\w\n]*$|\bconclusions?\s*:", re.IGNORECASE | re.MULTILINE)
_TEXT_COMMAND = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf)(?=\s*\{)|[{}$]")
# Of whoever: an expression with the names in it has to be compiled for every puzzle, which took most of the time.
_STATEMENT = re.compile(
    r"(\b(?:if|whether|when|assume|assuming|suppose|supposing)\s+)?"
    r"\b(\w++)\s*(?:\bis\b|[:=|(→–—-]|->)[\s|(]*(?:\b(?:a|the)\s+)?(knight|knave)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


class KnightsAndKnaves(Benchmark):
    """The 700 test puzzles of Knights and Knaves."""

    name = "kandk"
    source = Source(
        host="hub", repository="K-and-K/knights-and-knaves", revision="main",
        files={f"people{n}_num100.jsonl": f"test/people{n}_num100.jsonl" for n in range(2, 9)},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        queries: list[Query] = []
        for n_people in range(2, 9):
            path = find_file(data_dir, f"kandk/people{n_people}_num100.jsonl", _SOURCE)
            for row in read_rows(path, {"quiz": str, "names": list, "solution_text_format": str}):
                gold = row["solution_text_format"]
                if set(_gold_roles(gold)) != set(row["names"]):
                    raise BenchmarkError(f"{path}: {gold!r} does not name just {row['names']}; get the file again")
                queries.append(Query(len(queries), row["quiz"], gold, metadata={"names": row["names"]}))
        return queries

    def prompt(self, query: Query) -> list[Message]:
        return [{"role": "user", "content": _PROMPT.replace("{question}", query.text)}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        gold = _gold_roles(query.ground_truth)
        roles = _roles(_conclusion(answer, list(gold)), list(gold))
        prediction = ", ".join(f"{name}: {' and '.join(sorted(roles[name]))}" for name in gold if roles[name])
        if missing := [name for name in gold if not roles[name]]:
            return Score(0.0, prediction, why(f"no role for {', '.join(missing)}", truncated))
        if double := [name for name in gold if len(roles[name]) > 1]:
            return Score(0.0, prediction, why(f"two roles for {', '.join(double)}", truncated))
        wrong = ", ".join(name for name in gold if roles[name] != {gold[name]})
        return Score(float(not wrong), prediction, why(f"wrong: {wrong}" if wrong else "all right", truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        conditions = [line[3:].strip() for line in query.ground_truth.split("\n") if line.strip()]
        prediction = _conclusion_compat(text)
        if f"({len(conditions) + 1})" in prediction:
            return Score(0.0, prediction, "more numbers than people")
        if "if" in prediction:
            return Score(0.0, prediction, "contains 'if'")
        said = prediction.lower()
        return Score(float(all(condition.lower() in said for condition in conditions)), prediction)


def _gold_roles(gold: str) -> dict[str, str]:
    """Role by name, from lines such as "(1) Zoey is a knave"."""
    return dict(re.findall(r"^\(\d+\) (\S+) is a (knight|knave)$", gold, re.MULTILINE))


def _conclusion(text: str, names: list[str]) -> str:
    """The part of an answer that gives the roles, without markdown and LaTeX commands."""
    sections = _HEADING.split(text)[1:]
    for section in (*reversed(sections), *reversed(all_boxes(text))):
        plain = _plain(section)
        if any(_roles(plain, names).values()):
            return plain
    folded = {name.casefold() for name in names}
    lines = [line for line in _plain(text).split("\n") if not folded.isdisjoint(_WORD.findall(line.casefold()))]
    return "\n".join(lines[-len(names) :])


def _plain(text: str) -> str:
    return _TEXT_COMMAND.sub(" ", without_markdown(text))


def _roles(text: str, names: list[str]) -> dict[str, set[str]]:
    """The roles a text gives each person. Suppositions ("if Zoey is a knight") do not count."""
    by_name = {name.casefold(): name for name in names}
    roles: dict[str, set[str]] = {name: set() for name in names}
    for supposed, word, role in _STATEMENT.findall(text):
        if not supposed and (name := by_name.get(word.casefold())):
            roles[name].add(role.lower())
    return roles


def _conclusion_compat(text: str) -> str:
    """What the published rule takes for the conclusion."""
    text = text.split("### Question")[0]
    prediction = text
    for marker in ("CONCLUSION:", "boxed", "Conclusion:", "conclusion:"):
        parts = text.split(marker)
        if len(parts) > 1 and parts[1].strip():
            prediction = parts[1]
            break
    for end in ("### Reason", "Let's think step by step again", "let's go back and check", "###"):
        prediction = prediction.split(end)[0]
    return prediction.strip()
