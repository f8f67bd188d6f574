"""Single decisions: regret, optimality, RouterArena's score, calibration, small shares, by hand or from the spec."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.metrics import take_choice
from scoring.routing_quality import arena_score, calibration_error, merge_small_shares, optimality, regret

NAN = np.nan
SCORE = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0], [1, 0, 1]], float)
COST = np.tile([1.0, 2.0, 10.0], (4, 1))


def chosen(choice, score=SCORE, cost=COST):
    choice = np.array(choice)
    return optimality(score, cost, choice, take_choice(cost, choice))


def test_regret_by_hand():
    score = np.array([[0.5, 1.0, NAN], [0.0, NAN, 0.25], [NAN, NAN, NAN]])
    found = regret(score, take_choice(score, np.array([[0, 0, 0], [1, 1, 1], [2, 2, 2]])))
    np.testing.assert_array_equal(found, [[0.5, 0.25, NAN], [0.0, NAN, NAN], [NAN, 0.0, NAN]])


def test_optimality_by_hand():
    # cheapest right models: 0, 1, none, 0
    found = chosen([0, 2, 0, 1])
    assert found.selection == pytest.approx(1 / 3)
    assert found.cost == pytest.approx((1 + 2 / 10 + 1 / 2) / 3)
    assert found.accuracy == pytest.approx(2 / 3)
    assert chosen([0, 1, 2, 0]) == (1.0, 1.0, 1.0)
    assert chosen([0, 0, 0, 0]).cost == pytest.approx((1 + 2 + 1) / 3)  # cheaper and wrong counts 2


def test_a_cascade_that_ends_at_the_optimum_has_paid_more():
    found = optimality(SCORE, COST, np.array([0, 1, 2, 0]), np.array([1.0, 3.0, 13.0, 1.0]))
    assert found == (1.0, pytest.approx((1 + 2 / 3 + 1) / 3), 1.0)


def test_optimality_where_it_is_unknown():
    assert np.isnan(chosen([0, 1, 2, 0], cost=np.where(COST == 2, NAN, COST))[:2]).all()
    nobody = chosen([0, 1, 2, 0], score=np.zeros((4, 3)))
    assert np.isnan(nobody).all()
    missing = np.where(np.arange(12).reshape(4, 3) == 0, NAN, SCORE)  # model 0 at the first query
    assert chosen([0, 1, 2, 0], score=missing) == (1.0, 1.0, 1.0)
    free = optimality(SCORE, COST * [0, 1, 1], np.array([0, 0, 0, 0]), np.zeros(4))
    assert free.selection == pytest.approx(2 / 3)
    assert np.isnan(free.cost)  # nothing paid at the second query, whose optimum has a price


def test_arena_score_of_the_specified_router():
    place = np.log2(200 / 0.15) / np.log2(200 / 0.0044)
    assert place == pytest.approx(0.6709, abs=5e-5)
    assert arena_score(np.array(0.6688), np.array(0.15)) == pytest.approx(0.6690, abs=5e-5)


def test_arena_score_at_and_beyond_the_ends():
    found = arena_score(np.array([0.5, 0.5, 0.5, 0.0, 0.0, 0.5]), np.array([0.0, 0.0044, 300.0, 300.0, 1.0, NAN]))
    cheapest = 1.1 * 0.5 / (0.05 + 1)
    np.testing.assert_allclose(found, [cheapest, cheapest, 0.0, 0.0, 0.0, NAN])


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.001, 300), st.floats(1, 10))
@settings(max_examples=100, deadline=None)
def test_arena_score_rises_with_accuracy_and_falls_with_cost(low, high, usd, factor):
    low, high = sorted((low, high))
    scores = arena_score(np.array([low, high, high]), np.array([usd, usd, usd * factor]))
    assert scores[0] <= scores[1] + 1e-12
    assert scores[2] <= scores[1] + 1e-12
    assert ((scores >= 0) & (scores <= 1)).all()


def test_calibration_error_by_hand():
    probability = np.array([[0.10, 1.0], [0.15, 1.0], [0.90, 0.5], [0.95, 0.5]])
    score = np.array([[0, 1], [1, 1], [1, NAN], [1, NAN]], float)
    # model 0: bins of .1 and .9 with two each: |.125 - .5| / 2 + |.925 - 1| / 2; model 1 is always sure and right
    np.testing.assert_allclose(calibration_error(probability, score), [0.225, 0.0], atol=1e-12)
    assert np.isnan(calibration_error(probability, np.full((4, 2), NAN))).all()


@given(arrays(float, (30, 2), elements=st.floats(0, 1)), arrays(float, (30, 2), elements=st.sampled_from([0.0, 1.0])))
@settings(max_examples=100, deadline=None)
def test_calibration_error_lies_between_that_of_one_bin_and_the_mean_error(probability, score):
    error = calibration_error(probability, score)
    np.testing.assert_allclose(
        calibration_error(probability, score, n_bins=1), np.abs((probability - score).mean(axis=0)), atol=1e-12
    )
    assert (error >= np.abs((probability - score).mean(axis=0)) - 1e-12).all()
    assert (error <= np.abs(probability - score).mean(axis=0) + 1e-12).all()


def test_small_shares_are_merged():
    merged = merge_small_shares("abcde", np.array([0.04, 0.6, 0.05, 0.30, 0.01]))
    assert list(merged) == ["b", "d", "c", "Others"]
    assert merged["Others"] == pytest.approx(0.05)
    assert sum(merged.values()) == pytest.approx(1)
    assert merge_small_shares("ab", np.array([0.0, 1.0])) == {"b": 1.0}
