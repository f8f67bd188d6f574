"""The search for cascades: which order of models with which thresholds earns the most for a budget.

A cascade asks its models one after the other until an answer looks reliable enough, and pays for all it asked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EQUAL = 1e-9  # relative; costs as near as this are equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """Models in the order in which they are called, with the least reliability of an answer that is accepted.

    Attributes:
        order: model numbers. threshold: of the same length; the last one is -inf, whatever it says is accepted.
    """

    order: tuple[int, ...]
    threshold: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What thresholds are chosen by, one row per query and one column per model; no NaN.

    Attributes:
        reliability: of the answers as the scorers see them; -inf for a missing one.
        score: in [0, 1]. cost: USD.
    """

    reliability: NDArray[np.float64]
    score: NDArray[np.float64]
    cost: NDArray[np.float64]

    def of(self, rows: NDArray[np.int64]) -> "Evidence":
        """That of some queries."""
        return Evidence(reliability=self.reliability[rows], score=self.score[rows], cost=self.cost[rows])


def best_cascades(evidence: Evidence, budget: NDArray[np.float64], depth: int, any_order: bool = True) -> list[Cascade]:
    """The cascade with the highest mean score that each budget can pay for; of equals the cheaper, then the first.

    Args:
        evidence: columns are the models, cheapest first.
        budget: USD per query, [n_budgets]; the lowest pays for some model alone.
        depth: most models in a cascade. Up to two the search is exhaustive.
        any_order: whether a dearer model may come before a cheaper one.
    """
    n_models = evidence.score.shape[1]
    singles = [Cascade(order=(m,), threshold=(-np.inf,)) for m in range(n_models)]
    best = [(-np.inf, np.inf, singles[0]) for _ in budget]
    for single in singles:
        score, cost = evidence.score[:, single.order[0]].mean(), evidence.cost[:, single.order[0]].mean()
        for b in np.flatnonzero(cost <= budget * (1 + _EQUAL)):
            best[b] = _better(best[b], (score, cost, single))
    ends = singles
    for length in range(2, depth + 1):
        for end in ends:
            end_score, end_cost = _outcome(evidence, end)
            for m in range(n_models):
                if m in end.order or not (any_order or m < min(end.order)):
                    continue
                threshold, score, cost = _cuts(evidence, m, end_score, end_cost)
                first = np.searchsorted(-cost, -budget * (1 + _EQUAL))  # the first cut that the budget can pay for
                for b in np.flatnonzero(first < len(cost)):
                    cut = first[b] + _last_argmax(score[first[b] :])
                    longer = Cascade(order=(m, *end.order), threshold=(float(threshold[cut]), *end.threshold))
                    best[b] = _better(best[b], (score[cut], cost[cut], longer))
        ends = list({found[2]: None for found in best if len(found[2].order) == length})
    return [found[2] for found in best]


def _cuts(
    evidence: Evidence, m: int, end_score: NDArray[np.float64], end_cost: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Every threshold of model m that accepts another set of answers, when the rest of a cascade follows it.

    Args:
        end_score, end_cost: what the rest scores and costs at each query.

    Returns:
        Thresholds in descending order, half way between neighbouring reliabilities, with mean scores and mean costs;
        costs do not increase.
    """
    n_queries = len(end_score)
    order = np.argsort(-evidence.reliability[:, m], kind="stable")
    reliability = evidence.reliability[order, m]
    score = np.concatenate([[0.0], np.cumsum((evidence.score[:, m] - end_score)[order])]) + end_score.sum()
    cost = np.concatenate([[0.0], np.cumsum(-end_cost[order])]) + evidence.cost[:, m].sum() + end_cost.sum()
    upper = np.concatenate([[np.inf], reliability])
    lower = np.concatenate([reliability, [-np.inf]])
    is_cut = upper > lower
    is_cut[-1] = False  # accepts everything: model m alone
    with np.errstate(invalid="ignore"):
        half_way = 0.5 * (upper + lower)
    half_way = np.where(np.isfinite(half_way) & (half_way > lower), half_way, upper)
    return half_way[is_cut], score[is_cut] / n_queries, np.minimum.accumulate(cost[is_cut] / n_queries)


def _outcome(evidence: Evidence, cascade: Cascade) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score and cost of a cascade at each query, each [n_queries]."""
    last = cascade.order[-1]
    score, cost = evidence.score[:, last], evidence.cost[:, last]
    for m, threshold in list(zip(cascade.order, cascade.threshold, strict=True))[-2::-1]:
        is_accepted = evidence.reliability[:, m] >= threshold
        score = np.where(is_accepted, evidence.score[:, m], score)
        cost = evidence.cost[:, m] + np.where(is_accepted, 0.0, cost)
    return score, cost


def _better(old: tuple[float, float, Cascade], new: tuple[float, float, Cascade]) -> tuple[float, float, Cascade]:
    """The one with the higher score, at equal scores the cheaper one, else the old one."""
    if abs(new[0] - old[0]) <= _EQUAL:
        return new if new[1] < old[1] * (1 - _EQUAL) else old
    return new if new[0] > old[0] else old


def _last_argmax(value: NDArray[np.float64]) -> int:
    """Place of the highest value; of equals the last, which costs least."""
    return int(np.flatnonzero(value >= value.max() - _EQUAL)[-1])
