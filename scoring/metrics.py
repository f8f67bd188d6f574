"""Metrics of routing: pure functions over arrays, accuracies and USD in, accuracies and USD out.

Two rules hold everywhere. A NaN score is a pair that nobody has: it is left out of that model's mean and never
counts as 0. A NaN cost is a cost that nobody knows: whatever would need it is NaN and never cheaper for it.
Definitions follow LLMRouterBench (arXiv 2601.07206); where its code and its text differ, the docstring says which
one this is. Scores enter as they are, so a half right answer counts one half in every metric.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]

TIE = 1e-12  # two accuracies closer than this are equal: they differ by the rounding of their sums only


def group_sum(value: Floats, group: Integers, n_groups: int) -> Floats:
    """Sum of every row over each group of queries; a NaN makes its group's sum NaN.

    Every row is added up in the same order, so equal rows have bitwise equal sums whatever stands beside them (a matrix
    product does not promise that, and a constant router must tie with the model it is).

    Args:
        value: [..., n_queries], any unit.
        group: int [n_queries] in [0, n_groups), the benchmark of each query; fastest where it is sorted.

    Returns:
        [..., n_groups] in the unit of `value`; 0 for an empty group.
    """
    if (np.diff(group) < 0).any():
        order = np.argsort(group, kind="stable")
        value, group = value[..., order], group[order]
    total = np.zeros((*value.shape[:-1], n_groups))
    present, start = np.unique(group, return_index=True)
    if present.size:
        total[..., present] = np.add.reduceat(np.ascontiguousarray(value, np.float64), start, axis=-1)
    return total


def group_mean(value: Floats, group: Integers, n_groups: int) -> Floats:
    """Mean of every row over each group of queries, missing values left out: accuracy per benchmark.

    Args:
        value: [..., n_queries], NaN where missing.
        group: int [n_queries] in [0, n_groups), the benchmark of each query.

    Returns:
        [..., n_groups] in the unit of `value`; NaN where a row has no value in a group.
    """
    missing = np.isnan(value)
    if not missing.any():
        total = group_sum(value, group, n_groups)
        return _divide(total, np.broadcast_to(np.bincount(group, minlength=n_groups), total.shape))
    total = group_sum(np.where(missing, 0.0, value), group, n_groups)
    return _divide(total, group_sum((~missing).astype(np.float64), group, n_groups))


def avg_acc(accuracy: Floats, names: Sequence[str], benchmarks: Sequence[str]) -> Floats:
    """AvgAcc: the unweighted mean over benchmarks (LLMRouterBench, metric AvgAcc).

    The reference averages each row over the benchmarks that it has, which puts rows over nine and over ten
    benchmarks into one column. Here such a row is an error.

    Args:
        accuracy: [n, n_benchmarks] in [0, 1].
        names: of the n rows, for the message. benchmarks: names of the columns.

    Returns:
        [n] in [0, 1].

    Raises:
        ValueError: a row has no accuracy in some benchmark; the message names both.
    """
    missing = np.isnan(accuracy)
    if missing.any():
        gaps = "; ".join(
            f"{names[row]} has no score in {', '.join(benchmarks[i] for i in np.flatnonzero(missing[row]))}"
            for row in np.flatnonzero(missing.any(axis=1))
        )
        raise ValueError(
            f"AvgAcc compares rows over the same {len(benchmarks)} benchmarks, but {gaps}. "
            "Leave these rows out, or leave the benchmarks out for all"
        )
    return accuracy.mean(axis=1)


def take_choice(value: Floats, choice: Integers) -> Floats:
    """What the chosen model has at each query.

    Args:
        value: [n_queries, n_models]. choice: int [..., n_queries], model numbers.

    Returns:
        [..., n_queries]; NaN where the chosen pair is missing.
    """
    n_queries, n_models = value.shape
    return np.ascontiguousarray(value).ravel().take(choice + n_models * np.arange(n_queries))


def choice_cost(cost: Floats, choice: Integers, calls: Floats | None = None) -> Floats:
    """USD of each query under a choice of models.

    Args:
        cost: [n_queries, n_models] in USD, NaN unknown. choice: int [..., n_queries], model numbers.
        calls: how often every model is called for an answer by each of them, [..., n_models, n_models], the answering
            model first and the leading axes those of `choice`; None: it alone, once.

    Returns:
        [..., n_queries]; NaN where the cost of a model that is called is unknown.
    """
    if calls is None:
        return take_choice(cost, choice)
    n_calls = np.take_along_axis(calls, choice[..., None], axis=-2)  # [..., n_queries, n_models]
    return np.where(n_calls > 0, n_calls * cost, 0.0).sum(axis=-1)


def random_expectation(score: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """What a uniform choice among the models that have the query is expected to score and to cost, exactly.

    The reference draws one sample with the same stream for every seed, so its average over seeds does not
    approach this value (AIME: 15.56 printed, 30.67 expected).

    Args:
        score: [n_queries, n_models] in [0, 1], NaN missing. cost: the same shape, USD, NaN unknown.

    Returns:
        Expected score and expected USD, each [n_queries]; NaN where no model has the query, and for the cost where
        one of the models that have it has no known cost.
    """
    present = ~np.isnan(score)
    count = present.sum(axis=1).astype(np.float64)
    expected_score = _divide(np.where(present, score, 0.0).sum(axis=1), count)
    return expected_score, _divide(np.where(present, cost, 0.0).sum(axis=1), count)


def oracle(score: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """The best score of each query, and the cost of the cheapest model that reaches it.

    This is the score-Oracle: the published rows count a query as solved with any score above 0, which lifts
    benchmarks with half right answers (ArenaHard: 99.47).

    Args:
        score: [n_queries, n_models] in [0, 1], NaN missing. cost: the same shape, USD, NaN unknown.

    Returns:
        Best score and USD, each [n_queries]; NaN where no model has the query, and for the cost where one of the
        best models has no known cost.
    """
    best = best_score(score)
    cheapest = np.where(score == best[:, None], cost, np.inf).min(axis=1)
    return best, np.where(np.isnan(best), np.nan, cheapest)


def best_score(score: Floats) -> Floats:
    """The best score of each query, [n_queries]; NaN where no model has it. score: [n_queries, n_models]."""
    best = np.where(np.isnan(score), -np.inf, score).max(axis=1)
    return np.where(np.isneginf(best), np.nan, best)


def best_single(accuracy: Floats, models: Sequence[str], benchmarks: Sequence[str]) -> int:
    """Number of the model with the highest AvgAcc, the first of equals.

    From test accuracies it is the published Best Single, chosen in hindsight; from training accuracies it is the
    model that a person would have picked beforehand.

    Args:
        accuracy: [n_models, n_benchmarks] in [0, 1], no NaN.

    Raises:
        ValueError: a model lacks a benchmark (see `avg_acc`).
    """
    mean = avg_acc(accuracy, models, benchmarks)
    return int(np.flatnonzero(mean >= mean.max() - TIE)[0])


def dataset_oracle(accuracy: Floats, benchmarks: Sequence[str]) -> Integers:
    """Number of the best model of each benchmark, the first of equals.

    As in the published rows the maximum is taken over accuracies that are already averaged over seeds; the mean of
    each seed's maximum would be higher. Its cost is the sum of the chosen models' costs (the reference code prints
    the largest total of one model instead).

    Args:
        accuracy: [n_models, n_benchmarks] in [0, 1], averaged over seeds; NaN where a model lacks the benchmark.

    Returns:
        int [n_benchmarks].

    Raises:
        ValueError: no model has a benchmark; the message names it.
    """
    empty = np.isnan(accuracy).all(axis=0)
    if empty.any():
        raise ValueError(f"no model has a score in {', '.join(benchmarks[i] for i in np.flatnonzero(empty))}")
    return np.where(np.isnan(accuracy), -np.inf, accuracy).argmax(axis=0)


class Relative(NamedTuple):
    """Accuracies relative to a baseline's.

    Attributes:
        mean: [...], over the benchmarks where the baseline is above 0; NaN if there is none, or where a row lacks
            one of them. The undefined benchmarks are the same for every row, so rows stay comparable.
        per_benchmark: [..., n_benchmarks], NaN where the baseline is 0.
        undefined: names of the benchmarks where the baseline is 0. Report them beside the mean.
    """

    mean: Floats
    per_benchmark: Floats
    undefined: tuple[str, ...]


def gain(accuracy: Floats, baseline: Floats, benchmarks: Sequence[str]) -> Relative:
    """Gain: accuracy over the baseline's, minus 1, averaged over benchmarks (LLMRouterBench, Gain@R and Gain@B).

    Args:
        accuracy: [..., n_benchmarks] in [0, 1], averaged over seeds first: a mean of ratios per seed is another number.
        baseline: [n_benchmarks] likewise: Random for Gain@R, Best Single for Gain@B.

    Returns:
        Fractions: 0.05 is 5 % better than the baseline.
    """
    defined = baseline > 0
    ratio = _divide(accuracy, np.broadcast_to(baseline, accuracy.shape)) - 1.0
    mean = ratio[..., defined].mean(axis=-1) if defined.any() else np.full(accuracy.shape[:-1], np.nan)
    return Relative(mean, ratio, tuple(benchmarks[i] for i in np.flatnonzero(~defined)))


def gap(accuracy: Floats, oracle_accuracy: Floats, benchmarks: Sequence[str]) -> Relative:
    """Gap@O: 1 minus accuracy over the Oracle's, averaged over benchmarks; arguments and result as in `gain`."""
    mean, per_benchmark, undefined = gain(accuracy, oracle_accuracy, benchmarks)
    return Relative(-mean, -per_benchmark, undefined)


