"""The zero router: its frontier by hand, and that it spends its budgets."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import noise, split, visible, world

from routers.router import RouterError, choose
from routers.zero_router import ZeroRouter, frontier

NAN = np.nan


@pytest.mark.parametrize(
    ("cost", "score", "corners"),
    [
        pytest.param([1, 3, 4, 7, 10], [0.4, 0.5, 0.6, 0.62, 0.7], [0, 2, 4], id="the spec's points for AIQ"),
        pytest.param([1, 2, 3], [0.5, 0.4, 0.3], [0], id="the cheapest is the best"),
        pytest.param([2, 1, 2], [0.6, 0.4, 0.9], [1, 2], id="equal costs"),
        pytest.param([1, 1], [0.4, 0.4], [0], id="twins"),
        pytest.param([NAN, 2, 3], [0.9, 0.4, NAN], [1], id="unknown"),
        pytest.param([1, 2, 3], [0.25, 0.5, 0.75], [0, 2], id="on a line"),
    ],
)
def test_corners(cost, score, corners):
    assert frontier(np.array(cost, dtype=float), np.array(score)).tolist() == corners


def test_budgets_are_spent_on_average_and_bought_at_the_price_of_the_frontier():
    rng = np.random.default_rng(0)
    score = rng.random((6000, 3)) < [0.2, 0.5, 0.6]
    train, test = split(
        world(score, np.arange(6000) % 2, rng.normal(size=(6000, 2)), np.tile([1.0, 2.0, 5.0], (6000, 1)))
    )
    router = ZeroRouter(n_trade_offs=5).fit(train)
    choice = choose(router.predict(visible(test, router)))
    row = np.arange(test.n_queries)
    np.testing.assert_allclose(test.cost[row, choice].mean(axis=1), [1, 2, 3, 4, 5], atol=0.1)
    np.testing.assert_allclose(test.score[row, choice].mean(axis=1), [0.2, 0.5, 0.5333, 0.5667, 0.6], atol=0.04)


def test_no_known_cost_is_named():
    train, _ = split(noise(n_queries=100))
    with pytest.raises(RouterError, match="no cost"):
        ZeroRouter().fit(replace(train, cost=np.full(train.cost.shape, NAN)))
