"""MathBench: the 150 English single-choice questions of the stage "college", four options each.

Data: open-compass/MathBench (Apache-2.0), a release archive, its college single_choice_en.jsonl, here
<data_dir>/mathbench/college.jsonl. The shape of a row:

    {"question": "…", "options": ["…", "…", "…", "…"], "answer": "C", "topic": "…"}

Answer: the letter that `scoring.graders.choice.letter` finds after the reasoning, compared with the gold letter. The
published rule is `letter_compat` over A to D (LLMRouterBench, section MathBench). Both ask once, in the order of the
file; MathBench's own measure wants all four rotations of the options right, so its leaderboard has other values.
"""

from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders.choice import letter, letter_compat
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_LETTERS = "ABCD"
_SOURCE = (
    "college/single_choice_en.jsonl (150 rows) of the release archive of the GitHub repository open-compass/MathBench"
)
_PROMPT = """Solve this multiple-choice mathematics problem. Close your response with a line of the form 'Answer: $LETTER' (without the quotes), where LETTER is one of ABCD.

{question}

{options}

Think it through step by step before you answer."""  # noqa: E501


class MathBench(Benchmark):
    """The college questions of MathBench."""

    name = "mathbench"
    source = Source(  # the authors have it in an archive; this is the file the published tables use
        host="github", repository="ynulihao/LLMRouterBench", revision="5aa32c9a5b1f891c5c433f3266d02691301ca610",
        files={"college.jsonl": "data/Mathbench/college.jsonl"},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "mathbench/college.jsonl", _SOURCE)
        queries = []
        for index, row in enumerate(read_rows(path, {"question": str, "options": list, "answer": str})):
            options = dict(zip(_LETTERS, row["options"], strict=False))
            if len(row["options"]) != len(_LETTERS) or row["answer"] not in options:
                raise BenchmarkError(
                    f"{path}, row {index}: the answer {row['answer']!r} is none of four options; get the file again"
                )
            metadata = {"options": options} | {key: row[key] for key in ("topic",) if key in row}
            queries.append(Query(index, row["question"], row["answer"], metadata=metadata))
        return queries

    def prompt(self, query: Query) -> list[Message]:
        options = "\n".join(f"{key}. {option}" for key, option in query.metadata["options"].items())
        return [{"role": "user", "content": _PROMPT.format(question=query.text, options=options)}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        prediction = letter(answer, query.metadata["options"])
        found = f"chose {prediction}" if prediction else "no letter"
        return Score(float(prediction == query.ground_truth), prediction, why(found, truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        prediction = letter_compat(text, "A-D")
        return Score(float(prediction == query.ground_truth), prediction)
