"""Means of scores and costs over groups of queries, missing pairs left out.

A mean over nothing is NaN here, never 0: a model without evidence must not look bad, good or free.
"""

import numpy as np
from numpy.typing import NDArray


def group_mean(value: NDArray[np.float64], group: NDArray[np.int64], n_groups: int) -> NDArray[np.float64]:
    """Mean of every column within each group of rows.

    Args:
        value: [n_rows, n_columns], NaN where missing.
        group: number of each row's group, in [0, n_groups), [n_rows].

    Returns:
        float64 [n_groups, n_columns]; NaN where a group has no value in a column.
    """
    member = (group == np.arange(n_groups)[:, None]).astype(np.float64)  # [n_groups, n_rows]
    known = ~np.isnan(value)
    return mean_of(member @ np.where(known, value, 0.0), member @ known)


def overall_mean(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of every column over all rows, float64 [n_columns]; NaN where a column has no value."""
    return group_mean(value, np.zeros(len(value), dtype=np.int64), 1)[0]


def macro_mean(per_group: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unweighted mean over groups, comparable between columns.

    A column that misses a group is averaged over an easier or harder set than the others. So only columns with
    the most groups get a mean: those that have them all wherever there is one (LLMRouterBench, AvgAcc).

    Args:
        per_group: means within groups, [n_groups, n_columns], NaN where there is none.

    Returns:
        float64 [n_columns]; NaN for the columns left out.
    """
    n_covered = (~np.isnan(per_group)).sum(axis=0)
    return np.where(n_covered == n_covered.max(), overall_mean(per_group), np.nan)


def mean_of(total: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """`total / weight`, NaN where the weight is 0."""
    return np.divide(total, weight, out=np.full(np.shape(total), np.nan), where=weight > 0)


def as_utility(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means as utilities: a model without one (NaN) must not be chosen (-inf)."""
    return np.where(np.isnan(mean), -np.inf, mean)
