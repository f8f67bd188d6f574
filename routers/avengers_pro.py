"""Avengers-Pro: Avengers with a dial between accuracy and cost in every cluster (arXiv 2508.12631).

The clusters do not depend on the dial, so all its positions come from one k-means and one pass.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, clustering
from routers.averages import group_mean, overall_mean
from routers.router import Queries, Router
from routers.trade_off import alphas

COST_NORMALISATIONS = ("minmax", "max")
COMBINATIONS = ("score", "rank")


class AvengersPro(Router):
    """Per cluster alpha * accuracy + (1 - alpha) * cheapness, both scaled to [0, 1] within the cluster.

    Alpha = 1 chooses as Avengers does (with combine="score", top_p=1), alpha = 0 the cheapest model of the cluster.
    A model without a score in a query's nearest clusters is not chosen for it, so that a missing pair is never cheap. A
    model whose cost there is unknown has cheapness 0, that of the dearest; where a cluster knows no cost at all, the
    average costs over all training queries stand in.

    Args:
        n_clusters: 64 in LLMRouterBench, 60 in the original paper.
        n_trade_offs: positions of alpha, evenly from 0 to 1; 101 in LLMRouterBench.
        cost_normalisation: "minmax" within the cluster (paper) or "max", divided by the dearest (reference code).
        combine: over several clusters, add up the scores ("score", paper) or reciprocal ranks ("rank", code).
        top_p: how many nearest clusters have a say.
        beta: sharpness of their weights; 0 weighs them equally, as the paper's formula does.
        assign, search_dim, seed: see `avengers`.
    """

    name: ClassVar[str] = "avengers_pro"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        *,
        n_clusters: int = 64,
        n_trade_offs: int = 101,
        cost_normalisation: str = "minmax",
        combine: str = "score",
        assign: str = "dot",
        top_p: int = 1,
        beta: float = 9.0,
        search_dim: int = 64,
        seed: int = 42,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_trade_offs = n_trade_offs
        self.cost_normalisation = cost_normalisation
        self.combine = combine
        self.assign = assign
        self.top_p = top_p
        self.beta = beta
        self.search_dim = search_dim
        self.seed = seed

    def trade_offs(self) -> NDArray[np.float64]:
        """Alpha, the weight of accuracy, from 0 to 1, float64 [n_trade_offs]."""
        checks.at_least(self, "n_trade_offs", 2)
        return alphas(self.n_trade_offs)

    def fit(self, train: Queries) -> Self:
        """Cluster the training embeddings and average scores and costs in each cluster.

        Raises:
            RouterError: unusable data; no pair has both a score and a cost, so that there is nothing to trade off.
        """
        checks.at_least(self, "n_clusters", 1)
        checks.one_of(self, "cost_normalisation", COST_NORMALISATIONS)
        checks.one_of(self, "combine", COMBINATIONS)
        checks.one_of(self, "assign", clustering.ASSIGNMENTS)
        checks.at_least(self, "top_p", 1)
        checks.at_least(self, "beta", 0)
        checks.at_least(self, "search_dim", 0)
        row, score = checks.scored(self, train)
        cost = checks.priced(self, train, row, score)
        unit = clustering.unit_rows(checks.embedding(self, train)[row])
        self.models_ = train.models
        self.centre_, label = clustering.k_means(unit, self.n_clusters, self.search_dim, self.seed)
        accuracy, cluster_cost = (group_mean(value, label, len(self.centre_)) for value in (score, cost))
        is_priced = ~np.isnan(cluster_cost).all(axis=1, keepdims=True)
        cluster_cost = np.where(is_priced, cluster_cost, overall_mean(cost))
        self.balance_ = balance(accuracy, cluster_cost, self.trade_offs(), self.cost_normalisation)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Weighted balance in [0, 1], float64 [n_trade_offs, n_queries, n_models]; -inf where there is no evidence."""
        checks.same_pool(self, queries)
        unit = clustering.unit_rows(checks.embedding(self, queries, self.centre_.shape[1]))
        distance = clustering.distance(unit, self.centre_, self.assign)
        index, weight = clustering.nearest(distance, self.top_p, self.beta)
        value = self.balance_ if self.combine == "score" else clustering.reciprocal_rank(self.balance_)
        return clustering.blend(value, index, weight)


def balance(
    accuracy: NDArray[np.float64], cost: NDArray[np.float64], alpha: NDArray[np.float64], cost_normalisation: str
) -> NDArray[np.float64]:
    """Accuracy and cheapness of the models of each cluster, weighed by alpha (Avengers-Pro, its scoring equation).

    Args:
        accuracy: [n_clusters, n_models], NaN where the cluster has no score of the model.
        cost: USD per query, [n_clusters, n_models], NaN where unknown.
        alpha: weight of accuracy in [0, 1], [n_trade_offs].
        cost_normalisation: "minmax" or "max".

    Returns:
        float64 [n_trade_offs, n_clusters, n_models] in [0, 1], NaN where accuracy is NaN. Accuracies that are all
        equal count 1, costs that are all equal are all cheap under "minmax"; an unknown cost is as bad as the dearest.
    """
    scaled_accuracy = _scaled(accuracy, _extreme(accuracy, np.fmin), if_equal=1.0)
    lowest = _extreme(cost, np.fmin) if cost_normalisation == "minmax" else 0.0
    cheapness = 1.0 - _scaled(cost, lowest, if_equal=0.0)
    cheapness = np.where(np.isnan(cheapness), 0.0, cheapness)
    alpha = alpha[:, None, None]
    return alpha * scaled_accuracy + (1.0 - alpha) * cheapness


def _extreme(value: NDArray[np.float64], pick: np.ufunc) -> NDArray[np.float64]:
    """Smallest or largest of each row, NaN left out (and without the warning of nanmin for a row of NaN)."""
    return pick.reduce(value, axis=1, keepdims=True)


def _scaled(value: NDArray[np.float64], low: NDArray[np.float64] | float, if_equal: float) -> NDArray[np.float64]:
    """(value - low) / (largest of the row - low), `if_equal` where that divides by 0, NaN where value is NaN."""
    span = np.broadcast_to(_extreme(value, np.fmax) - low, value.shape)
    share = np.divide(value - low, span, out=np.full(value.shape, if_equal), where=span != 0)
    return np.where(np.isnan(value), np.nan, share)
