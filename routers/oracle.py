"""Oracle: for every query the cheapest of the best answers, in hindsight. The ceiling, not a contestant."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.router import Queries, Router


class Oracle(Router):
    """The highest score of each query, then the lowest cost, then the lowest model number, compared exactly.

    With graded scores "best" is the highest score, not any score above 0 as in the published Oracle row
    (LLMRouterBench, Oracle); where every score is 0 both take the cheapest model. A model whose cost is unknown comes
    after those whose cost is known. The utility is minus the place in this order, so the runner-up keeps its place
    too; a missing pair gets -inf. A query that no model has a score for has nothing to choose: all places are 0.
    """

    name: ClassVar[str] = "oracle"
    inputs: ClassVar[frozenset[str]] = frozenset({"score", "cost"})

    def __init__(self, *, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Remember the pool; there is nothing to learn."""
        self.models_ = train.models
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Minus the place of every model, 0 for the best, float64 [1, n_queries, n_models]; -inf for a missing pair."""
        checks.same_pool(self, queries)
        score, cost = checks.column(self, queries, "score"), checks.column(self, queries, "cost")
        missing = np.isnan(score)
        order = np.lexsort((np.where(np.isnan(cost), np.inf, cost), np.where(missing, np.inf, -score)), axis=-1)
        place = np.argsort(order, axis=-1).astype(np.float64)  # the inverse permutation
        utility = np.where(missing, -np.inf, -place)
        return np.where(missing.all(axis=1, keepdims=True), 0.0, utility)[None]
