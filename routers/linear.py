"""Linear heads: a ridge regression of each model's score on the embedding, all models at once in closed form.

The simplest router that learns anything from the embedding itself, and hard to beat by much (arXiv 2606.07587).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import as_utility
from routers.ridge import fit_heads
from routers.router import Queries, Router


class Linear(Router):
    """Expected score as a linear function of the embedding, one per model, with an intercept.

    The strength of the penalty, one for all models, is chosen by the squared error of the training queries, each
    predicted without itself (`ridge.fit_ridge`): no validation part is needed. Missing pairs take no part: models that
    miss the same queries are fitted together, others apart. Expected scores may leave [0, 1].

    Args:
        n_components: principal components of the embeddings that are used; 0 for all. All 3,584 of the usual encoder
            take minutes to decompose, and most are directions that a ridge hardly uses.
        seed: of the search for the components.
    """

    name: ClassVar[str] = "linear"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(self, *, n_components: int = 384, seed: int = 42) -> None:
        self.n_components = n_components
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Solve for the slopes of all models."""
        checks.at_least(self, "n_components", 0)
        row, score = checks.scored(self, train)
        embedding = checks.embedding(self, train)[row]
        self.models_ = train.models
        [(self.slope_, self.intercept_, _)] = fit_heads(embedding, [score], self.n_components, self.seed)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Expected scores, float64 [1, n_queries, n_models]; -inf for a model without a training score."""
        checks.same_pool(self, queries)
        embedding = checks.embedding(self, queries, len(self.slope_))
        return as_utility(embedding @ self.slope_ + self.intercept_)[None]
