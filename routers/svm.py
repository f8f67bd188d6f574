"""Support vector regression: a linear prediction of each model's score, off by as little as possible in absolute terms.

RouterBench's SVM router (arXiv 2403.12031): one LinearSVR per model.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import as_utility
from routers.clustering import unit_rows
from routers.components import principal_axes
from routers.router import Queries, Router

N_ITERATIONS = 150  # after which the loss is as near to its minimum as scikit-learn's tolerance brings it
STEP = 3.0  # of ADMM in units of C; between 1 and 10 it hardly matters


class SVM(Router):
    """Minimises |w|^2 / 2 + C * sum of |score - w · embedding - intercept| for every model, the intercept in w.

    With scores of 0 and 1 an absolute loss aims at the median, so predictions crowd towards 0 and 1 and are no
    probabilities; that is the reference's method (scikit-learn's LinearSVR as it comes: C 1, no insensitive zone,
    embeddings of length 1). Only the solver is another: one that shares its matrix between all models (ADMM) finds the
    same minimum for 20 models in seconds, where coordinate descent takes 37 s a model for 1,000 passes over 8,036
    embeddings of 3,584 dimensions, and stops unfinished. Missing pairs take no part.

    Args:
        c: weight of the errors against the slopes.
        n_components: leading directions of the embeddings that are used; 0 for all, as the reference.
        seed: of the search for them.
    """

    name: ClassVar[str] = "svm"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(self, *, c: float = 1.0, n_components: int = 384, seed: int = 42) -> None:
        self.c = c
        self.n_components = n_components
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Solve for the slopes of all models."""
        checks.at_least(self, "c", 1e-6)
        checks.at_least(self, "n_components", 0)
        row, score = checks.scored(self, train)
        unit = unit_rows(checks.embedding(self, train)[row])
        self.models_ = train.models
        _, axes = principal_axes(unit, self.n_components, self.seed)
        slope = absolute_regression(with_ones(unit @ axes), score, self.c)
        self.slope_, intercept = axes @ slope[:-1], slope[-1]
        self.intercept_ = np.where(np.isnan(score).all(axis=0), np.nan, intercept)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Expected scores, float64 [1, n_queries, n_models]; -inf for a model without a training score."""
        checks.same_pool(self, queries)
        unit = unit_rows(checks.embedding(self, queries, len(self.slope_)))
        return as_utility(unit @ self.slope_ + self.intercept_)[None]


def with_ones(point: NDArray[np.float32]) -> NDArray[np.float64]:
    """The points and a last column of ones, float64 [n_points, dim + 1]."""
    return np.column_stack([point, np.ones(len(point))]).astype(np.float64)


def absolute_regression(point: NDArray[np.float64], target: NDArray[np.float64], c: float) -> NDArray[np.float64]:
    """Slopes w that minimise |w|^2 / 2 + c * sum of |target - point · w|, for every column.

    The alternating direction method of multipliers: the residuals become variables of their own, tied to the slopes by
    multipliers; then the slopes take a ridge regression, the same matrix each time and for every column, and the
    residuals a soft threshold.

    Args:
        point: [n_points, dim].
        target: [n_points, n_columns], NaN where missing.

    Returns:
        [dim, n_columns]; 0 for a column without a value.
    """
    known = ~np.isnan(target)
    target = np.where(known, target, 0.0)
    step = STEP * c
    solve = np.linalg.inv(np.eye(point.shape[1]) / step + point.T @ point)
    residual, multiplier = np.zeros_like(target), np.zeros_like(target)
    for _ in range(N_ITERATIONS):
        slope = solve @ (point.T @ (target - residual - multiplier))
        gap = target - point @ slope - multiplier
        # a missing value is at no distance from any prediction: its residual takes up the whole gap
        residual = np.where(known, np.sign(gap) * np.maximum(np.abs(gap) - c / step, 0.0), gap)
        multiplier = residual - gap
    return slope
