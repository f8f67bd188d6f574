"""The two models of a binary router: which is the small one and which the large one."""

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import group_mean, macro_mean, overall_mean
from routers.router import Queries, Router, RouterError


def small_and_large(router: Router, train: Queries, small: str | None, large: str | None) -> tuple[int, int]:
    """Numbers of the small and the large model.

    Args:
        small: its name; None for the model with the lowest mean training cost.
        large: its name; None for the model with the highest AvgAcc on the training queries. Both may be one model.

    Raises:
        RouterError: a name is not in the pool or has no training score; no cost is known to find the cheapest by.
    """
    row, score = checks.scored(router, train)
    has_score = np.flatnonzero(~np.isnan(score).all(axis=0))
    for name in (small, large):
        if name is not None and checks.model(router, train, name) not in has_score:
            raise RouterError(f"{router.name}: {name} has no training score; score its responses, or take another")
    if small is None:
        mean_cost = overall_mean(np.where(np.isnan(score), np.nan, checks.column(router, train, "cost")[row]))
        if np.isnan(mean_cost).all():
            raise RouterError(f"{router.name}: no cost is known to find the cheapest model by; name it in `small`")
    benchmark, group = np.unique(checks.column(router, train, "benchmark")[row], return_inverse=True)
    average = macro_mean(group_mean(score, group, len(benchmark)))
    return (
        _first(mean_cost, train.models) if small is None else train.models.index(small),
        _first(-average, train.models) if large is None else train.models.index(large),
    )


def _first(value: NDArray[np.float64], names: tuple[str, ...]) -> int:
    """Number of the lowest value, NaN last; the first name among equals."""
    return int(np.lexsort((np.array(names), value))[0])


def share_thresholds(good_enough: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the small model's probability must reach so that about a share of the queries goes to the large one.

    Args:
        good_enough: the probabilities in [0, 1] of queries that the router did not learn from, [n_queries].
        share: for the large model, from 0 (always the small one) to 1 (always the large one), [n_trade_offs].

    Returns:
        float64 [n_trade_offs].
    """
    return np.concatenate([[-1.0], np.quantile(good_enough, share[1:-1]), [2.0]])


def pair_utility(
    good_enough: NDArray[np.float64], threshold: NDArray[np.float64], pair: tuple[int, int], n_models: int
) -> NDArray[np.float64]:
    """The probability for the small model and the threshold for the large one, -inf for all others.

    Where they are equal the small model is chosen.

    Args:
        good_enough: [n_queries]. threshold: [n_trade_offs]. pair: numbers of the small and the large model.

    Returns:
        float64 [n_trade_offs, n_queries, n_models].
    """
    small, large = pair
    utility = np.full((len(threshold), len(good_enough), n_models), -np.inf)
    utility[..., large] = np.nextafter(threshold, -np.inf)[:, None]
    utility[..., small] = good_enough
    return utility
