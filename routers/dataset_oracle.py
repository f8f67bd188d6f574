"""Dataset Oracle ("Max Expert"): the best model of each benchmark in hindsight. A reference, not a contestant."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import group_mean
from routers.router import Queries, Router


class DatasetOracle(Router):
    """The model with the highest mean score on the query's benchmark among the very queries handed to `predict`.

    It looks at the scores it is judged by, as the published rows do (LLMRouterBench, Dataset Oracle), so hand it a
    whole test set at once. `dataset_best` is the honest counterpart. A model is not chosen for a query it has no score
    on; a query that no model has a score for has nothing to choose, and all utilities are 0. Ties go to the lowest
    model number.
    """

    name: ClassVar[str] = "dataset_oracle"
    inputs: ClassVar[frozenset[str]] = frozenset({"benchmark", "score"})

    def __init__(self, *, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Remember the pool; there is nothing to learn."""
        self.models_ = train.models
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Mean scores on the query's benchmark, float64 [1, n_queries, n_models]; -inf where the pair is missing."""
        checks.same_pool(self, queries)
        score = checks.column(self, queries, "score")
        benchmark, group = np.unique(checks.column(self, queries, "benchmark"), return_inverse=True)
        mean = group_mean(score, group, len(benchmark))[group]  # [n_queries, n_models]
        missing = np.isnan(score)
        return np.where(missing.all(axis=1, keepdims=True), 0.0, np.where(missing, -np.inf, mean))[None]
