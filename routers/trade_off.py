"""Accuracy against cost: a grid of weights, and the utilities under each.

    utility = alpha * score - (1 - alpha) * cost / unit

The unit is what the dearest model costs per training query on average. So the same grid of alpha serves every seed
and every level of prices, as a multiplier of the cost in USD that runs from infinity (alpha = 0, the cheapest model)
over 1 / unit (alpha = 1/2: a whole point of score is worth what the dearest model costs) to 0 (alpha = 1, accuracy
alone).
"""

import numpy as np
from numpy.typing import NDArray

from routers.averages import overall_mean


def alphas(n_trade_offs: int) -> NDArray[np.float64]:
    """Weights of accuracy from 0 to 1, float64 [n_trade_offs]; at least two."""
    return np.arange(n_trade_offs) / (n_trade_offs - 1)


def cost_unit(cost: NDArray[np.float64]) -> float:
    """The mean training cost of the dearest model in USD, 1 where everything is free.

    Args:
        cost: USD, [n_queries, n_models], NaN where unknown; at least one known.
    """
    return float(np.nanmax(overall_mean(cost))) or 1.0


def weigh(
    score: NDArray[np.float64], cost: NDArray[np.float64], alpha: NDArray[np.float64], unit: float
) -> NDArray[np.float64]:
    """Utilities under every weight of accuracy.

    Args:
        score: expected score, [n_queries, n_models], -inf for a model that must not be chosen.
        cost: expected cost in USD, broadcast to the same shape, NaN where unknown: as dear as the query's dearest.
        alpha: weights of accuracy in [0, 1], [n_trade_offs].
        unit: of the cost, in USD.

    Returns:
        float64 [n_trade_offs, n_queries, n_models], -inf where the score is.
    """
    may_be_chosen = ~np.isneginf(score)
    cost = np.broadcast_to(cost, score.shape)
    dearest = np.fmax.reduce(np.where(may_be_chosen, cost, np.nan), axis=1, keepdims=True, initial=0.0)
    cost = np.where(np.isnan(cost), dearest, cost) / unit
    alpha = alpha[:, None, None]
    utility = alpha * np.where(may_be_chosen, score, 0.0) - (1.0 - alpha) * cost
    return np.where(may_be_chosen, utility, -np.inf)
