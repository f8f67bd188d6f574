"""The part of the training split that chooses an epoch or a trade-off, and the figure it chooses by."""

import numpy as np
from numpy.typing import NDArray

from routers.averages import group_mean


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


def mean_reward(
    utility: NDArray[np.float64], reward: NDArray[np.float64], benchmark: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What it earns to choose by utility: AvgAcc, the unweighted mean over benchmarks, where the reward is the score.

    Args:
        utility: [n_trade_offs, n_queries, n_models], -inf where a model must not be chosen.
        reward: [n_queries, n_models], NaN where missing; such a pair is not chosen here, and a query that leaves
            nothing to choose does not count.
        benchmark: number of each query's benchmark, [n_queries].

    Returns:
        float64 [n_trade_offs]; NaN if no query counts.
    """
    counts, choice = choose_present(utility, reward)
    if not counts.size:
        return np.full(len(utility), np.nan)
    earned = np.take_along_axis(reward[counts], choice.T, axis=1)  # [n_counted, n_trade_offs]
    numbers, group = np.unique(benchmark[counts], return_inverse=True)
    return group_mean(earned, group, len(numbers)).mean(axis=0)


def choose_present(
    utility: NDArray[np.float64], reward: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The choice by utility among the pairs whose reward is known.

    Args:
        utility: [n_trade_offs, n_queries, n_models], -inf where a model must not be chosen.
        reward: [n_queries, n_models], NaN where missing.

    Returns:
        Numbers of the queries that leave something to choose, [n_counted], and the models chosen for them,
        [n_trade_offs, n_counted].
    """
    utility = np.where(np.isnan(reward), -np.inf, utility)
    counts = np.flatnonzero((utility > -np.inf).any(axis=(0, 2)))
    return counts, utility[:, counts].argmax(axis=2)
