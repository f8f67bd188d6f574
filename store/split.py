"""Training and test queries: 70/30 per benchmark, by unique prompt.

Two rules. `independent`, the default, gives every benchmark its own random stream, so that adding or renaming one
does not move the split of the others. `reference` is the one the published tables were made with: a single stream
runs through the benchmarks in their order (LLMRouterBench, `data_loader.py`).
"""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RULES = ("independent", "reference")


def train_mask(
    benchmarks: Sequence[str],
    benchmark: NDArray[np.int64],
    prompt_group: NDArray[np.int64],
    *,
    seed: int,
    train_share: float = 0.7,
    rule: str = "independent",
) -> NDArray[np.bool_]:
    """Which queries are for training, bool [n_queries].

    Args:
        benchmarks: names, in the order of their numbers.
        benchmark: number of each query's benchmark, [n_queries]; rows ascending by index inside a benchmark.
        prompt_group: equal numbers for equal prompts of a benchmark, [n_queries].
        seed: of the split.
        train_share: share of unique prompts for training, rounded down as the reference does (0.7 of 700 is 489).
        rule: "independent" or "reference".
    """
    if rule not in RULES:
        raise ValueError(f"split rule {rule!r}; valid: {', '.join(RULES)}")
    shared = random.Random(seed)
    mask = np.zeros(len(benchmark), bool)
    for number, name in enumerate(benchmarks):
        rows = np.flatnonzero(benchmark == number)
        _, first, inverse = np.unique(prompt_group[rows], return_index=True, return_inverse=True)
        by_appearance = np.argsort(first, kind="stable")  # unique prompts in order of their lowest index
        order = list(range(len(first)))
        (shared if rule == "reference" else random.Random(f"{seed}/{name}")).shuffle(order)
        is_train = np.zeros(len(first), bool)
        is_train[by_appearance[order[: int(len(first) * train_share)]]] = True
        mask[rows] = is_train[inverse]
    return mask
