"""The scaling curve in closed form against all groups, against draws, and at its ends."""

from itertools import combinations

import numpy as np
import pytest

from scoring.scaling import expected_best, miss_probability, scaling_curve
from store.score_matrix import pack


def matrix(score):
    return pack([f"m{i}" for i in range(score.shape[1])], score)


def scores(is_graded, shape=(40, 7)):
    rng = np.random.default_rng(0)
    score = (rng.random(shape) < 0.3).astype(np.float64)
    return score * rng.integers(1, 9, shape) / 8 if is_graded else score


def test_by_hand():
    # five models, groups of two: of the ten pairs, one (C(2, 2)) misses three right models, six miss one
    miss = miss_probability(5, [2])[0]
    np.testing.assert_allclose(miss, [1.0, 0.6, 0.3, 0.1, 0.0, 0.0], rtol=1e-12)
    score = np.array([[1, 0, 0, 0, 0], [1, 1, 1, 0, 0]])
    np.testing.assert_allclose(expected_best(matrix(score), [2]), [(0.4 + 0.9) / 2])
    # r_o(0.5): half of that and half of the mean score, 4 of 10
    np.testing.assert_allclose(scaling_curve(matrix(score), [2], [0.5]), [[0.5 * 0.65 + 0.5 * 0.4]])


@pytest.mark.parametrize("is_graded", [False, True])
def test_equals_the_mean_over_all_groups(is_graded):
    score = scores(is_graded)
    for m in range(1, 8):
        every = [score[:, group].max(axis=1).mean() for group in combinations(range(7), m)]
        np.testing.assert_allclose(expected_best(matrix(score), [m])[0], np.mean(every), rtol=1e-6)


@pytest.mark.parametrize("is_graded", [False, True])
def test_equals_the_simulation_of_the_router(is_graded):
    """The reference's way: draw a group, and for each query toss for the best or any candidate of it."""
    score, m, p, n_draws = scores(is_graded, (60, 30)), 6, 0.5, 4000
    rng = np.random.default_rng(7)
    drawn = np.empty(n_draws)
    for draw in range(n_draws):
        group = score[:, rng.choice(30, m, replace=False)]
        anyone = group[np.arange(60), rng.integers(0, m, 60)]
        drawn[draw] = np.where(rng.random(60) < p, group.max(axis=1), anyone).mean()
    error = drawn.std() / np.sqrt(n_draws)
    assert abs(drawn.mean() - scaling_curve(matrix(score), [m], [p])[0, 0]) < 4 * error


@pytest.mark.parametrize("is_graded", [False, True])
def test_ends_and_order(is_graded):
    score = scores(is_graded)
    curve = scaling_curve(matrix(score), range(1, 8), [0.0, 0.5, 1.0])
    np.testing.assert_allclose(curve[:, 0], score.mean(), rtol=1e-6)  # a random candidate is a random model
    np.testing.assert_allclose(curve[0], score.mean(), rtol=1e-6)  # one candidate leaves no choice
    np.testing.assert_allclose(curve[-1, 2], score.max(axis=1).mean(), rtol=1e-6)
    assert (np.diff(curve[:, 2]) > 0).all()


def test_thousands_of_models_lose_no_digits():
    miss = miss_probability(8500, [1, 4250, 8500])
    np.testing.assert_allclose(miss[0], 1 - np.arange(8501) / 8500, atol=1e-12)
    np.testing.assert_allclose(miss[1, :3], [1.0, 0.5, 0.5 * 4249 / 8499], rtol=1e-12)
    np.testing.assert_array_equal(miss[2], np.arange(8501) == 0)


@pytest.mark.parametrize("size", [0, 8])
def test_groups_that_there_are_not(size):
    with pytest.raises(ValueError, match=f"groups of {size} out of 7 models"):
        miss_probability(7, [size])