class Chosen(NamedTuple):
    """A metric's value and the number of the trade-off that it was taken at, -1 where none qualifies."""

    value: float
    configuration: int


def perf_gain(accuracy: Floats, best_single_accuracy: float) -> Chosen:
    """PerfGain: the best trade-off's AvgAcc over Best Single's, minus 1 (LLMRouterBench, θ*).

    θ* is chosen on the curve that is given; on the test curve, as published, the choice favours routers with many
    trade-offs.

    Args:
        accuracy: AvgAcc of each trade-off, [n_trade_offs] in [0, 1]; NaN where not comparable.

    Returns:
        A fraction and θ*, the first of equals; NaN if no trade-off is comparable or Best Single is 0.
    """
    if np.isnan(accuracy).all():
        return Chosen(math.nan, -1)
    best = int(np.flatnonzero(accuracy >= np.nanmax(accuracy) - TIE)[0])
    return Chosen(accuracy[best] / best_single_accuracy - 1.0 if best_single_accuracy > 0 else math.nan, best)


def cost_save(accuracy: Floats, cost: Floats, best_single_accuracy: float, best_single_cost: float) -> Chosen:
    """CostSave: 1 minus the cost of the cheapest trade-off that is as good as Best Single over its cost (θ†).

    Args:
        accuracy: AvgAcc of each trade-off, [n_trade_offs] in [0, 1]. cost: USD of the same, NaN unknown.

    Returns:
        A fraction and θ†; negative if even θ† is dearer. NaN and -1 if none is as good, or if a cost that the
        answer depends on is unknown.
    """
    able = np.flatnonzero(accuracy >= best_single_accuracy - TIE)
    if able.size == 0 or np.isnan(cost[able]).any() or not best_single_cost > 0:
        return Chosen(math.nan, -1)
    cheapest = int(able[cost[able].argmin()])
    return Chosen(float(1.0 - cost[cheapest] / best_single_cost), cheapest)


