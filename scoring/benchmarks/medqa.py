"""MedQA: 1,273 questions of the United States medical licensing examination with four options each.

Data: the English test split with four options of the GitHub repository jind11/MedQA (MIT), there
phrases_no_exclude_test.jsonl, here <data_dir>/medqa/test.jsonl or test.jsonl.gz. A row, shortened:

    {"question": "A junior orthopaedic surgery resident is completing a carpal tunnel repair …",
     "answer": "Tell the attending that he cannot fail to disclose this mistake",
     "options": {"A": "Disclose the error to the patient …", "B": "Tell the attending …", "C": "Report …", "D": "…"},
     "meta_info": "step1", "answer_idx": "B", "metamap_phrases": ["junior orthopaedic surgery resident", …]}

Answer: the letter that `scoring.graders.choice.letter` finds after the reasoning, compared with the gold letter. The
published rule is `letter_compat` over A to D (LLMRouterBench, section MedQA).
"""

from pathlib import Path

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.graders.choice import letter, letter_compat
from scoring.graders.reasoning import answer_part, why
from scoring.rows import find_file, read_rows
from scoring.source import Source
from store.records import Message, Query, Score

_SOURCE = "phrases_no_exclude_test.jsonl (1,273 rows, four options) of the GitHub repository jind11/MedQA"
_PROMPT = """Answer this multiple-choice question. Close your response with a line of the form 'Answer: $LETTER' (without the quotes), where LETTER is one of ABCD.

{question}

{options}

Think it through step by step before you answer."""  # noqa: E501


class MedQA(Benchmark):
    """The test questions of MedQA with four options."""

    name = "medqa"
    source = Source(  # jind11/MedQA has it in an archive elsewhere; this copy has one more field
        host="github", repository="gersteinlab/medagents-benchmark", revision="f5e50b6",
        files={"test.jsonl": "data/medqa/test.jsonl"},
    )  # fmt: skip
    scorer_version = 2

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "medqa/test.jsonl", _SOURCE)
        fields = {"question": str, "options": dict, "answer": str, "answer_idx": str, "meta_info": str}
        queries = []
        for index, row in enumerate(read_rows(path, fields)):
            options, gold = row["options"], row["answer_idx"]
            if list(options) != list("ABCD") or options.get(gold) != row["answer"]:
                raise BenchmarkError(
                    f"{path}, row {index}: the answer {row['answer']!r} is not option {gold!r} of A to D; "
                    "get the file again"
                )
            metadata = {"step": row["meta_info"], "options": options}
            queries.append(Query(index, row["question"], gold, metadata=metadata))
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
