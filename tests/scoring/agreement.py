"""How often our graders and the official verdict agree on real outputs of real models.

    python tests/scoring/agreement.py                          # a seeded sample of every matrix we can judge: 4 minutes
    python tests/scoring/agreement.py zeroeval mint/mint_math  # sources or matrices by name
    python tests/scoring/agreement.py --all --examples 5       # every row, and rows of each kind of disagreement
    python tests/scoring/agreement.py /data/mmlu=letter        # another matrix of this layout and its type of answer

A matrix is a folder with queries.parquet and results.parquet. Its outputs are judged by the type of its answers
(`answer_types`) and compared with its column `score`, both binary at 0.5. Disagreements are counted by kind
(`disagreements`), our verdict first: "1/0" is a row that we call right and the source wrong.
cases/agreement_labels.json says who was found right in a sample of them, read one by one; from that follows the last
column, how often our verdict is right if the source is wherever the two agree.
"""

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import pyarrow.parquet as parquet
from answer_types import TYPES, Row
from disagreements import kind
from read_cases import cases

from store.records import Score

DATA = Path(__file__).parents[2].parent / "shared" / "data"
MATRICES = {
    "zeroeval/gsm8k": "maths",
    "zeroeval/math_l5": "maths",
    "zeroeval/numersense_v2": "maths",
    "zeroeval/cruxeval_o": "literal",
    "financemath/financemath_cot": "amount",
    "financemath/financemath_pot": "program",
    "mint/mint_gsm8k": "maths",
    "mint/mint_math": "maths",
    "mint/mint_theoremqa": "theorem",
    "mint/mint_mmlu": "letter",
    "mint/mint_hotpotqa": "mention",
    "mint/mint_humaneval": "humaneval",
    "mint/mint_mbpp": "mbpp",
    "routerbench_part/arc_challenge": "letter",
    "routerbench_part/winogrande": "letter",
}
NOT_JUDGED = {
    "routerbench_part/mbpp": "neither tests nor function names are given, the verdict is a language model's",
    "mint/mint_alfworld": "a text game: the verdict is the state of the game",
    "eq_bench": "degrees of emotions, scored between 0 and 1",
    "bfcl_v1": "function calls",
}
SAMPLE = 1500
SAMPLE_OF_CODE = 100  # a program takes 0.3 s
_CODE = {"humaneval", "mbpp", "program"}


@dataclass(frozen=True)
class Judged:
    """Rows of a matrix and what we say of them."""

    matrix: str
    rows: Sequence[Row]
    scores: Sequence[Score]

    def verdicts(self) -> Counter[tuple[bool, bool]]:
        """How often which pair of verdicts came, ours first."""
        return Counter(map(_verdicts, self.rows, self.scores))

    def agreement(self) -> float:
        return sum(n for (ours, theirs), n in self.verdicts().items() if ours == theirs) / len(self.rows)

    def disagreements(self) -> dict[tuple[bool, str], list[tuple[Row, Score]]]:
        """Rows and scores by our verdict and the kind of the disagreement."""
        found = defaultdict(list)
        for row, score in zip(self.rows, self.scores, strict=True):
            ours, theirs = _verdicts(row, score)
            if ours != theirs:
                found[ours, kind(self.matrix, row, score)].append((row, score))
        return found


def _verdicts(row: Row, score: Score) -> tuple[bool, bool]:
    return score.value >= 0.5, row["score"] >= 0.5


def judge(matrix: str, answer_type: str, n_rows: int | None, pool: ProcessPoolExecutor, seed: int = 0) -> Judged:
    """Judge a seeded sample of a matrix, or all of it."""
    rows = read(matrix)
    if n_rows is not None and n_rows < len(rows):
        rows = random.Random(seed).sample(rows, n_rows)
    return Judged(matrix, rows, list(pool.map(_score, repeat(answer_type), rows, chunksize=8)))


