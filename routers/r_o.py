"""RouterEval's r_o(p): the best model with probability p, else any. A yardstick between Random and Oracle."""

import hashlib
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.router import Queries, Router, RouterError


class RO(Router):
    """With probability p a query goes to the model with its highest score, otherwise to one drawn evenly.

    It looks at test scores, so it is a reference (arXiv 2503.10657): p = 1 is the Oracle without its eye on the cost,
    p = 0 Random. A model without a score is never chosen. All that is drawn for a query is drawn from the seed and its
    text: another order or selection of queries changes nothing, and equal texts share their luck. Its expected score,
    p * highest + (1 - p) * mean, needs no draws; the paper averages over 1,000 repetitions.

    Args:
        p: in [0, 1].
        seed: of the draws.
    """

    name: ClassVar[str] = "r_o"
    inputs: ClassVar[frozenset[str]] = frozenset({"text", "score"})

    def __init__(self, *, p: float = 0.5, seed: int = 42) -> None:
        self.p = p
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Remember the pool; there is nothing to learn."""
        if not 0 <= self.p <= 1:
            raise RouterError(f"{self.name}: p is {self.p!r}; expected a probability, from 0 to 1")
        self.models_ = train.models
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Scores or draws in [0, 1), float64 [1, n_queries, n_models]; -inf for a missing pair.

        A query that no model has a score for has nothing to choose: all are 0.
        """
        checks.same_pool(self, queries)
        score, text = checks.column(self, queries, "score"), checks.column(self, queries, "text")
        by_name = np.argsort(self.models_)
        draw = np.empty((queries.n_queries, 1 + len(self.models_)))
        for row, line in enumerate(text):
            digest = hashlib.sha256(line.encode("utf-8", "surrogatepass")).digest()
            draw[row] = np.random.default_rng([self.seed, *digest]).random(draw.shape[1])
        any_model = np.empty_like(score)
        any_model[:, by_name] = draw[:, 1:]
        utility = np.where(draw[:, :1] < self.p, score, any_model)
        missing = np.isnan(score)
        return np.where(missing, np.where(missing.all(axis=1, keepdims=True), 0.0, -np.inf), utility)[None]
