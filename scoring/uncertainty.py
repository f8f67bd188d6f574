"""Intervals and p-values of quantities that are means over the tested queries, or ratios of such means.

Each is linearised: a quantity is its estimate and its influence, how far it moves per unit of each query's weight
(`scoring.bootstrap`). A ratio a / b moves by da / b − a db / b², so gains and savings get their intervals from the same
resamples as the accuracies they are made of, and stay paired with them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from scoring.bootstrap import deviations, percentile_interval
from scoring.metrics import Floats, Integers, gain, group_sum

LEVEL = 0.95  # of every interval
_N_DIGITS = 9  # further ones depend on the machine's matrix product, not on the data


class Quantity(NamedTuple):
    """Estimates of n contenders, and how far each moves per unit of each query's weight.

    Attributes:
        estimate: [n], NaN where there is none.
        influence: [n_queries, n] in the unit of the estimate; it sums to 0 over the queries of every benchmark.
    """

    estimate: Floats
    influence: Floats

    def of(self, numbers: Sequence[int]) -> "Quantity":
        """These contenders."""
        return Quantity(self.estimate[numbers], self.influence[:, numbers])


def minus(a: Quantity, b: Quantity) -> Quantity:
    """a − b, each contender from its partner, or all from one."""
    return Quantity(a.estimate - b.estimate, a.influence - b.influence)


def over(a: Quantity, b: Quantity) -> Quantity:
    """a / b, each contender by its partner, or all by one; NaN where b is not above 0."""
    divisor = np.where(b.estimate > 0, b.estimate, np.nan)
    ratio = a.estimate / divisor
    return Quantity(ratio, (a.influence - ratio * b.influence) / divisor)


def total(value: Sequence[Floats], rows: Sequence[Integers], benchmark: Integers, n_benchmarks: int) -> Quantity:
    """Sum over the test queries, averaged over seeds: cost.

    Args:
        value: per seed [n, n_test]; a NaN makes that contender's sum NaN.
        rows: per seed int [n_test], row numbers. benchmark: int [n_queries].
    """
    per_query = np.zeros((len(benchmark), len(value[0])))
    for x, test in zip(value, rows, strict=True):
        per_query[test] += x.T / len(value)
    tested = np.unique(np.concatenate(rows))
    group = benchmark[tested]
    count = np.maximum(1, np.bincount(group, minlength=n_benchmarks))
    mean = group_sum(per_query[tested].T, group, n_benchmarks) / count  # [n, n_benchmarks]
    influence = np.zeros_like(per_query)
    influence[tested] = per_query[tested] - mean.T[group]
    return Quantity(np.mean([x.sum(axis=1) for x in value], axis=0), influence)


def mean_gain(
    accuracy: Floats, influence: Floats, benchmark: Integers, base: int, benchmarks: Sequence[str]
) -> Quantity:
    """Gain over a base (`scoring.metrics.gain`): Gain@R, Gain@B, and with the sign turned Gap@O.

    Args:
        accuracy: [n, n_benchmarks] in [0, 1]. influence: of AvgAcc, [n_queries, n], from `bootstrap.influence`.
        benchmark: int [n_queries]. base: number of the contender that all are compared with.
        benchmarks: names of the columns.
    """
    estimate = gain(accuracy, accuracy[base], benchmarks).mean
    defined = accuracy[base] > 0
    if not defined.any():
        return Quantity(estimate, np.zeros_like(influence))
    divisor = np.where(defined, accuracy[base], np.nan)
    ratio = accuracy / divisor
    moved = (influence - ratio.T[benchmark] * influence[:, [base]]) / divisor[benchmark, None]
    scale = accuracy.shape[1] / defined.sum()  # the influence is of a mean over all benchmarks
    return Quantity(estimate, np.where(defined[benchmark, None], scale * moved, 0.0))


def intervals(
    quantities: Mapping[str, Quantity], rows: Sequence[Integers], benchmark: Integers,
    *, n_resamples: int, seed: int,
) -> dict[str, Floats]:  # fmt: skip
    """Percentile intervals of every quantity from the same resamples of the tested queries.

    Args:
        rows: per seed int [n_test], row numbers of the test queries. benchmark: int [n_queries].

    Returns:
        Name -> [n, 2], to nine digits, NaN where there is no estimate.
    """
    tested = np.unique(np.concatenate(rows))
    effect = np.concatenate([quantity.influence for quantity in quantities.values()], axis=1)[tested]
    moved = deviations(effect, benchmark[tested], n_resamples=n_resamples, seed=seed)
    ends = np.cumsum([len(quantity.estimate) for quantity in quantities.values()])[:-1]
    parts = np.split(moved, ends, axis=1)
    return {
        name: rounded(percentile_interval(quantity.estimate, part, LEVEL))
        for (name, quantity), part in zip(quantities.items(), parts, strict=True)
    }


def rounded(value: Floats) -> Floats:
    """To nine significant digits, any shape."""
    return np.array([float(f"{x:.{_N_DIGITS}g}") for x in value.ravel().tolist()]).reshape(value.shape)


def seed_interval(value: Floats) -> Floats:
    """Student's interval of a mean over seeds: the luck of splits and of fits, which queries' resamples do not hold.

    Args:
        value: [n_seeds, n], for example differences to Best Single, paired by seed.

    Returns:
        [n, 2]; NaN with less than two seeds.
    """
    from scipy.stats import t

    n_seeds = len(value)
    if n_seeds < 2:
        return np.full((value.shape[1], 2), np.nan)
    half = t.ppf((1 + LEVEL) / 2, n_seeds - 1) * value.std(axis=0, ddof=1) / np.sqrt(n_seeds)
    return value.mean(axis=0)[:, None] + half[:, None] * np.array([-1.0, 1.0])
