"""k nearest neighbours on score vectors: what the models did on the most similar training queries.

Averages the scores themselves. Votes for the best model of each neighbour would throw most of them away: many models
tie at the top of a query, and "the first of them" is noise. Well tuned, this matches learned routers (arXiv
2505.12601).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import as_utility, mean_of, overall_mean
from routers.clustering import unit_rows
from routers.router import Queries, Router

METRICS = ("cosine", "euclidean")
WEIGHTS = ("uniform", "softmax")
BLOCK_CELLS = 1 << 24  # similarities, or neighbours' scores, held at a time: 64 or 128 MiB
EQUALLY_NEAR = 1e-5  # float32 products of equal rows differ by 1e-7 or so, depending on their place in a block


class KNN(Router):
    """Weighted mean score of the nearest training queries, pulled towards each model's overall training mean.

    utility = (sum of w * score + shrinkage * mean) / (sum of w + shrinkage) over the neighbours that have a score of
    the model; the weights of all neighbours add up to their number, so `shrinkage` counts in neighbours. With
    shrinkage 0 a model that no neighbour has a score of is not chosen. The mean is over all training queries.

    Equally near neighbours: the lowest training row first. Equal utilities at the top: the higher training mean,
    then the lowest model number. A zero embedding under "cosine" is near to nothing and gets the training means.

    Args:
        n_neighbors: 40; EmbedLLM's kNN has 131.
        metric: "cosine", or "euclidean" in units of the root mean square length of the training embeddings.
        weights: "uniform", or "softmax" of similarity / temperature (minus the distance for "euclidean").
        temperature: of the softmax.
        shrinkage: see above.
        seed: unused, nothing is drawn.
    """

    name: ClassVar[str] = "knn"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        *,
        n_neighbors: int = 40,
        metric: str = "cosine",
        weights: str = "uniform",
        temperature: float = 0.3,
        shrinkage: float = 10.0,
        seed: int = 42,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.weights = weights
        self.temperature = temperature
        self.shrinkage = shrinkage
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Keep the training embeddings and scores."""
        checks.at_least(self, "n_neighbors", 1)
        checks.one_of(self, "metric", METRICS)
        checks.one_of(self, "weights", WEIGHTS)
        checks.at_least(self, "temperature", 1e-6)
        checks.at_least(self, "shrinkage", 0)
        row, self.score_ = checks.scored(self, train)
        embedding = checks.embedding(self, train)[row]
        self.models_ = train.models
        self.mean_ = overall_mean(self.score_)  # [n_models], NaN for a model without a score
        self.length_ = float(np.sqrt((embedding.astype(np.float64) ** 2).sum(axis=1).mean())) or 1.0
        self.embedding_ = self._scaled(embedding)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Expected scores, float64 [1, n_queries, n_models]; -inf where there is no evidence."""
        checks.same_pool(self, queries)
        embedding = self._scaled(checks.embedding(self, queries, self.embedding_.shape[1]))
        utility = np.empty((queries.n_queries, len(self.models_)))
        block = max(1, BLOCK_CELLS // max(len(self.embedding_), self.n_neighbors * len(self.models_)))
        for start in range(0, queries.n_queries, block):
            utility[start : start + block] = self._mean_score(embedding[start : start + block])
        if self.metric == "cosine":
            utility[~embedding.any(axis=1)] = self.mean_
        return _break_ties(as_utility(utility), as_utility(self.mean_))[None]

    def _scaled(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        return unit_rows(embedding) if self.metric == "cosine" else embedding / np.float32(self.length_)

    def _mean_score(self, query: NDArray[np.float32]) -> NDArray[np.float64]:
        """Shrunk mean scores of the neighbours of a block of queries, [n_queries, n_models], NaN for no evidence."""
        similarity = query @ self.embedding_.T  # float32 [n_queries, n_train]
        if self.metric == "euclidean":
            squared = [(rows**2).sum(axis=1) for rows in (query, self.embedding_)]
            similarity = 2 * similarity - squared[0][:, None] - squared[1]  # minus the squared distance
        near = _nearest(similarity, min(self.n_neighbors, len(self.embedding_)))  # [n_queries, k]
        weight = np.ones(near.shape)
        if self.weights == "softmax":
            closeness = np.take_along_axis(similarity, near, axis=1).astype(np.float64)
            if self.metric == "euclidean":
                closeness = -np.sqrt(np.maximum(-closeness, 0.0))
            weight = np.exp((closeness - closeness.max(axis=1, keepdims=True)) / self.temperature)
            weight *= near.shape[1] / weight.sum(axis=1, keepdims=True)
        score = self.score_[near]  # [n_queries, k, n_models]
        known = ~np.isnan(score)
        total = np.einsum("qk,qkm->qm", weight, np.where(known, score, 0.0))
        mass = np.einsum("qk,qkm->qm", weight, known)
        has_mean = ~np.isnan(self.mean_)
        prior = np.where(has_mean, self.mean_, 0.0)
        return mean_of(total + self.shrinkage * prior, mass + self.shrinkage * has_mean)


def _nearest(similarity: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns of the k largest values of each row, ascending, [n_rows, k].

    Of the values that are EQUALLY_NEAR to the k-th largest, the lowest columns are taken.
    """
    n = similarity.shape[1]
    threshold = np.partition(similarity, n - k, axis=1)[:, n - k, None]  # the k-th largest
    taken = similarity >= threshold - EQUALLY_NEAR
    crowded = np.flatnonzero(taken.sum(axis=1) > k)
    above = similarity[crowded] > threshold[crowded] + EQUALLY_NEAR
    level = taken[crowded] & ~above
    room = k - above.sum(axis=1, keepdims=True)
    taken[crowded] = above | (level & (level.cumsum(axis=1) <= room))
    return np.nonzero(taken)[1].reshape(len(similarity), k)


def _break_ties(utility: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lift, among models that share a query's highest utility, the one with the highest mean by one float step."""
    best = utility.max(axis=1, keepdims=True)
    winner = np.where(utility == best, mean, -np.inf).argmax(axis=1)
    row = np.arange(len(utility))
    utility[row, winner] = np.nextafter(utility[row, winner], np.inf)
    return utility
