"""Pools of k models: a small case by hand, random pools against all of them, the greedy bound, missing pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.pool_size import expected_oracle, greedy_order, nested_oracle, query_weight, sampled_oracle

SCORE = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]], float)
EVEN = np.full(4, 0.25)
SCORES = arrays(float, (5, 6), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]))


def pools(score, weight, k):
    """Oracle of every pool of k models."""
    return [score[list(pool)].max(axis=0) @ weight for pool in combinations(range(len(score)), k)]


def test_a_small_case_by_hand():
    np.testing.assert_allclose(nested_oracle(SCORE, EVEN, np.array([0, 1, 2])), [0.5, 0.5, 0.75])
    np.testing.assert_allclose(expected_oracle(SCORE, EVEN), [1.25 / 3, 2 / 3, 0.75])  # (.5 + .75 + .75) / 3
    assert greedy_order(SCORE, EVEN).tolist() == [0, 2, 1]


def test_weights_are_those_of_the_average_over_benchmarks_and_seeds():
    benchmark = np.array([0, 0, 0, 1, 1])
    weight = query_weight([np.array([0, 1, 3]), np.array([4, 2])], benchmark, 2)
    # seed one: 1/4, 1/4 and 1/2; seed two: 1/2 and 1/2; each halved
    np.testing.assert_allclose(weight, [0.125, 0.125, 0.25, 0.25, 0.25])


@given(SCORES)
@settings(max_examples=60, deadline=None)
def test_the_expectation_is_the_mean_over_all_pools(score):
    weight = np.arange(1, 7) / 21
    expected = [np.mean(pools(score, weight, k)) for k in range(1, 6)]
    np.testing.assert_allclose(expected_oracle(score, weight), expected, atol=1e-12)


@given(SCORES)
@settings(max_examples=60, deadline=None)
def test_greedy_is_near_the_best_pool_and_ends_at_all_models(score):
    weight = np.full(6, 1 / 6)
    order = greedy_order(score, weight)
    curve = nested_oracle(score, weight, order)
    best = np.array([max(pools(score, weight, k)) for k in range(1, 6)])
    assert sorted(order) == list(range(5))
    assert (np.diff(curve) >= 0).all()
    assert (curve <= best + 1e-12).all()
    assert (curve >= (1 - 1 / np.e) * best - 1e-12).all()  # Nemhauser, Wolsey and Fisher 1978
    assert curve[0] == pytest.approx(best[0])
    assert curve[-1] == pytest.approx(best[-1])


def test_random_pools_have_the_expected_mean_and_follow_from_the_seed():
    score = (np.random.default_rng(0).random((8, 50)) < 0.3).astype(float)
    weight = np.full(50, 0.02)
    sampled = sampled_oracle(score, weight, n_samples=2000, seed=1)
    error = sampled.std(axis=0) / np.sqrt(2000)
    assert (np.abs(sampled.mean(axis=0) - expected_oracle(score, weight)) <= 4 * error + 1e-12).all()
    assert (sampled == sampled_oracle(score, weight, n_samples=2000, seed=1)).all()
    assert (np.diff(sampled, axis=1) >= 0).all()
