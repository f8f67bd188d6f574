"""Avengers-Pro: the dial between accuracy and cost."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, split, world

from routers.avengers import Avengers
from routers.avengers_pro import AvengersPro, balance
from routers.router import RouterError, choose

NAN = np.nan
TRAIN, TEST = split(continuous(n_queries=400))
ACCURACY, COST = np.array([[0.9, 0.6, 0.3]]), np.array([[10.0, 2.0, 1.0]])
EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def build(score, cost, embedding):
    cost = np.array(cost, dtype=float)
    return world(np.array(score, dtype=float), np.zeros(len(score)), np.array(embedding), cost)


@pytest.mark.parametrize(
    ("cost_normalisation", "alpha", "expected"),
    [
        ("max", 0.3, [0.30, 0.71, 0.63]),
        ("max", 0.5, [0.50, 0.65, 0.45]),
        ("max", 0.0, [0.0, 0.8, 0.9]),
        ("minmax", 0.3, [0.30, 0.7722, 0.70]),
        ("minmax", 0.0, [0.0, 0.8889, 1.0]),
    ],
)
def test_published_vector(cost_normalisation, alpha, expected):
    value = balance(ACCURACY, COST, np.array([alpha]), cost_normalisation)
    np.testing.assert_allclose(value[0, 0], expected, atol=5e-5)


def test_equal_accuracies_count_one_and_equal_costs_are_all_cheap():
    flat = np.full((1, 3), 0.4)
    assert balance(flat, flat, np.array([0.25]), "minmax").tolist() == [[[1.0, 1.0, 1.0]]]


def test_free_models_are_all_cheap():
    free = np.zeros((1, 3))
    assert balance(ACCURACY, free, np.array([0.0]), "max").tolist() == [[[1.0, 1.0, 1.0]]]


@pytest.mark.parametrize("cost_normalisation", ["max", "minmax"])
def test_unknown_cost_is_as_bad_as_the_dearest(cost_normalisation):
    value = balance(ACCURACY, np.array([[NAN, 2.0, 1.0]]), np.array([0.0]), cost_normalisation)[0, 0]
    assert value[0] == 0 == value[1]
    assert value.argmax() == 2


def test_missing_accuracy_stays_missing_and_shapes_no_scale():
    accuracy = np.array([[NAN, 0.6, 0.3]])
    value = balance(accuracy, np.array([[NAN, 2.0, 1.0]]), np.array([0.5]), "minmax")
    np.testing.assert_array_equal(value, [[[NAN, 0.5, 0.5]]])


def test_trade_offs_are_hundredths():
    np.testing.assert_array_equal(AvengersPro().trade_offs(), [i / 100 for i in range(101)])
    np.testing.assert_array_equal(AvengersPro(n_trade_offs=2).trade_offs(), [0, 1])


def test_fewer_than_two_trade_offs():
    with pytest.raises(RouterError, match="n_trade_offs is 1; expected a number of at least 2"):
        AvengersPro(n_trade_offs=1).fit(TRAIN)


@pytest.mark.parametrize("assign", ["dot", "euclidean", "cosine"])
def test_alpha_one_chooses_as_avengers_does(assign):
    params = {"n_clusters": 16, "assign": assign}
    pro = choose(AvengersPro(**params).fit(TRAIN).predict(TEST))[-1]
    np.testing.assert_array_equal(pro, choose(Avengers(**params).fit(TRAIN).predict(TEST))[0])


def test_alpha_one_equals_avengers_over_several_clusters_by_rank():
    params = {"n_clusters": 16, "beta": 4.0}
    pro = AvengersPro(top_p=3, combine="rank", **params).fit(TRAIN).predict(TEST)[-1]
    np.testing.assert_allclose(pro, Avengers(top_k=3, **params).fit(TRAIN).predict(TEST)[0], rtol=1e-12)


def test_alpha_zero_chooses_the_cheapest_model_of_the_cluster():
    train = build([[1, 0], [1, 0]], [[1e-3, 2e-3], [4e-3, 3e-3]], [EAST, NORTH])
    assert choose(AvengersPro().fit(train).predict(train))[0].tolist() == [0, 1]


def test_alpha_zero_never_takes_a_missing_pair_for_free():
    train = build([[1, NAN], [1, NAN], [0.9, 1]], [[5e-3, 0.0], [5e-3, 0.0], [5e-3, 1e-4]], [EAST, EAST, NORTH])
    test = build([[0, 0], [0, 0]], [[0, 0], [0, 0]], [EAST, NORTH])
    utility = AvengersPro(n_clusters=2).fit(train).predict(test)
    assert np.isneginf(utility[:, 0, 1]).all()
    assert choose(utility)[0].tolist() == [0, 1]


def test_the_cost_of_a_pair_without_score_does_not_count():
    train = build([[1, 1], [NAN, 1]], [[1e-3, 2e-3], [1.0, 2e-3]], [EAST, EAST])
    assert choose(AvengersPro().fit(train).predict(train))[0].tolist() == [0, 0]


def test_a_cluster_without_any_cost_takes_the_average_costs():
    train = build([[1, 1], [1, 1]], [[NAN, NAN], [3e-3, 1e-3]], [EAST, NORTH])
    assert choose(AvengersPro().fit(train).predict(train))[0].tolist() == [1, 1]


def test_no_cost_at_all_is_refused_with_the_way_out():
    with pytest.raises(RouterError, match="no cost of the training queries is known; give the models prices"):
        AvengersPro().fit(replace(TRAIN, cost=np.full_like(TRAIN.cost, NAN)))
    with pytest.raises(RouterError, match="needs the cost"):
        AvengersPro().fit(replace(TRAIN, cost=None))


def test_accuracy_and_cost_rise_with_alpha_on_the_training_part():
    choice = choose(AvengersPro(n_clusters=8).fit(TRAIN).predict(TRAIN))  # [n_trade_offs, n_queries]
    row = np.arange(TRAIN.n_queries)
    score, cost = TRAIN.score[row, choice].mean(axis=1), TRAIN.cost[row, choice].mean(axis=1)
    assert np.corrcoef(np.arange(101), score)[0, 1] > 0.8
    assert np.corrcoef(np.arange(101), cost)[0, 1] > 0.8
    assert score[-1] > score[0]
    assert cost[-1] > cost[0]


def test_several_clusters_add_up_scores_or_ranks():
    train = build([[0.9, 0.5, 0.0], [0.0, 0.9, 0.8]], [[1, 1, 1], [1, 1, 1]], [EAST, NORTH])
    test = build([[0, 0, 0]], [[0, 0, 0]], [[1.0, 1.0]])  # half way
    score = AvengersPro(top_p=2).fit(train).predict(test)[-1, 0]
    rank = AvengersPro(top_p=2, combine="rank").fit(train).predict(test)[-1, 0]
    np.testing.assert_allclose(score, [(1 + 0) / 2, (5 / 9 + 1) / 2, (0 + 8 / 9) / 2], rtol=1e-6)
    np.testing.assert_allclose(rank, [(1 + 1 / 3) / 2, (1 / 2 + 1) / 2, (1 / 3 + 1 / 2) / 2], rtol=1e-6)


@pytest.mark.parametrize("parameter", ["cost_normalisation", "combine", "assign"])
def test_an_unknown_choice_lists_the_valid_ones(parameter):
    with pytest.raises(RouterError, match=f"{parameter} is 'other'; valid: "):
        AvengersPro(**{parameter: "other"}).fit(TRAIN)
