"""RouterBench's simulated cascade against a plain loop, and its two ends."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import specialists, split, visible

from routers.cascade import SimulatedCascade
from routers.router import RouterError, choose
from scoring.metrics import choice_cost

QUERIES = specialists(n_queries=300)
TRAIN, TEST = split(replace(QUERIES, cost=QUERIES.cost * [9.0, 1.0, 3.0, 81.0, 27.0]))


def routed(router, test=TEST):
    choice = choose(router.fit(TRAIN).predict(visible(test, router)))
    return choice, choice_cost(test.cost, choice, router.calls())


@pytest.mark.parametrize("error_rate", [0.0, 0.3, 1.0])
def test_equals_the_definition(error_rate):
    router = SimulatedCascade(error_rate=error_rate)
    choice, cost = routed(router)
    assert router.order_.tolist() == [1, 2, 0, 4, 3]
    is_wrong = router._draws(TEST.text) < error_rate
    for budget, chosen, spent in zip(router.budget_, choice, cost, strict=True):
        for q in range(TEST.n_queries):
            left = budget
            for place, m in enumerate(router.order_):
                if place and TEST.cost[q, m] > left:
                    break
                left -= TEST.cost[q, m]
                answer = m
                if (TEST.score[q, m] >= router.right_) != is_wrong[q, place]:
                    break
            assert chosen[q] == answer
            assert spent[q] == pytest.approx(budget - left)


def test_a_judge_without_error_and_a_large_budget_finds_every_right_answer():
    router = SimulatedCascade(error_rate=0.0)
    rich = replace(TEST, cost=TEST.cost / 100)
    choice, _ = routed(router, rich)
    right = TEST.score[np.arange(TEST.n_queries), choice[-1]]
    np.testing.assert_array_equal(right, TEST.score.max(axis=1))


def test_errors_have_the_given_rate_and_belong_to_the_seed():
    router = SimulatedCascade(error_rate=0.3).fit(TRAIN)
    draws = router._draws(tuple(f"query {i}" for i in range(4000)))
    assert (draws < 0.3).mean() == pytest.approx(0.3, abs=0.01)
    assert abs(np.corrcoef(draws.T) - np.eye(5)).max() < 0.06
    assert (SimulatedCascade(seed=7).fit(TRAIN)._draws(TEST.text) != router._draws(TEST.text)).all()


def test_a_missing_pair_is_not_given_where_there_is_another():
    missing = np.random.default_rng(0).random(TEST.score.shape) < 0.4
    sparse = replace(TEST, score=np.where(missing, np.nan, TEST.score))
    choice, _ = routed(SimulatedCascade(error_rate=0.0), sparse)
    given = ~np.isnan(sparse.score)[np.arange(TEST.n_queries), choice]
    assert given[:, given.any(axis=0)][-1].all()


def test_an_unknown_cost_ends_the_cascade():
    unknown = replace(TEST, cost=np.where(np.arange(5) == 2, np.nan, TEST.cost))
    choice, cost = routed(SimulatedCascade(error_rate=0.0), unknown)
    assert set(np.unique(choice)) == {1}
    assert not np.isnan(cost).any()


@pytest.mark.parametrize("params", [{"error_rate": 1.5}, {"quantile": 2}, {"error_rate": -0.1}])
def test_rates_are_between_0_and_1(params):
    with pytest.raises(RouterError, match="expected"):
        SimulatedCascade(**params).fit(TRAIN)
