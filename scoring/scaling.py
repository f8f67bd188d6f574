"""Model-level scaling: how good the router r_o(p) is expected to be with m candidates out of n models, in closed form.

r_o(p) takes a best candidate with probability p and any of them otherwise (arXiv 2503.10657, spec A12.6). Over all
groups of m models out of n, equally likely, a query that k models answer is missed by all with probability
C(n - k, m) / C(n, m), hence E[best] is known without drawing a group; the reference simulates a thousand.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from store.score_matrix import ScoreMatrix

Floats = NDArray[np.float64]


def miss_probability(n_models: int, sizes: Sequence[int]) -> Floats:
    """Probability that a random group has none of k given models, for k from 0 to n, [n_sizes, n_models + 1].

    Args:
        sizes: m, each from 1 to n_models.

    Raises:
        ValueError: a size lies outside.
    """
    m = np.asarray(sizes)[:, None]
    if (m < 1).any() or (m > n_models).any():
        raise ValueError(f"groups of {', '.join(map(str, sizes))} out of {n_models} models")
    k = np.arange(n_models)
    factor = np.maximum(n_models - m - k, 0) / (n_models - k)  # that the next of the k is not in the group either
    return np.concatenate([np.ones((len(m), 1)), np.cumprod(factor, axis=1)], axis=1)


def expected_best(matrix: ScoreMatrix, sizes: Sequence[int]) -> Floats:
    """Oracle accuracy that a random group of each size is expected to have, [n_sizes] in [0, 1]."""
    n_models = len(matrix.models)
    if matrix.is_binary:
        n_right = sum(block.sum(axis=0, dtype=np.int64) for block in matrix.blocks())
        n_queries = np.bincount(n_right, minlength=n_models + 1)
        return (1.0 - miss_probability(n_models, sizes)) @ n_queries / matrix.n_queries
    descending = np.zeros(n_models)  # sums over queries of the best, the second best, … score
    for start in range(0, matrix.n_queries, 64):
        descending += np.sort(matrix.values[:, start : start + 64], axis=0)[::-1].sum(axis=1, dtype=np.float64)
    return best_of_random(descending / matrix.n_queries, sizes)


def best_of_random(descending: Floats, sizes: Sequence[int]) -> Floats:
    """Best score that a random group of models is expected to have, [n_sizes].

    It is the i-th best score of all if the group misses the i - 1 better models but not the i best, so its chance is
    the difference of two miss probabilities.

    Args:
        descending: mean over queries of the best, the second best, … score, [n_models].
    """
    return -np.diff(miss_probability(len(descending), sizes), axis=1) @ descending


def scaling_curve(matrix: ScoreMatrix, sizes: Sequence[int], p: Sequence[float]) -> Floats:
    """Expected mu_o of r_o(p) with m candidates, [n_sizes, n_p] in [0, 1].

    Args:
        sizes: numbers of candidates m. p: probabilities of a best candidate, each in [0, 1].
    """
    mean = matrix.total(matrix.values).mean() / matrix.n_queries  # of a random candidate, whatever m is
    probability = np.asarray(p, np.float64)
    return expected_best(matrix, sizes)[:, None] * probability + mean * (1.0 - probability)
