"""Ridge regression of many columns at once, their common penalty chosen by its exact leave-one-out error.

A column belongs to a model, its missing pairs are NaN. Columns that miss the same rows share one eigendecomposition;
from it the predictions of every row left out follow in closed form for every penalty.
"""

import numpy as np
from numpy.typing import NDArray

from routers.components import principal_axes

PENALTIES = np.logspace(4, -2, 13)  # in units of the mean variance of a direction, the strongest first


def fit_heads(
    embedding: NDArray[np.float32], targets: list[NDArray[np.float64]], n_components: int, seed: int
) -> list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]:
    """For each target ridge regressions of its columns on the leading principal components of the embeddings.

    Args:
        embedding: [n_queries, dim].
        targets: each [n_queries, n_columns], NaN where missing; a target's columns share a penalty.
        n_components: 0 for all.
        seed: of the search for the components.

    Returns:
        Of each target the slopes on the embedding itself [dim, n_columns], and intercepts and predictions without the
        row as `fit_ridge` gives them. "Without" is exact within the components, in which every row had a part.
    """
    mean, axes = principal_axes(embedding, n_components, seed)
    point = ((embedding - mean) @ axes).astype(np.float64)
    heads = []
    for target in targets:
        slope, intercept, left_out = fit_ridge(point, target)
        slope = axes @ slope
        heads.append((slope, intercept - mean @ slope, left_out))
    return heads


def fit_ridge(
    point: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Least squares with a penalty on the slopes, not on the intercept, for every column of the target.

    One penalty for all: that with the smallest sum over all pairs of the squared error of the prediction without the
    pair's row, the strongest among equals. Columns on their own would choose less steadily.

    Args:
        point: [n_points, dim].
        target: [n_points, n_columns], NaN where missing.

    Returns:
        Slopes [dim, n_columns], 0 for a column without a value; intercepts [n_columns], NaN for such a column; and the
        prediction of every known pair by the fit without its row [n_points, n_columns], NaN elsewhere.
    """
    n_columns = target.shape[1]
    slope = np.zeros((len(PENALTIES), point.shape[1], n_columns))
    intercept = np.full((len(PENALTIES), n_columns), np.nan)
    left_out = np.full((len(PENALTIES), *target.shape), np.nan)
    patterns, group = np.unique(~np.isnan(target), axis=1, return_inverse=True)
    for number, known in enumerate(patterns.T):
        row, column = np.flatnonzero(known), np.flatnonzero(group == number)
        if row.size:
            fits = _fit_complete(point[row], target[np.ix_(row, column)])
            slope[..., column], intercept[..., column], left_out[:, row[:, None], column] = fits
    best = np.argmin([np.nansum((predicted - target) ** 2) for predicted in left_out])
    return slope[best], intercept[best], left_out[best]


def _fit_complete(
    point: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The same for every penalty, where nothing is missing."""
    mean, level = point.mean(axis=0), target.mean(axis=0)
    centred = point - mean
    variance, axes = np.linalg.eigh(centred.T @ centred)
    rotated = centred @ axes
    penalty = PENALTIES * (variance.mean() or 1.0)
    shrinkage = 1.0 / (variance + penalty[:, None])  # [n_penalties, dim]
    slope = shrinkage[..., None] * (rotated.T @ (target - level))
    leverage = 1.0 / len(point) + rotated**2 @ shrinkage.T  # [n_points, n_penalties]
    left_out = np.empty((len(penalty), *target.shape))
    for number, left in enumerate(np.maximum(1.0 - leverage, 1e-9).T):
        left_out[number] = target - (target - level - rotated @ slope[number]) / left[:, None]
    slope = axes @ slope
    return slope, level - mean @ slope, left_out