def pareto_frontier(accuracy: Floats, cost: Floats) -> NDArray[np.bool_]:
    """Which points no other point dominates: none is as accurate and as cheap and better in one of the two.

    Args:
        accuracy: [n_points] in [0, 1]. cost: USD of the same points. No NaN. Equal points stand or fall together.
    """
    price, level = np.unique(cost, return_inverse=True)
    best = np.full(price.shape, -np.inf)
    np.maximum.at(best, level, accuracy)
    best_cheaper = np.concatenate([[-np.inf], np.maximum.accumulate(best)[:-1]]) if price.size else best
    return (accuracy >= best[level]) & (accuracy > best_cheaper[level])


def distance_to_frontier(accuracy: Floats, cost: Floats) -> Floats:
    """Each point's L1 distance to the nearest point of the frontier, both axes scaled to [0, 1] over all points.

    ParetoDist of a router is the mean over its trade-offs. The paper leaves the scaling open; linear min-max over
    single models and routers together is what reproduces its figure. An axis on which all points agree counts 0.

    Args:
        accuracy: [n_points] in [0, 1]. cost: total USD of the same points. No NaN.

    Returns:
        [n_points] in [0, 2].
    """
    point = np.stack([_scale(accuracy), _scale(cost)], axis=1)
    frontier = point[pareto_frontier(accuracy, cost)]
    return np.abs(point[:, None, :] - frontier[None, :, :]).sum(axis=2).min(axis=1)


def n_right(score: Floats) -> Integers:
    """How many models score above 0 at each query (LLMRouterBench, query hardness). [n_queries]"""
    return (score > 0).sum(axis=1)


def entropy_bits(share: Floats) -> float:
    """Entropy of a distribution over models in bits. share: [n_models], sums to 1."""
    positive = share[share > 0]
    return float(-(positive * np.log2(positive)).sum()) + 0.0  # + 0.0 turns the -0.0 of a constant choice into 0.0


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)


def _scale(value: Floats) -> Floats:
    width = np.ptp(value)
    return (value - value.min()) / width if width > 0 else np.zeros_like(value)
