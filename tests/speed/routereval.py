"""RouterEval's size, 8,500 models on 24,000 queries or 204 million scores: groups, scaling curve, time and memory.

    python tests/speed/routereval.py

The scores are made up: models of different skill on queries of different difficulty, with luck, uint8 packed into bits
block by block. Beside it, on the same scores and the same run, what a plain loop over records and what the reference's
way of computing take, measured on a small part and multiplied up: the reference (`get_router_dataset.py`) reads float64
[n_models, n_queries], takes the maximum of one window or draw after the other, and simulates a thousand groups for a
point of the scaling curve. Its time is that of the same NumPy calls on a hundredth of the queries, times a hundred:
less than it would really take, for the small part fits the processor's cache.
"""

import platform
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from scoring.candidate_groups import GROUPS, SIZES, choose_groups
from scoring.scaling import scaling_curve
from store.given_split import split_per_subtask
from store.layout import Layout
from store.score_matrix import ScoreMatrix, read_score_matrix, write_score_matrix

N_MODELS, N_QUERIES, BLOCK = 8500, 24_000, 250
CANDIDATES = (1, 3, 5, 10, 30, 100, 300, 1000, 3000, 8500)
P = (0.0, 0.25, 0.5, 0.75, 1.0)
PART = 100  # of the queries, for what is multiplied up
N_DRAWS = 1000


def synthetic() -> ScoreMatrix:
    rng = np.random.default_rng(0)
    skill, difficulty = rng.normal(0.0, 1.2, N_MODELS).astype(np.float32), rng.normal(0.0, 1.5, N_QUERIES)
    blocks = []
    for start in range(0, N_MODELS, BLOCK):
        chance = 1 / (1 + np.exp(difficulty.astype(np.float32) - skill[start : start + BLOCK, None]))
        score = (rng.random(chance.shape, np.float32) < chance).astype(np.uint8)
        blocks.append(np.packbits(score, axis=1))
    names = tuple(f"model-{number}" for number in range(N_MODELS))
    return ScoreMatrix(names, N_QUERIES, True, np.concatenate(blocks))


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def timed(what, call, n_runs=5):
    """Result and median seconds."""
    seconds = []
    for _ in range(n_runs):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    median, low, high = np.median(seconds), min(seconds), max(seconds)
    print(f"{what:<60}{median:>7.2f} s ({low:.2f} – {high:.2f})   peak {peak_gb():.2f} GB", flush=True)
    return result, median


def plain_loop_s(matrix: ScoreMatrix) -> float:
    """Seconds that a loop over records takes for one look at every score, here for the mean of every model."""
    part = matrix.rows(slice(0, 100)).astype(np.float64)
    records = [{"model": m, "score": part[m, q]} for m in range(20) for q in range(N_QUERIES)]
    start = time.perf_counter()
    total: dict[int, float] = {}
    for record in records:
        total[record["model"]] = total.get(record["model"], 0.0) + record["score"]
    return (time.perf_counter() - start) / len(records) * N_MODELS * N_QUERIES


def reference_s(matrix: ScoreMatrix) -> dict[str, float]:
    """Seconds of the reference's NumPy calls for windows and draws of all sizes, and for seven points of the curve."""
    n_region = N_MODELS // 5
    part = np.unpackbits(matrix.values[:n_region, : N_QUERIES // PART // 8], axis=1).astype(np.float64)
    rng = np.random.default_rng(0)

    def oracle_s(pick) -> float:
        picks = [pick() for _ in range(20)]
        start = time.perf_counter()
        for rows in picks:
            np.mean(np.max(part[rows], axis=0))
        return (time.perf_counter() - start) / len(picks) * PART

    def window(size):
        first = int(rng.integers(0, n_region - size + 1))
        return slice(first, first + size)

    return {
        "windows": sum(2 * (n_region - m + 1) * oracle_s(lambda m=m: window(m)) for m in SIZES),
        "draws": sum(N_DRAWS * oracle_s(lambda m=m: rng.integers(0, n_region, m)) for m in SIZES),
        "scaling": sum(N_DRAWS * oracle_s(lambda m=m: rng.integers(0, n_region, m)) for m in CANDIDATES[1:8]),
    }


def main() -> None:
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    matrix, _ = timed("scores made up", synthetic, 1)
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        timed("written to the store", lambda: write_score_matrix(layout, "b", matrix, {}))
        size_mb = layout.score_matrix("b").stat().st_size / 1e6
        matrix, read_s = timed(f"read again, {size_mb:.0f} MB on disk", lambda: read_score_matrix(layout, "b"))
    _, mean_s = timed("mean of every model", lambda: matrix.total(matrix.values) / N_QUERIES)
    part, _ = split_per_subtask([N_QUERIES], 42)
    counted = {"train": part == 0, "published": np.ones(N_QUERIES, bool)}
    group_s = {}
    for rule, rows in counted.items():
        call = lambda rows=rows: choose_groups(matrix, SIZES, rows, split_per_subtask([N_QUERIES], 42)[1])  # noqa: E731
        what = f"{len(SIZES) * len(GROUPS)} groups of {', '.join(map(str, SIZES))} models, rule {rule}"
        groups, group_s[rule] = timed(what, call)
    oracle = {key: matrix.rows(models).max(axis=0).mean() for key, models in groups.items()}
    curve, curve_s = timed(
        f"scaling curve, {len(CANDIDATES)} sizes x {len(P)} p", lambda: scaling_curve(matrix, CANDIDATES, P)
    )
    print(f"everything {read_s + mean_s + sum(group_s.values()) + curve_s:.1f} s, peak {peak_gb():.2f} GB")
    for size in SIZES:
        print(f"  m = {size:<5}" + ", ".join(f"{name} {oracle[size, name]:.3f}" for name in GROUPS)
              + f", a random group {curve[CANDIDATES.index(size), -1]:.3f}")  # fmt: skip
    loop, reference = plain_loop_s(matrix), reference_s(matrix)
    print("multiplied up from a small part:")
    print(f"  plain loop over records, one look at every score    {loop:>9.0f} s")
    for what, seconds in reference.items():
        print(f"  the reference's calls, {what:<10}                   {seconds:>9.0f} s")
    chosen = (reference["windows"] + reference["draws"]) / group_s["published"]
    print(
        f"groups {chosen:.0f} times, curve {reference['scaling'] / curve_s:.0f} times as fast as the reference's calls"
    )
    print(f"means {loop / mean_s:.0f} times as fast as the loop")


if __name__ == "__main__":
    main()
