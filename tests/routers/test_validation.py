"""The held-out part and what choosing earns on it."""

import numpy as np

from routers.validation import held_out, mean_reward

NAN = np.nan
BENCHMARK = np.repeat([0, 3, 7], [40, 11, 3])


def test_a_share_of_every_benchmark_is_held_out():
    mask = held_out(BENCHMARK, 0.1, 42)
    assert [mask[number == BENCHMARK].sum() for number in (0, 3, 7)] == [4, 1, 0]
    assert not held_out(BENCHMARK, 0.0, 42).any()


def test_a_benchmark_of_one_query_is_trained_on():
    assert not held_out(np.array([5]), 0.2, 42).any()


def test_seeds_hold_out_other_queries():
    assert (held_out(BENCHMARK, 0.1, 42) == held_out(BENCHMARK, 0.1, 42)).all()
    assert (held_out(BENCHMARK, 0.1, 42) != held_out(BENCHMARK, 0.1, 999)).any()


def test_another_benchmark_does_not_move_the_others():
    alone = held_out(BENCHMARK[BENCHMARK == 3], 0.1, 42)
    np.testing.assert_array_equal(held_out(BENCHMARK, 0.1, 42)[BENCHMARK == 3], alone)


def earned(utility, reward, benchmark):
    return mean_reward(np.array(utility, dtype=float), np.array(reward, dtype=float), np.array(benchmark)).tolist()


def test_benchmarks_weigh_equally():
    reward = [[1, 0], [1, 0], [1, 0], [0.5, 1]]
    assert earned([[[1, 0]] * 4, [[0, 1]] * 4], reward, [0, 0, 0, 1]) == [0.75, 0.5]


def test_missing_pairs_are_not_chosen():
    assert earned([[[2, 1, 0]] * 2], [[NAN, 0.25, 1], [0.75, NAN, NAN]], [0, 0]) == [0.5]


def test_a_query_that_leaves_nothing_to_choose_does_not_count():
    utility = [[[2, 1], [-np.inf, 1], [2, 1]]]
    assert earned(utility, [[NAN, NAN], [1, NAN], [0.5, 1]], [0, 0, 0]) == [0.5]


def test_nothing_known_is_no_number():
    assert np.isnan(earned([[[2, 1]]], [[NAN, NAN]], [0]))
    assert np.isnan(mean_reward(np.zeros((1, 0, 2)), np.zeros((0, 2)), np.zeros(0, int))).all()
