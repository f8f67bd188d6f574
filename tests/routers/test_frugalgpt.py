"""FrugalGPT: the search for orders and thresholds against brute force, then what the whole router does."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from worlds import avg_acc, specialists, split, visible, world

from routers.cascade_search import Evidence, best_cascades
from routers.frugalgpt import FrugalGPT
from routers.router import choose
from scoring.metrics import choice_cost

BUDGETS = np.array([1.0, 1.5, 2.5, 4.0, 7.0])


def evidence(seed, n_queries=14, n_models=3):
    """Reliabilities with ties and missing answers, costs that rise from model to model."""
    rng = np.random.default_rng(seed)
    reliability = rng.integers(1, 7, size=(n_queries, n_models)) / 7
    reliability[rng.random(reliability.shape) < 0.1] = -np.inf
    cost = np.arange(1, n_models + 1) ** 2 * rng.uniform(0.5, 1.0, size=reliability.shape)
    return Evidence(reliability=reliability, score=rng.integers(0, 3, size=reliability.shape) / 2, cost=cost)


def outcome(data, order, thresholds):
    """One query at a time, as the definition has it."""
    score = cost = 0.0
    for reliability, per_model, price in zip(data.reliability, data.score, data.cost, strict=True):
        for m, threshold in zip(order, thresholds, strict=True):
            cost += price[m]
            if reliability[m] >= threshold:
                break
        score += per_model[m]
    return score / len(data.score), cost / len(data.score)


@pytest.mark.parametrize("seed", range(8))
def test_the_best_cascade_of_two_is_found_for_every_budget(seed):
    data = evidence(seed)
    found = best_cascades(data, BUDGETS, 2)
    tried = [outcome(data, (m,), (-np.inf,)) for m in range(3)]
    for a, b in permutations(range(3), 2):
        tried += [outcome(data, (a, b), (t, -np.inf)) for t in [*np.arange(15) / 14, np.inf]]
    for budget, cascade in zip(BUDGETS, found, strict=True):
        best = max(score for score, cost in tried if cost <= budget)
        cheapest = min(cost for score, cost in tried if score == pytest.approx(best))
        assert outcome(data, cascade.order, cascade.threshold) == pytest.approx((best, cheapest))
        assert cascade.threshold[-1] == -np.inf


@pytest.mark.parametrize("seed", range(8))
def test_deeper_cascades_are_never_worse_and_keep_to_the_budget(seed):
    data = evidence(seed, n_queries=40, n_models=4)
    budgets = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    two, four = (best_cascades(data, budgets, depth) for depth in (2, 4))
    for budget, short, deep in zip(budgets, two, four, strict=True):
        score, cost = outcome(data, deep.order, deep.threshold)
        assert score >= outcome(data, short.order, short.threshold)[0] - 1e-9
        assert cost <= budget * (1 + 1e-6)
        assert len(set(deep.order)) == len(deep.order) <= 4


def test_three_models_are_called_where_that_is_best():
    """Each model but the last is sure of one query only, which no other one solves."""
    data = Evidence(reliability=np.eye(3) + 0.1, score=np.eye(3), cost=np.ones((3, 3)))
    for depth, solved in ((1, 1 / 3), (2, 2 / 3), (3, 1.0)):
        (found,) = best_cascades(data, np.array([3.0]), depth)
        assert outcome(data, found.order, found.threshold)[0] == pytest.approx(solved)


def test_without_any_order_dearer_models_come_after_cheaper_ones():
    data = evidence(3, n_queries=30, n_models=4)
    assert all(list(c.order) == sorted(c.order) for c in best_cascades(data, BUDGETS, 3, any_order=False))


def test_threshold_lies_half_way_between_neighbouring_reliabilities():
    data = Evidence(
        reliability=np.array([[0.9, 0.5], [0.8, 0.5], [0.2, 0.5], [0.1, 0.5]]),
        score=np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]),
        cost=np.tile([1.0, 4.0], (4, 1)),
    )
    (found,) = best_cascades(data, np.array([3.0]), 2)
    assert found.order == (0, 1)
    assert found.threshold == (0.5, -np.inf)


def two_models(n_queries=600, seed=0):
    """A cheap model that says when it is unsure, and a dear one that is nearly always right."""
    rng = np.random.default_rng(seed)
    score = rng.random((n_queries, 2)) < [0.6, 0.95]
    queries = world(
        score, np.arange(n_queries) % 3, rng.normal(size=(n_queries, 8)), np.tile([0.1, 1.0], (n_queries, 1))
    )
    said = tuple("surely" if right else "perhaps" for right in score[:, 0])
    return replace(queries, answer=(said, ("that is it",) * n_queries))


def test_a_cheap_model_that_knows_when_it_is_wrong_is_nearly_all_one_needs():
    train, test = split(two_models())
    router = FrugalGPT().fit(train)
    choice = choose(router.predict(visible(test, router)))
    accuracy = np.array([avg_acc(test, row) for row in choice])
    cost = choice_cost(test.cost, choice, router.calls()).mean(axis=1)
    assert accuracy[0] == pytest.approx(test.score[:, 0].mean(), abs=0.02)
    assert accuracy[-1] > test.score[:, 1].mean() + 0.01, "the answers of both together"
    assert cost[-1] < 0.6
    assert cost[0] == pytest.approx(0.1)
    assert (np.diff(cost) > -1e-12).all()


def test_without_answers_there_is_nothing_to_be_gained_here():
    train, test = split(two_models())
    router = FrugalGPT(scorer_input="query").fit(replace(train, answer=None))
    assert router.inputs == {"embedding"}
    choice = choose(router.predict(replace(visible(test, router), answer=None)))
    assert avg_acc(test, choice[-1]) <= test.score[:, 1].mean() + 0.02


def test_specialists_are_found_by_their_answers():
    """A cascade asks one model after another, so it finds the specialist whose answer is sure, with many calls."""
    train, test = split(specialists())
    one, five = (FrugalGPT(depth=depth).fit(train) for depth in (1, 5))
    best_single, found = (avg_acc(test, choose(r.predict(visible(test, r)))[-1]) for r in (one, five))
    assert best_single < 0.5
    assert found > 0.8


def test_a_large_pool_is_searched_along_the_frontier():
    train, _ = split(two_models())
    router = FrugalGPT(max_orders=0).fit(train)
    assert {c.order for c in router.cascades_} <= {(0,), (1,), (0, 1)}


def test_only_the_named_models_are_called():
    train, test = split(specialists())
    router = FrugalGPT(models=("model-b", "model-d")).fit(train)
    assert set(np.unique(choose(router.predict(test)))) <= {1, 3}


def test_a_model_whose_cost_nobody_knows_is_not_called():
    train, test = split(two_models())
    train = replace(train, cost=np.where([False, True], np.nan, train.cost))
    assert (choose(FrugalGPT().fit(train).predict(test)) == 0).all()
