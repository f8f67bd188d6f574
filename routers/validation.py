"""The part of the training split that chooses an epoch, a threshold or a trade-off."""

import numpy as np
from numpy.typing import NDArray


def held_out(benchmark: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Which training queries are held out: about the given share of every benchmark, bool [n_queries].

    Each benchmark has a random stream of its own, so adding one does not move the others. One with so few queries that
    the share rounds to none is trained on entirely.

    Args:
        benchmark: number of each query's benchmark, [n_queries].
    """
    mask = np.zeros(len(benchmark), bool)
    for number in np.unique(benchmark).tolist():
        rows = np.random.default_rng([seed, number]).permutation(np.flatnonzero(benchmark == number))
        mask[rows[: round(share * len(rows))]] = True
    return mask
