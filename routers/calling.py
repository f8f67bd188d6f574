"""What cascades share: what a sequence of calls costs, a grid of budgets, and an accepted answer as utilities."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from routers.averages import as_utility

_ACCEPTED = 2.0  # above every mean score


def calls_along(orders: Sequence[Sequence[int]], n_models: int) -> NDArray[np.float64]:
    """What has been called when a model's answer is accepted: itself and all before it, once each.

    Args:
        orders: per trade-off the model numbers in the order in which they are called.

    Returns:
        As `Router.calls`, float64 [n_trade_offs, n_models, n_models]; a model outside an order is called alone.
    """
    calls = np.tile(np.eye(n_models), (len(orders), 1, 1))
    for per_model, order in zip(calls, orders, strict=True):
        for place, model in enumerate(order):
            per_model[model, list(order[: place + 1])] = 1.0
    return calls


def accept(choice: NDArray[np.int64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Utilities under which the accepted model is the best and the others stand in the order of their means.

    They depend on nothing but the accepted model, so they tell nothing of answers that a cascade has not paid for.

    Args:
        choice: number of the accepted model, [n_trade_offs, n_queries].
        mean: training score of every model in [0, 1], [n_models], NaN where it has none.

    Returns:
        float64 [n_trade_offs, n_queries, n_models]; -inf for a model without a mean that was not accepted.
    """
    utility = np.tile(as_utility(mean), (*choice.shape, 1))
    np.put_along_axis(utility, choice[..., None], _ACCEPTED, axis=-1)
    return utility


def fractions(n_trade_offs: int) -> NDArray[np.float64]:
    """Names of the budgets, the same for every seed: from 0 for the lowest to 1 for the highest, [n_trade_offs]."""
    return np.arange(n_trade_offs) / (n_trade_offs - 1)


def budgets(low: float, high: float, n_trade_offs: int) -> NDArray[np.float64]:
    """The budgets of these names in USD per query, ascending, [n_trade_offs].

    Evenly spaced in their logarithms, because the costs of models differ by powers of ten; evenly in USD where the
    lowest is 0.
    """
    spaced = np.geomspace if low > 0 else np.linspace
    return spaced(low, high, n_trade_offs)
