"""CARROT: two estimates and the balance between them."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, rows, split, visible, world

from routers.carrot import Carrot
from routers.knn import KNN
from routers.linear import Linear
from routers.router import RouterError, choose
from routers.trade_off import weigh

NAN = np.nan
TRAIN, TEST = split(continuous(n_queries=400))
EAST, NORTH = [1.0, 0.0], [0.0, 1.0]

both = pytest.mark.parametrize("estimator", ["knn", "linear"])


def build(score, cost, embedding):
    return world(np.array(score, dtype=float), np.zeros(len(score)), np.array(embedding), np.array(cost, dtype=float))


def costs(router, queries):
    """The costs that a fitted router expects, in units, from its utilities at alpha 0."""
    return -router.predict(queries)[0] * router.unit_


def test_knn_weighs_the_means_of_scores_and_costs_of_the_neighbours():
    router = Carrot(n_neighbors=7, n_trade_offs=5).fit(TRAIN)
    score, cost = (
        KNN(n_neighbors=7, shrinkage=0.0).fit(replace(TRAIN, score=column)).predict(TEST)[0]
        for column in (TRAIN.score, TRAIN.cost)
    )
    unit = TRAIN.cost.mean(axis=0).max()
    np.testing.assert_allclose(router.predict(TEST), weigh(score, cost, np.arange(5) / 4, unit), rtol=1e-9)


def test_alpha_one_chooses_as_the_estimator_of_the_score_alone():
    knn = KNN(n_neighbors=5, shrinkage=0.0)
    binary = replace(TRAIN, score=(TRAIN.score > 0.5).astype(float))  # scores with ties
    np.testing.assert_array_equal(
        choose(Carrot(n_neighbors=5).fit(binary).predict(TEST))[-1], choose(knn.fit(binary).predict(TEST))[0]
    )
    linear = Carrot(estimator="linear").fit(TRAIN).predict(TEST)[-1]
    np.testing.assert_allclose(linear, Linear().fit(TRAIN).predict(TEST)[0], rtol=1e-9)


@both
def test_alpha_zero_chooses_the_cheapest_model_for_the_query(estimator):
    train = build([[1, 0]] * 8, [[1e-3, 2e-3]] * 4 + [[4e-3, 3e-3]] * 4, [EAST] * 4 + [NORTH] * 4)
    choice = choose(Carrot(estimator=estimator, n_neighbors=4).fit(train).predict(rows(train, [0, 4])))
    assert choice[0].tolist() == [0, 1]
    assert choice[-1].tolist() == [0, 0]


def test_mean_cost_is_the_same_for_every_query():
    train = build([[1, 0]] * 8, [[1e-3, 2e-3]] * 4 + [[4e-3, 3e-3]] * 4, [EAST] * 4 + [NORTH] * 4)
    router = Carrot(cost="mean", n_neighbors=4).fit(train)
    np.testing.assert_allclose(costs(router, train), np.tile([2.5e-3, 2.5e-3], (8, 1)))
    assert router.unit_ == pytest.approx(2.5e-3)


def test_linear_costs_are_right_in_sum_though_they_are_learned_as_logarithms():
    rng = np.random.default_rng(0)
    heavy = TRAIN.cost * rng.lognormal(0.0, 2.0, size=TRAIN.cost.shape)
    expected = costs(Carrot(estimator="linear").fit(replace(TRAIN, cost=heavy)), TRAIN)
    np.testing.assert_allclose(expected.sum(axis=0), heavy.sum(axis=0), rtol=0.1)


def test_linear_costs_are_found_where_they_depend_on_the_query():
    taste = np.random.default_rng(1).normal(size=(TRAIN.embedding.shape[1], 4))
    train, test = (replace(part, cost=1e-3 * np.exp(part.embedding @ taste / 2)) for part in (TRAIN, TEST))
    expected = costs(Carrot(estimator="linear").fit(train), test)
    assert np.corrcoef(np.log(expected).ravel(), np.log(test.cost).ravel())[0, 1] > 0.95


def test_linear_costs_stay_within_those_of_training_far_outside():
    far = replace(TEST, embedding=1000 * TEST.embedding)
    router = Carrot(estimator="linear").fit(TRAIN)
    low, high = TRAIN.cost.min(axis=0), TRAIN.cost.max(axis=0)
    assert (costs(router, far) < 2 * high).all()
    assert (costs(router, far) > low / 2).all()


@both
def test_free_models_are_free(estimator):
    cost = TRAIN.cost * [1, 0, 1, 1]
    router = Carrot(estimator=estimator).fit(replace(TRAIN, cost=cost))
    assert np.abs(costs(router, TEST)[:, 1]).max() < 1e-12
    assert (choose(router.predict(TEST))[0] == 1).all()


@both
def test_all_models_free(estimator):
    utility = Carrot(estimator=estimator).fit(replace(TRAIN, cost=0.0 * TRAIN.cost)).predict(TEST)
    np.testing.assert_allclose(utility[50], utility[-1] / 2, atol=1e-9)


@both
def test_a_model_without_a_known_cost_is_as_dear_as_the_dearest(estimator):
    cost = np.where(np.arange(4) == 2, NAN, TRAIN.cost)
    router = Carrot(estimator=estimator).fit(replace(TRAIN, cost=cost))
    expected = costs(router, TEST)
    np.testing.assert_allclose(expected[:, 2], expected[:, [0, 1, 3]].max(axis=1))


@both
def test_the_cost_of_a_pair_without_score_does_not_count(estimator):
    score = np.where(np.arange(TRAIN.n_queries)[:, None] % 2, TRAIN.score, [NAN, 1, 1, 1])
    bait = replace(TRAIN, score=score, cost=np.where(np.isnan(score), 0.0, TRAIN.cost))
    plain = replace(TRAIN, score=score, cost=np.where(np.isnan(score), NAN, TRAIN.cost))
    router = Carrot(estimator=estimator)
    np.testing.assert_array_equal(router.fit(bait).predict(TEST), router.clone().fit(plain).predict(TEST))


def test_a_model_that_no_neighbour_has_a_score_of_is_not_chosen_even_if_cheap():
    train = build([[1, NAN], [1, NAN], [0.9, 1]], [[5e-3, 0.0], [5e-3, 0.0], [5e-3, 1e-4]], [EAST, EAST, NORTH])
    utility = Carrot(n_neighbors=2).fit(train).predict(rows(train, [0]))
    assert np.isneginf(utility[:, 0, 1]).all()


@both
def test_accuracy_and_cost_rise_with_alpha(estimator):
    router = Carrot(estimator=estimator).fit(TRAIN)
    choice = choose(router.predict(visible(TEST, router)))
    row = np.arange(TEST.n_queries)
    score, cost = TEST.score[row, choice].mean(axis=1), TEST.cost[row, choice].mean(axis=1)
    assert cost[0] == pytest.approx(cost.min(), rel=0.05)
    assert np.corrcoef(np.arange(101), cost)[0, 1] > 0.8
    assert score[-1] > score[0] + 0.05
    assert cost[-1] > 1.2 * cost[0]


def test_no_cost_at_all_is_refused_with_the_way_out():
    with pytest.raises(RouterError, match="carrot: no cost of the training queries is known; give the models prices"):
        Carrot().fit(replace(TRAIN, cost=np.full_like(TRAIN.cost, NAN)))


@pytest.mark.parametrize("parameter", ["estimator", "cost"])
def test_an_unknown_choice_lists_the_valid_ones(parameter):
    with pytest.raises(RouterError, match=f"{parameter} is 'other'; valid: "):
        Carrot(**{parameter: "other"}).fit(TRAIN)
