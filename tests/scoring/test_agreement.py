"""Our graders agree with official verdicts on real outputs as often as they did when this was written.

Floors are what `agreement.py` measured on 1,500 outputs, less about three standard errors of the smaller samples here.
What is missing to 100 % is mostly a source's own rule; the script names and counts it.
"""

from concurrent.futures import ProcessPoolExecutor

import pytest

pytest.importorskip("pyarrow")
from agreement import DATA, MATRICES, judge

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
