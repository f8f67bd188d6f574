"""Avengers: cluster the training queries, and let the best model of the nearest cluster answer (arXiv 2505.19797).

Nothing is trained but k-means, and yet the published table has no router above it (LLMRouterBench, performance).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, clustering
from routers.averages import group_mean
from routers.router import Queries, Router


class Avengers(Router):
    """Ranks the models by their accuracy in each cluster and adds up reciprocal ranks over the nearest clusters.

    Equal accuracies rank in the order of the models. A model without a score in any of a query's nearest clusters is
    not chosen for it: an average from elsewhere, from easier questions perhaps, would be no evidence. A zero embedding
    is equally far from all clusters under "dot" and "cosine" and goes to the lowest numbered ones.

    Args:
        n_clusters: 64 in the paper; the shipped configurations of the reference have 16, 25 and 30.
        assign: how near a cluster is, see `clustering.distance`; "dot" is the reference's.
        top_k: how many nearest clusters have a say; 1 makes it the best model of the nearest cluster.
        beta: sharpness of their weights, without effect for top_k=1.
        search_dim: principal components in which k-means searches, see `clustering.k_means`; 0 for all dimensions.
        seed: of k-means.
    """

    name: ClassVar[str] = "avengers"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        *,
        n_clusters: int = 64,
        assign: str = "dot",
        top_k: int = 1,
        beta: float = 9.0,
        search_dim: int = 64,
        seed: int = 42,
    ) -> None:
        self.n_clusters = n_clusters
        self.assign = assign
        self.top_k = top_k
        self.beta = beta
        self.search_dim = search_dim
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Cluster the training embeddings and average the scores in each cluster."""
        checks.at_least(self, "n_clusters", 1)
        checks.one_of(self, "assign", clustering.ASSIGNMENTS)
        checks.at_least(self, "top_k", 1)
        checks.at_least(self, "beta", 0)
        checks.at_least(self, "search_dim", 0)
        row, score = checks.scored(self, train)
        unit = clustering.unit_rows(checks.embedding(self, train)[row])
        self.models_ = train.models
        self.centre_, label = clustering.k_means(unit, self.n_clusters, self.search_dim, self.seed)
        self.accuracy_ = group_mean(score, label, len(self.centre_))  # [n_clusters, n_models], NaN where no score
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Weighted reciprocal ranks in (0, 1], float64 [1, n_queries, n_models]; -inf where there is no evidence."""
        checks.same_pool(self, queries)
        unit = clustering.unit_rows(checks.embedding(self, queries, self.centre_.shape[1]))
        distance = clustering.distance(unit, self.centre_, self.assign)
        index, weight = clustering.nearest(distance, self.top_k, self.beta)
        return clustering.blend(clustering.reciprocal_rank(self.accuracy_)[None], index, weight)
