"""RouteLLM's similarity-weighted ranking: Bradley-Terry ratings in which similar training queries count more.

Nothing is trained; for every query the ratings are fitted anew (arXiv 2406.18665, section 4.2). The original routes
between two models with the battles of a public arena; here every two models of the pool meet on every training query.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import as_utility
from routers.bradley_terry import outcomes, ratings
from routers.clustering import unit_rows
from routers.router import Queries, Router, RouterError

MOST_OUTCOMES = 1 << 28  # of pairs on queries, float32: 1 GiB
BLOCK_CELLS = 1 << 22  # weights, or table entries, held at a time


class RouteLLMSW(Router):
    """Ratings from all battles, a battle on training query j weighing 10^(similarity_j / highest similarity).

    Similarities are cosines. The nearest query weighs ten times an orthogonal one and a hundred times an opposite one,
    so far-off queries keep a say, by design of the original (its further factor 10 on all weights changes nothing).
    Where no similarity is positive, or the embedding is zero, all battles weigh the same. Weights are scaled to mean 1.

    The original rates ten tiers of its 64 models rather than the models; a router over a pool has to tell them apart,
    so each is rated for itself.

    A query costs n_train * (dim + n_models^2) products and a few Newton steps on a table of n_models^2, and the
    outcomes of training take 4 n_train * n_models^2 bytes: 13 MB for 8,036 queries and 20 models. Pools for which that
    is above 1 GiB are refused.

    Args:
        seed: unused, nothing is drawn.
    """

    name: ClassVar[str] = "routellm_sw"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(self, *, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Keep the training embeddings and who beat whom.

        Raises:
            RouterError: unusable data; too many models.
        """
        row, score = checks.scored(self, train)
        embedding = checks.embedding(self, train)[row]
        n_outcomes = score.size * len(train.models)
        if n_outcomes > MOST_OUTCOMES:
            raise RouterError(
                f"{self.name}: {len(row)} training queries and {len(train.models)} models make {n_outcomes} outcomes "
                f"of pairs, at most {MOST_OUTCOMES} are possible; take fewer models, or a router like knn"
            )
        self.models_ = train.models
        self.is_scored_ = ~np.isnan(score).all(axis=0)  # [n_models]
        self.embedding_ = unit_rows(embedding)
        self.outcome_ = np.hstack([outcomes(score, m) for m in range(len(train.models))])  # [n_train, n_models^2]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Ratings, float64 [1, n_queries, n_models]; -inf for a model without a training score."""
        checks.same_pool(self, queries)
        embedding = unit_rows(checks.embedding(self, queries, self.embedding_.shape[1]))
        n_models = len(self.models_)
        rating = np.empty((queries.n_queries, n_models))
        block = max(1, BLOCK_CELLS // max(len(self.embedding_), n_models**2))
        for start in range(0, queries.n_queries, block):
            weight = weights(embedding[start : start + block] @ self.embedding_.T)
            won = (weight @ self.outcome_).astype(np.float64)
            rating[start : start + block] = ratings(won.reshape(-1, n_models, n_models))
        return as_utility(np.where(self.is_scored_, rating, np.nan))[None]


def weights(similarity: NDArray[np.float32]) -> NDArray[np.float32]:
    """10^(similarity / the row's highest), scaled to mean 1 in each row; equal where no similarity is positive."""
    highest = similarity.max(axis=1, keepdims=True)
    exponent = np.divide(similarity, highest, out=np.zeros_like(similarity), where=highest > 0)
    weight = np.float32(10.0) ** exponent
    return weight / weight.mean(axis=1, keepdims=True)