def _score(answer_type: str, row: Row) -> Score:
    return TYPES[answer_type](row)


def read(matrix: str) -> list[Row]:
    """The rows of a matrix that have an output and a gold answer."""
    folder = DATA / matrix
    queries = {query["index"]: query for query in parquet.read_table(folder / "queries.parquet").to_pylist()}
    results = parquet.read_table(folder / "results.parquet").to_pylist()
    golds = _golds(queries.values(), results)
    rows = [
        {
            "prediction": None,
            "error": None,
            **queries[result["index"]],
            **result,
            "ground_truth": golds[result["index"]],
        }
        for result in results
        if result.get("raw_output") is not None and golds.get(result["index"])
    ]
    if matrix.startswith("mint/"):  # dialogues: the response is the last turn, which their `prediction` holds
        rows = [row | {"raw_output": row["prediction"]} for row in rows]
    return rows


def _golds(queries: Iterable[Row], results: Iterable[Row]) -> dict[int, str]:
    """Gold answer by index; where there are none, the letter in most outputs that the source calls right."""
    golds = {query["index"]: query.get("ground_truth") for query in queries}
    if any(golds.values()):
        return golds
    letters = defaultdict(Counter)
    for result in results:
        if result["score"] >= 0.5:
            letters[result["index"]][result["raw_output"].strip()[:1]] += 1
    return {index: counted.most_common(1)[0][0] for index, counted in letters.items()}


def labelled(judged: Judged) -> tuple[int, float] | None:
    """How many disagreements of a matrix have been read, and in which share of them our verdict was right."""
    right = [who == "ours" for matrix, _, _, who, _ in cases("agreement_labels") if matrix == judged.matrix]
    return (len(right), sum(right) / len(right)) if right else None


def report(judged: Judged, n_examples: int) -> None:
    verdicts, agreement = judged.verdicts(), judged.agreement()
    labels = labelled(judged)
    adjusted = f"{agreement + (1 - agreement) * labels[1]:>9.2%}" if labels else f"{'':>9}"
    print(
        f"{judged.matrix:<32}{len(judged.rows):>8}{agreement:>9.2%}{verdicts[True, False]:>8}{verdicts[False, True]:>8}"
        f"{labels[0] if labels else 0:>7}{adjusted}",
        flush=True,
    )
    for (ours, why), found in sorted(judged.disagreements().items(), key=lambda item: -len(item[1])):
        print(f"    {len(found):>5}  {'1/0' if ours else '0/1'}  {why}")
        for row, score in found[:n_examples]:
            gold, end = str(row["ground_truth"])[-60:], row["raw_output"][-200:]
            print(
                f"           {row['model']} {row['index']}: gold {gold!r}, ours {score.prediction[-80:]!r}, … {end!r}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("matrices", nargs="*", help="source, source/dataset, or folder=type of answer")
    parser.add_argument("--all", action="store_true", help="every row instead of a sample")
    parser.add_argument("--examples", type=int, default=0, help="rows to show of each kind of disagreement")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    chosen = dict(name.rsplit("=", 1) for name in arguments.matrices if "=" in name)
    names = [name for name in arguments.matrices if "=" not in name]
    if names or not chosen:
        chosen |= {one: of for one, of in MATRICES.items() if not names or any(one.startswith(name) for name in names)}
    print(f"{'matrix':<32}{'rows':>8}{'agree':>9}{'1/0':>8}{'0/1':>8}{'read':>7}{'right':>9}")
    with ProcessPoolExecutor(arguments.workers) as pool:
        for matrix, answer_type in chosen.items():
            n_rows = None if arguments.all else SAMPLE_OF_CODE if answer_type in _CODE else SAMPLE
            report(judge(matrix, answer_type, n_rows, pool), arguments.examples)
    if not arguments.matrices:
        print("not judged:", *(f"{name} ({why})" for name, why in NOT_JUDGED.items()), sep="\n    ")


if __name__ == "__main__":
    main()
