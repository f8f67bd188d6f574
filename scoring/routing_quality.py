"""How good single decisions are: regret, the share of optimal ones, RouterArena's score, calibration."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scoring.metrics import Floats, Integers, best_score, oracle, take_choice

ARENA_BETA, ARENA_LOWEST, ARENA_HIGHEST = 0.1, 0.0044, 200.0  # USD per 1,000 queries
OTHERS = "Others"


def regret(score: Floats, chosen_score: Floats) -> Floats:
    """What each decision lost: the best score of the query minus the one that was taken (C.21).

    Args:
        score: [n_queries, n_models] in [0, 1], NaN missing. chosen_score: [..., n_queries].

    Returns:
        [..., n_queries], NaN where the chosen pair or the whole query is missing. Negative where a router that calls
        models outside the pool beats it.
    """
    return best_score(score) - chosen_score


class Optimality(NamedTuple):
    """RouterArena's optimality of selection, cost and accuracy, each in [0, 1] but the cost, which may exceed it."""

    selection: float
    cost: float
    accuracy: float


def optimality(score: Floats, cost: Floats, choice: Integers, paid: Floats) -> Optimality:
    """Opt.Sel, Opt.Cost and Opt.Acc (RouterArena's project page; C.20).

    A query's optimal model is the cheapest of those with its best score; queries on which nobody scores have none.
    Opt.Sel: the share of the others where it was chosen. Opt.Cost: its cost over the cost that was paid, averaged
    over the same queries; above 1 where something cheaper and wrong was chosen. Opt.Acc: mean score over the mean
    best score of all queries. Queries whose chosen pair is missing are left out. The optimum is that of the pool, so
    routers over different pools cannot be compared.

    Args:
        score, cost: [n_queries, n_models], NaN missing or unknown. choice: int [n_queries], model numbers.
        paid: USD, [n_queries], from `metrics.choice_cost`.

    Returns:
        Opt.Sel and Opt.Cost are NaN if a cost that they need is unknown, or if no query has an optimum; Opt.Cost also
        where nothing was paid although the optimum has a price.
    """
    best, least = oracle(score, cost)
    chosen = take_choice(score, choice)
    known = ~np.isnan(chosen)
    accuracy = _ratio(chosen[known].sum(), best[known].sum())
    has_optimum = known & (best > 0)
    if not has_optimum.any() or np.isnan(least[has_optimum]).any():
        return Optimality(np.nan, np.nan, accuracy)
    is_optimal = (chosen == best) & (take_choice(cost, choice) == least)
    needed, paid = least[has_optimum], paid[has_optimum]
    share = np.divide(needed, paid, out=np.where(needed == paid, 1.0, np.nan), where=paid != 0)
    return Optimality(float(is_optimal[has_optimum].mean()), float(share.mean()), accuracy)


def arena_score(accuracy: Floats, usd_per_1000: Floats) -> Floats:
    """RouterArena's score: (1 + β) A C / (β A + C) with C the place of the cost between two log costs (C.20).

    C = (log2 highest − log2 cost) / (log2 highest − log2 lowest), clipped to [0, 1]. The reference does not clip, so
    its C leaves [0, 1] outside the range and fails for free answers; here these have C = 1.

    Args:
        accuracy: mean score over queries, in [0, 1], any shape. usd_per_1000: USD per 1,000 queries, same shape.

    Returns:
        In [0, 1], 0 where A or C is 0; NaN where the cost is unknown.
    """
    place = np.log2(ARENA_HIGHEST / np.clip(usd_per_1000, ARENA_LOWEST, ARENA_HIGHEST))
    place = place / np.log2(ARENA_HIGHEST / ARENA_LOWEST)
    top, bottom = (1 + ARENA_BETA) * accuracy * place, ARENA_BETA * accuracy + place
    return np.divide(top, bottom, out=np.zeros_like(bottom), where=bottom != 0)


def calibration_error(probability: Floats, score: Floats, n_bins: int = 10) -> Floats:
    """Expected calibration error of each model's predicted correctness, equal-width bins (C.21).

    Σ over bins of the share of queries in it times |mean prediction − mean score|. Only for a router whose utility
    is a probability of being right; a stored routing does not say so, hence the reduction does not compute it.

    Args:
        probability: predictions in [0, 1], [n_queries, n_models]. score: the same shape, NaN missing: left out.
        n_bins: of equal width on [0, 1], each without its upper end but the last.

    Returns:
        [n_models] in [0, 1]; NaN for a model without a score.
    """
    known = ~np.isnan(score)
    place = np.minimum((probability * n_bins).astype(np.int64), n_bins - 1) + n_bins * np.arange(score.shape[1])
    difference = np.bincount(
        place[known], weights=(probability - score)[known], minlength=n_bins * score.shape[1]
    ).reshape(-1, n_bins)
    count = known.sum(axis=0).astype(np.float64)
    return np.divide(np.abs(difference).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)


def merge_small_shares(names: Sequence[str], share: Floats, minimum: float = 0.05) -> dict[str, float]:
    """Name -> share of the queries, largest first; models below the minimum together as "Others" at the end (C.16).

    Args:
        names: of the models. share: [n_models], sums to 1.
    """
    large = [i for i in np.argsort(-share, kind="stable") if share[i] >= minimum]
    merged = {names[i]: float(share[i]) for i in large}
    rest = float(np.delete(share, large).sum())
    return merged | {OTHERS: rest} if rest > 0 else merged


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else float("nan")
