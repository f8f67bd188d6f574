"""CARROT: estimate score and cost of every model for the query at hand, then weigh one against the other.

The two are estimated apart, and the plug-in choice between them is rate-optimal among all routers (arXiv 2502.03261).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, trade_off
from routers.averages import as_utility, mean_of, overall_mean
from routers.knn import KNN
from routers.ridge import fit_heads
from routers.router import Queries, Router

ESTIMATORS = ("knn", "linear")
COSTS = ("query", "mean")


class Carrot(Router):
    """alpha * expected score - (1 - alpha) * expected cost / unit, see `trade_off`.

    The reference writes (1 - mu) * score - mu * cost with the cost in US dollars. Alpha is 1 - mu; another unit of the
    cost only stretches the grid, so that it covers the whole curve whatever the prices are.

    A model whose cost is unknown counts as dear as the dearest for that query; one without evidence of its score is not
    chosen.

    Args:
        estimator: "knn", means of scores and costs over the nearest training queries (CARROT-KNN; the reference finds
            the number of neighbours by cross-validation, here it is a parameter). "linear", ridge heads (see `linear`)
            on the score and on the logarithm of the cost, since costs spread over powers of ten. The exponential of an
            expected logarithm falls short of the expected cost, so each model's is scaled until the costs of the
            training queries, each predicted without itself, have the right sum (in the manner of Duan's smearing).
        cost: "query", or "mean" for each model's mean training cost whatever the query is: RouterBench's rule, against
            which the paper holds its own.
        n_neighbors: of knn, by cosine, equally weighed.
        n_components: of linear.
        n_trade_offs: values of alpha, evenly from 0 to 1.
        seed: of linear.
    """

    name: ClassVar[str] = "carrot"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        *,
        estimator: str = "knn",
        cost: str = "query",
        n_neighbors: int = 40,
        n_components: int = 384,
        n_trade_offs: int = 101,
        seed: int = 42,
    ) -> None:
        self.estimator = estimator
        self.cost = cost
        self.n_neighbors = n_neighbors
        self.n_components = n_components
        self.n_trade_offs = n_trade_offs
        self.seed = seed

    def trade_offs(self) -> NDArray[np.float64]:
        """Alpha, the weight of accuracy, from 0 to 1, float64 [n_trade_offs]."""
        checks.at_least(self, "n_trade_offs", 2)
        return trade_off.alphas(self.n_trade_offs)

    def fit(self, train: Queries) -> Self:
        """Fit one estimator on scores and costs.

        Raises:
            RouterError: unusable data; no pair has both a score and a cost, so that there is nothing to trade off.
        """
        checks.one_of(self, "estimator", ESTIMATORS)
        checks.one_of(self, "cost", COSTS)
        checks.at_least(self, "n_neighbors", 1)
        checks.at_least(self, "n_components", 0)
        row, score = checks.scored(self, train)
        cost = checks.priced(self, train, row, score)
        embedding = checks.embedding(self, train)[row]
        self.models_ = train.models
        self.dim_ = embedding.shape[1]
        self.mean_cost_ = overall_mean(cost)  # [n_models], NaN where no cost is known
        self.unit_ = trade_off.cost_unit(cost)
        if self.estimator == "knn":
            # costs are averaged like scores of as many further models; below zero, so that only scores have ties broken
            self.knn_ = KNN(n_neighbors=self.n_neighbors, shrinkage=0.0).fit(self._columns(embedding, score, -cost))
            return self
        # log(1 + cost / cent) is all but the logarithm of the cost of a paid answer, and 0 for a free one
        self.cent_ = float(np.min(cost, where=cost > 0, initial=self.unit_))
        log_cost = np.log1p(cost / self.cent_)
        self.log_range_ = np.fmin.reduce(log_cost), np.fmax.reduce(log_cost)  # each [n_models]
        heads = fit_heads(embedding, [score, log_cost], self.n_components, self.seed)
        self.score_head_, self.cost_head_ = [(slope, intercept) for slope, intercept, _ in heads]
        self.smearing_ = np.ones(len(train.models))
        expected = self._paid(heads[1][2])
        ratio = mean_of(np.nansum(cost, axis=0), np.nansum(expected, axis=0))
        self.smearing_ = np.where(np.isnan(ratio), 1.0, ratio)  # NaN: nothing known, or all free
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Balance of score and cost, float64 [n_trade_offs, n_queries, n_models]; -inf where there is no evidence."""
        checks.same_pool(self, queries)
        score, cost = self._expected(checks.embedding(self, queries, self.dim_))
        if self.cost == "mean":
            cost = np.broadcast_to(self.mean_cost_, cost.shape)
        return trade_off.weigh(score, cost, self.trade_offs(), self.unit_)

    def _expected(self, embedding: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expected scores (-inf for no evidence) and costs in USD (NaN for unknown), each [n_queries, n_models]."""
        if self.estimator == "knn":
            score, minus_cost = np.split(self.knn_.predict(self._columns(embedding))[0], 2, axis=1)
            return score, np.where(np.isneginf(minus_cost), np.nan, -minus_cost)
        score, log_cost = (embedding @ slope + intercept for slope, intercept in (self.score_head_, self.cost_head_))
        return as_utility(score), self._paid(log_cost)

    def _columns(self, embedding: NDArray[np.float32], *columns: NDArray[np.float64]) -> Queries:
        """Queries with twice the models, to fit scores and costs at once or to predict them."""
        score = np.column_stack(columns) if columns else None
        return Queries(models=2 * self.models_, n_queries=len(embedding), embedding=embedding, score=score)

    def _paid(self, log_cost: NDArray[np.float64]) -> NDArray[np.float64]:
        """Costs in USD of expected logarithms, kept within the model's in training: exponentials run away quickly."""
        return np.expm1(np.clip(log_cost, *self.log_range_)) * self.cent_ * self.smearing_
