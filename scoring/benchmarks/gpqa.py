"""GPQA: the 198 questions of its diamond set, in biology, chemistry and physics, four options each.

Data: gpqa_diamond.csv of Idavidrein/gpqa (CC-BY-4.0), here <data_dir>/gpqa/gpqa_diamond.csv. Its authors ask that no
question be shown in plain text, so this is only the shape of a row:

    Question, Correct Answer, Incorrect Answer 1, Incorrect Answer 2, Incorrect Answer 3, High-level domain,
    Subdomain, Record ID, …

The options are put in an order that follows from the record's id alone. The order that the published tables used is not
known.

Answer: the letter that `scoring.graders.choice.letter` finds after the reasoning, compared with the gold letter. The
published rule is `letter_compat` over A to D (LLMRouterBench, section GPQA).
"""

from hashlib import sha256
from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.csv_rows import read_csv
from scoring.graders.choice import letter, letter_compat
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file
from scoring.source import Source
from store.records import Message, Query, Score

_ANSWERS = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
_SOURCE = "gpqa_diamond.csv (198 rows) of Idavidrein/gpqa, given out after consent to its terms"
_PROMPT = """The following is a multiple-choice question. Close your response with a line of the form 'Answer: $LETTER' (without the quotes), where LETTER is one of ABCD. Think it through step by step before you answer.

{question}

{options}"""  # noqa: E501


class GPQA(Benchmark):
    """The diamond set of GPQA."""

    name = "gpqa"
    source = Source(
        host="hub", repository="Idavidrein/gpqa", revision="main", files={"gpqa_diamond.csv": "gpqa_diamond.csv"},
        needs_consent=True,
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "gpqa/gpqa_diamond.csv", _SOURCE)
        queries = []
        for index, row in enumerate(read_csv(path, ("Question", "Record ID", "High-level domain", *_ANSWERS))):
            columns = sorted(_ANSWERS, key=lambda column: sha256(f"{row['Record ID']}/{column}".encode()).digest())
            options = {key: row[column].strip() for key, column in zip("ABCD", columns, strict=True)}
            if not row["Question"].strip() or not all(options.values()):
                raise BenchmarkError(f"{path}, row {index}: no question, or an empty option; get the file again")
            gold = "ABCD"[columns.index("Correct Answer")]
            metadata = {"id": row["Record ID"], "domain": row["High-level domain"], "options": options}
            queries.append(Query(index, row["Question"].strip(), gold, metadata=metadata))
        return queries

    def prompt(self, query: Query) -> list[Message]:
        options = "\n".join(f"{key}) {option}" for key, option in query.metadata["options"].items())
        return [{"role": "user", "content": _PROMPT.format(question=query.text, options=options)}]

    def score(self, query: Query, text: str) -> Score:
        answer, truncated = answer_part(text)
        prediction = letter(answer, query.metadata["options"])
        found = f"chose {prediction}" if prediction else "no letter"
        return Score(float(prediction == query.ground_truth), prediction, why(found, truncated))

    def score_compat(self, query: Query, text: str) -> Score:
        prediction = letter_compat(text, "A-D")
        return Score(float(prediction == query.ground_truth), prediction)
