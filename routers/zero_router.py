"""Zero router: mixes single models at random along their accuracy-cost frontier (RouterBench, arXiv 2403.12031).

It looks at no query. What a router earns above it, it earns by looking.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import calling, checks
from routers.averages import group_mean, macro_mean, overall_mean
from routers.router import Queries, Router, RouterError


class ZeroRouter(Router):
    """For every budget the two neighbouring models of the convex frontier, in the shares that spend it on average.

    The frontier is the least concave, non-decreasing curve above all single models (training AvgAcc over mean training
    cost), from the cheapest model to the best. Budgets divide it evenly in USD and are called 0 … 1.

    It sees nothing of a query but its position in the call, so the draws belong to the places, as in `random_choice`.

    Args:
        n_trade_offs: budgets.
        seed: of the draws.
    """

    name: ClassVar[str] = "zero_router"
    inputs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, n_trade_offs: int = 21, seed: int = 42) -> None:
        self.n_trade_offs = n_trade_offs
        self.seed = seed

    def trade_offs(self) -> NDArray[np.float64]:
        """Budgets from 0, the cheapest model, to 1, the best one, float64 [n_trade_offs]."""
        checks.at_least(self, "n_trade_offs", 2)
        return calling.fractions(self.n_trade_offs)

    def fit(self, train: Queries) -> Self:
        """Find the frontier.

        Raises:
            RouterError: unusable data; no comparable model has a known cost.
        """
        row, score = checks.scored(self, train)
        cost = overall_mean(np.where(np.isnan(score), np.nan, checks.column(self, train, "cost")[row]))
        benchmark, group = np.unique(checks.column(self, train, "benchmark")[row], return_inverse=True)
        average = macro_mean(group_mean(score, group, len(benchmark)))
        self.models_ = train.models
        self.mean_ = overall_mean(score)
        self.frontier_ = frontier(cost, average)  # [n_corners]
        if not self.frontier_.size:
            raise RouterError(f"{self.name}: no cost of the training queries is known; give the models prices")
        self.cost_ = cost[self.frontier_]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """2 for the drawn model, mean training scores for the others, float64 [n_trade_offs, n_queries, n_models]."""
        checks.same_pool(self, queries)
        draw = np.random.default_rng([self.seed, *self.name.encode()]).random(queries.n_queries)
        budget = self.cost_[0] + self.trade_offs() * (self.cost_[-1] - self.cost_[0])
        # the place between corners: 1.25 is the second with probability 3/4 and the third with 1/4
        place = np.interp(budget, self.cost_, np.arange(len(self.cost_)))
        whole = np.floor(place)
        return calling.accept(
            self.frontier_[(whole[:, None] + (draw < (place - whole)[:, None])).astype(int)], self.mean_
        )


def frontier(cost: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.int64]:
    """The corners of the least concave, non-decreasing curve above all points, cheapest first.

    Args:
        cost, score: of the models, [n_models]; a point with a NaN is left out.

    Returns:
        Model numbers; costs and scores of the corners increase strictly.
    """
    corners: list[int] = []
    for m in np.lexsort((-score, cost)):
        if np.isnan(cost[m] + score[m]) or (corners and score[m] <= score[corners[-1]]):
            continue
        while corners and cost[corners[-1]] == cost[m]:
            corners.pop()
        while len(corners) > 1 and _slope(cost, score, corners[-2], m) >= _slope(cost, score, corners[-2], corners[-1]):
            corners.pop()
        corners.append(int(m))
    return np.array(corners, dtype=np.int64)


def _slope(cost: NDArray[np.float64], score: NDArray[np.float64], a: int, b: int) -> float:
    return float((score[b] - score[a]) / (cost[b] - cost[a]))
