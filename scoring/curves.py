"""What a whole accuracy-cost curve is worth: AIQ, hypervolume, distance to the hull of the single models.

All look at a router and the single models only, so that no figure moves when another router joins the report. The range
of costs is common to all: from the cheapest to the dearest single model.
"""

import numpy as np

from scoring.metrics import TIE, Floats


def concave_hull(accuracy: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """Corners of the least concave, non-decreasing curve above all points.

    Between two corners lies what mixing their configurations at random reaches on average.

    Args:
        accuracy: [n_points] in [0, 1]. cost: USD of the same points. No NaN, at least one point.

    Returns:
        Accuracy and cost of the corners, cheapest first, both strictly increasing.
    """
    corners: list[tuple[float, float]] = []
    for at in np.lexsort((-accuracy, cost)):
        x, y = float(cost[at]), float(accuracy[at])
        if corners and y <= corners[-1][1]:
            continue
        while len(corners) > 1 and _is_below(corners[-2], corners[-1], (x, y)):
            corners.pop()
        corners.append((x, y))
    x, y = np.array(corners).T
    return y, x


def aiq(accuracy: Floats, cost: Floats, model_accuracy: Floats, model_cost: Floats) -> float:
    """AIQ, average improvement in quality: the mean height of the concave hull (RouterBench, arXiv 2403.12031; C.18).

    The paper's definition, from the cheapest to the dearest single model. A router without a point that cheap is given
    the cheapest model's. The paper's code divides by the highest cost instead of by the width of the range, and begins
    at the router's own lowest cost.

    Args:
        accuracy, cost: a router's points, [n_points], USD. model_accuracy, model_cost: the single models, [n_models].
            No NaN.

    Returns:
        A mean accuracy in [0, 1]; NaN if all models cost the same.
    """
    lowest, highest = model_cost.min(), model_cost.max()
    if not highest > lowest:
        return float("nan")
    quality, price = concave_hull(*_left_extended(accuracy, cost, model_accuracy, model_cost))
    grid = _breaks(price, lowest, highest)
    return float(np.trapezoid(np.interp(grid, price, quality), grid) / (highest - lowest))


def exceeds_models(accuracy: Floats, cost: Floats, model_accuracy: Floats, model_cost: Floats) -> bool:
    """Whether a router's hull is nowhere below and somewhere above that of the single models (the zero router).

    Otherwise mixing single models at random does as well at some budget (C.18). Arguments as in `aiq`.
    """
    quality, price = concave_hull(*_left_extended(accuracy, cost, model_accuracy, model_cost))
    model_quality, model_price = concave_hull(model_accuracy, model_cost)
    grid = _breaks(np.concatenate([price, model_price]), model_cost.min(), model_cost.max())
    above = np.interp(grid, price, quality) - np.interp(grid, model_price, model_quality)
    return bool(above.min() >= -TIE and above.max() > TIE)


def hypervolume(accuracy: Floats, cost: Floats, lowest: float, highest: float) -> float:
    """Area under the accuracy-log-cost frontier (C.8): the best accuracy within a budget, averaged over log budgets.

    A step function without interpolation. Budgets below the cheapest point count 0; what is dearer than `highest`
    does not count. It is the hypervolume of the points with respect to accuracy 0 at cost `highest`, divided by the
    width of the range.

    Args:
        accuracy: [n_points] in [0, 1]. cost: USD of the same points. No NaN.
        lowest, highest: USD of the cheapest and the dearest single model.

    Returns:
        In [0, 1]; NaN if the range has no width or begins at 0.
    """
    if not highest > lowest > 0:
        return float("nan")
    order = np.argsort(cost, kind="stable")
    best = np.maximum.accumulate(accuracy[order])
    budget = np.log(np.append(np.clip(cost[order], lowest, highest), highest))
    return float((best * np.diff(budget)).sum() / np.log(highest / lowest))


def distance_to_hull(accuracy: Floats, cost: Floats, model_accuracy: Floats, model_cost: Floats) -> Floats:
    """ParetoDist against the hull of the single models (C.8): L1 distance of each point to it, axes scaled by models.

    0 on or above the hull, and for points cheaper than every model. In contrast to `metrics.distance_to_frontier` it
    depends on no other router, and a router with many configurations does not shape what it is measured against.
    Below a concave curve the L1-nearest point lies straight above or straight to the left, or is its end.

    Args:
        accuracy, cost: the points, [n_points]. model_accuracy, model_cost: the single models, [n_models]. No NaN.

    Returns:
        [n_points], 0 or above; an axis on which all models agree is not scaled.
    """
    quality, price = concave_hull(model_accuracy, model_cost)
    height, width = np.ptp(model_accuracy) or 1.0, np.ptp(model_cost) or 1.0
    at_cost, at_accuracy = np.interp(cost, price, quality), np.interp(accuracy, quality, price)
    straight_up = (at_cost - accuracy) / height + np.maximum(0.0, cost - price[-1]) / width
    to_the_left = (cost - at_accuracy) / width + np.maximum(0.0, quality[0] - accuracy) / height
    is_below = (cost >= price[0]) & (accuracy <= at_cost)
    return np.where(is_below, np.minimum(straight_up, to_the_left), 0.0)


def _left_extended(accuracy: Floats, cost: Floats, model_accuracy: Floats, model_cost: Floats) -> tuple[Floats, Floats]:
    """The points, with the cheapest model's among them where none is as cheap."""
    lowest = model_cost.min()
    if cost.min() <= lowest:
        return accuracy, cost
    return np.append(accuracy, model_accuracy[model_cost == lowest].max()), np.append(cost, lowest)


def _is_below(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    """Whether the middle point is on or below the line from left to right, each (cost, accuracy)."""
    return (middle[1] - left[1]) * (right[0] - left[0]) <= (right[1] - left[1]) * (middle[0] - left[0])


def _breaks(price: Floats, lowest: float, highest: float) -> Floats:
    """Where a piecewise linear curve between two costs has its corners, ends included."""
    inside = price[(price > lowest) & (price < highest)]
    return np.concatenate([[lowest], np.unique(inside), [highest]])
