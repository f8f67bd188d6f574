"""Elo: always the model with the highest rating, whatever the query. LLMRouter's elorouter, and a floor for routers."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import as_utility
from routers.bradley_terry import outcomes, ratings
from routers.router import Queries, Router

BATTLES = ("all", "best")


class Elo(Router):
    """Bradley-Terry ratings over the training queries, the same for every query.

    Where Best Single compares means, this counts who did better how often: a narrow win is as good as a clear one, and
    a pair with a missing score does not meet. Models that never meet are linked by the imagined draws alone.

    Args:
        battles: "all", every two models of a query, equal scores a draw. "best", the first model with the query's
            highest score beats every other, even one with the same score: LLMRouter's rule, which favours models with
            low numbers wherever many are right.
        seed: unused, nothing is drawn.
    """

    name: ClassVar[str] = "elo"
    inputs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, battles: str = "all", seed: int = 42) -> None:
        self.battles = battles
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Count the wins of every pair and rate the models."""
        checks.one_of(self, "battles", BATTLES)
        _, score = checks.scored(self, train)
        self.models_ = train.models
        known = ~np.isnan(score)
        if self.battles == "best":
            best = np.nanargmax(score, axis=1)
            won = (best[:, None] == np.arange(score.shape[1])).astype(np.float64).T @ known
        else:
            won = np.stack([outcomes(score, m).sum(axis=0, dtype=np.float64) for m in range(score.shape[1])])
        self.rating_ = np.where(known.any(axis=0), ratings(won), np.nan)  # [n_models]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """The rating of every model, float64 [1, n_queries, n_models]; -inf for a model without a training score."""
        checks.same_pool(self, queries)
        return np.tile(as_utility(self.rating_), (1, queries.n_queries, 1))
