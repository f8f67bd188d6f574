"""Our graders agree with official verdicts on real outputs as often as they did when this was written.

Floors are what `agreement.py` measured on 1,500 outputs, less about three standard errors of the smaller samples here.
What is missing to 100 % is mostly a source's own rule; the script names and counts it.
"""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pyarrow
import pytest
from agreement import DATA, MATRICES, judge, labelled, read
from answer_types import TYPES
from pyarrow import parquet
from read_cases import cases

FLOORS = {
    "zeroeval/gsm8k": 0.98, "zeroeval/math_l5": 0.98, "zeroeval/numersense_v2": 0.98, "zeroeval/cruxeval_o": 0.96,
    "financemath/financemath_cot": 0.94, "mint/mint_gsm8k": 0.92, "mint/mint_math": 0.91, "mint/mint_theoremqa": 0.92,
    "mint/mint_mmlu": 0.78, "mint/mint_hotpotqa": 0.93, "mint/mint_humaneval": 0.80, "mint/mint_mbpp": 0.90,
    "routerbench_part/arc_challenge": 0.99, "routerbench_part/winogrande": 0.98,
}  # fmt: skip


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2) as workers:
        yield workers


@pytest.mark.slow
@pytest.mark.parametrize("matrix", FLOORS)
def test_graders_agree_with_the_official_verdict(matrix, pool):
    if not (DATA / matrix).exists():
        pytest.skip(f"{matrix} is not here")
    n_rows = 30 if MATRICES[matrix] in ("humaneval", "mbpp") else 300
    assert judge(matrix, MATRICES[matrix], n_rows, pool).agreement() >= FLOORS[matrix]


def test_every_matrix_has_a_known_type_of_answer():
    assert FLOORS.keys() <= MATRICES.keys()
    assert set(MATRICES.values()) <= TYPES.keys()


def test_labels_name_rows_once_and_one_of_three_verdicts():
    labels = cases("agreement_labels")
    assert {matrix for matrix, *_ in labels} <= MATRICES.keys()
    assert {who for *_, who, _ in labels} == {"ours", "theirs", "open"}
    assert max(Counter(label[:3] for label in labels).values()) == 1


def write(folder, queries, results):
    for name, rows in (("queries", queries), ("results", results)):
        parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{name}.parquet")


def test_any_matrix_can_be_judged(tmp_path, pool):
    outputs = (("\\boxed{5}", 1.0), ("The answer is 6.", 0.0), ("5, I guess", 0.0), (None, 0.0))
    results = [{"model": "a", "index": 3, "raw_output": output, "score": score} for output, score in outputs]
    write(tmp_path, [{"index": 3, "query": "2 + 3?", "ground_truth": "5"}], results)
    judged = judge(str(tmp_path), "maths", None, pool)
    assert judged.verdicts() == {(True, True): 1, (False, False): 1, (True, False): 1}
    assert judged.agreement() == pytest.approx(2 / 3)
    assert [ours for ours, _ in judged.disagreements()] == [True]
    assert labelled(judged) is None


def test_without_gold_answers_the_letter_of_right_outputs_counts(tmp_path):
    outputs = (("B) y", 1.0, 0), ("B", 1.0, 0), ("A", 0.0, 0), ("A", 0.0, 1))
    results = [{"model": "a", "raw_output": output, "score": score, "index": index} for output, score, index in outputs]
    write(tmp_path, [{"index": index, "query": "A) x\nB) y"} for index in (0, 1)], results)
    assert [row["ground_truth"] for row in read(str(tmp_path))] == ["B", "B", "B"]


ONE = "def one():\n    return 1"
CHECK = "\ndef check(candidate):\n    assert candidate() == 1\n\ncheck(one)\n"


@pytest.mark.parametrize(
    ("answer_type", "query", "gold", "output", "value"),
    [
        ("maths", "?", "0.5", "\\boxed{\\frac{1}{2}}", 1),
        ("letter", "Which?\nOptions: a ) one , b ) two , c ) three", "b", "<answer>two</answer>", 1),
        ("letter", "Which?\nA) one\nB) two\nPrint only a letter.", "B", "A) one", 0),
        ("amount", "What margin?", "0.571", "Therefore, the answer is 57.12%.", 1),
        ("amount", "What price?", "92.383", "The answer is $91.81.", 0),
        ("theorem", "True or False?", "false", "The answer is False.", 1),
        ("theorem", "Which? Options: a ) one , b ) two. Output format required: option.", "b", "Answer: b", 1),
        ("theorem", "How far?", "5.65", "<solution> 5.725 meters </solution>", 1),
        ("theorem", "Which two?", "[1, 2]", "<solution> [1, 2] </solution>", 1),
        ("mention", "Who?", "george cayley", "The answer is Sir George Cayley.", 1),
        ("mention", "Who?", "no", "The answer is nobody.", 0),
        ("literal", "f()", "{1: 'a'}", '{"answer": "{1: \\"a\\"}"}', 1),
        ("literal", "f()", "'a b'", '{"answer": "a b"}', 1),
        ("literal", "f()", "'[1]'", '{"answer": "[2]"}', 0),
        ("humaneval", "Complete the following code:\n\ndef one():\n    ''' 1 '''", CHECK, f"```python\n{ONE}\n```", 1),
        ("mbpp", "Write one.", "assert one() == 1\nassert one() == 2", f"<solution>\n{ONE}\n</solution>", 0),
        ("program", "What share?", "0.25", "    return 25\n```\nThat is all.", 1),
    ],
)
def test_types_of_answers(answer_type, query, gold, output, value):
    row = {"dataset": "made up", "query": query, "ground_truth": gold, "raw_output": output}
    assert TYPES[answer_type](row).value == value
