"""Accuracy against cost: the grid, the unit and what is unknown."""

import numpy as np

from routers.trade_off import alphas, cost_unit, weigh

NAN, INF = np.nan, np.inf


def test_alphas_are_even_and_reach_both_ends():
    np.testing.assert_array_equal(alphas(101), [i / 100 for i in range(101)])
    np.testing.assert_array_equal(alphas(2), [0, 1])


def test_unit_is_the_mean_cost_of_the_dearest_model():
    assert cost_unit(np.array([[1.0, 5.0, NAN], [2.0, NAN, NAN]])) == 5.0
    assert cost_unit(np.zeros((2, 2))) == 1.0


def test_hand_computed():
    value = weigh(np.array([[0.9, 0.6]]), np.array([[0.02, 0.005]]), np.array([0.0, 0.5, 1.0]), unit=0.02)
    np.testing.assert_allclose(value, [[[-1.0, -0.25]], [[-0.05, 0.175]], [[0.9, 0.6]]])


def test_half_way_a_point_of_score_is_worth_the_unit():
    value = weigh(np.array([[1.0, 0.0]]), np.array([[3.0, 1.0]]), np.array([0.5]), unit=2.0)[0, 0]
    assert value[0] == value[1]


def test_one_cost_per_model():
    value = weigh(np.zeros((2, 3)), np.array([1.0, 2.0, NAN]), np.array([0.0]), unit=1.0)
    assert value.tolist() == [[[-1, -2, -2], [-1, -2, -2]]]


def test_an_unknown_cost_is_that_of_the_dearest_model_that_may_be_chosen():
    value = weigh(np.array([[-INF, 0.5, 0.5, 0.5]]), np.array([[9.0, 2.0, NAN, 1.0]]), np.array([0.0, 1.0]), unit=1.0)
    assert value.tolist() == [[[-INF, -2, -2, -1]], [[-INF, 0.5, 0.5, 0.5]]]


def test_no_cost_known_for_a_query():
    assert weigh(np.array([[0.5, 0.7]]), np.array([[NAN, NAN]]), np.array([0.5]), unit=1.0).tolist() == [[[0.25, 0.35]]]
