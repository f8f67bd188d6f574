"""MMLU-Pro: 12,032 multiple-choice questions of 14 fields with up to ten options each.

Data: TIGER-Lab/MMLU-Pro, test split (MIT), as JSON lines at <data_dir>/mmlupro/test.jsonl or test.jsonl.gz. Options are
a list or an object by letter. A row, shortened:

    {"question_id": 70, "question": "Typical advertising regulatory bodies suggest, for example that …",
     "options": ["Safe practices, Fear, Jealousy, Trivial", …], "answer": "I", "answer_index": 8,
     "category": "business", "src": "ori_mmlu-business_ethics"}

Answer: the letter that `scoring.graders.choice.letter` finds after the reasoning, compared with the gold letter. The
published rule is `letter_compat` over A to J, whatever the number of options (LLMRouterBench, section MMLU-Pro). The
published subsets of 1,000 and 3,000 questions are not known; a seeded sample of the full set stands in for them.
"""

from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders.choice import letter, letter_compat
from scoring.graders.reasoning import answer_part, why
from scoring.rows import Row, find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_LETTERS = "ABCDEFGHIJ"
_SOURCE = "the test split of TIGER-Lab/MMLU-Pro (12,032 rows) as JSON lines"
_PROMPT = """Answer this multiple-choice question about {category}. Close your response with a line of the form 'Answer: $LETTER' (without the quotes), where LETTER is one of {letters}.

{question}

{options}

Think it through step by step before you answer."""  # noqa: E501


class MMLUPro(Benchmark):
    """The test questions of MMLU-Pro.

    Args:
        pad_options: show every question with ten options, those it has not as "None". The published prompts were made
            from a columnar table that filled them in like this; use it only to repeat those.
    """

    name = "mmlupro"
    source = Source(
        host="hub", repository="TIGER-Lab/MMLU-Pro", revision="b189ec765aa7ed75c8acfea42df31fdae71f97be",
        files={"test.jsonl": "data/test-00000-of-00001.parquet"},
        columns=("question_id", "question", "options", "answer", "answer_index", "category", "src"),
    )  # fmt: skip
    scorer_version = 2

    def __init__(self, pad_options: bool = False):
        self.pad_options = pad_options

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "mmlupro/test.jsonl", _SOURCE)
        rows = read_rows(path, {"question": str, "options": (list, dict), "answer": str, "category": str})
        return [_query(index, row, path) for index, row in enumerate(rows)]

    def prompt(self, query: Query) -> list[Message]:
        options: dict[str, str | None] = dict(query.metadata["options"])
        if self.pad_options:
            options = {key: options.get(key) for key in _LETTERS}
        content = _PROMPT.format(
            category=query.metadata["category"],
            letters="".join(options),
            question=query.text,
            options="\n".join(f"{key}. {option}" for key, option in options.items()),
        )
        return [{"role": "user", "content": content}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        prediction = letter(answer, query.metadata["options"])
        found = f"chose {prediction}" if prediction else "no letter"
        return Score(float(prediction == query.ground_truth), prediction, why(found, truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        prediction = letter_compat(text, "A-J")
        return Score(float(prediction == query.ground_truth), prediction)


def _query(index: int, row: Row, path: Path) -> Query:
    options = row["options"]
    if isinstance(options, list):
        options = dict(zip(_LETTERS, options, strict=False))
    options = {key: option for key, option in options.items() if option is not None}
    if len(row["options"]) > len(_LETTERS) or row["answer"] not in options:
        raise BenchmarkError(
            f"{path}, row {index}: the answer {row['answer']!r} is none of its {len(row['options'])} options, "
            f"of which there may be {len(_LETTERS)}; get the file again"
        )
    metadata = {key: row[key] for key in ("question_id", "category", "src") if key in row} | {"options": options}
    return Query(index, row["question"], row["answer"], metadata=metadata)
