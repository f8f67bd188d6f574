"""Oracle: highest score, then lowest cost, then lowest number, compared exactly."""

import numpy as np
from worlds import continuous, world

from routers.oracle import Oracle
from routers.router import choose

NAN = np.nan


def place(score, cost):
    test = world(np.array([score], dtype=float), np.zeros(1), np.zeros((1, 1)), np.array([cost], dtype=float))
    return Oracle().fit(test).predict(test)[0, 0].tolist()


def test_cheapest_of_the_best():
    assert place([1, 1, 0], [0.8, 0.1, 0.0]) == [-1, 0, -2]


def test_a_cost_difference_in_the_last_digit_decides():
    assert place([1, 1], [np.nextafter(1e-9, 1), 1e-9]) == [-1, 0]


def test_a_score_difference_in_the_last_digit_outweighs_any_cost():
    assert place([0.5, np.nextafter(0.5, 1)], [0.0, 1e9]) == [-1, 0]


def test_cheapest_of_all_where_none_is_right():
    assert place([0, 0, 0], [3, 1, 2]) == [-2, 0, -1]


def test_equal_score_and_cost_by_number():
    assert place([1, 1, 1], [2, 2, 2]) == [0, -1, -2]


def test_unknown_cost_comes_last_among_equal_scores():
    assert place([1, 1, 0], [NAN, 5, 1]) == [-1, 0, -2]


def test_no_cost_known_at_all():
    assert place([0, 1, 1], [NAN, NAN, NAN]) == [-2, 0, -1]


def test_missing_pair_is_never_chosen_even_if_free():
    assert place([NAN, 0, NAN], [0, 5, 0]) == [-np.inf, 0, -np.inf]


def test_query_without_any_score_leaves_nothing_to_choose():
    assert place([NAN, NAN], [1, 2]) == [0, 0]


def test_score_is_the_maximum_and_cost_the_minimum_over_maximisers():
    world_ = continuous()
    world_.score[:] = world_.score.round(1)
    choice = choose(Oracle().fit(world_).predict(world_))[0]
    row = np.arange(world_.n_queries)
    best = world_.score.max(axis=1)
    np.testing.assert_array_equal(world_.score[row, choice], best)
    cheapest = np.where(world_.score == best[:, None], world_.cost, np.inf).min(axis=1)
    np.testing.assert_array_equal(world_.cost[row, choice], cheapest)
