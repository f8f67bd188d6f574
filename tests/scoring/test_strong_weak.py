"""RouteLLM's metrics: the specified vector, the random router, thresholds between trade-offs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.strong_weak import apgr, cpt, pgr

SHARE, QUALITY = np.array([0.0, 0.25, 0.5, 0.75, 1.0]), np.array([0.60, 0.68, 0.74, 0.78, 0.80])  # spec E.1


def test_the_specified_vector():
    recovered = pgr(QUALITY, 0.6, 0.8)
    np.testing.assert_allclose(recovered, [0, 0.4, 0.7, 0.9, 1], atol=1e-12)
    assert apgr(SHARE, recovered) == pytest.approx(0.625)
    assert cpt(SHARE, recovered, 0.5) == pytest.approx(1 / 3)
    assert cpt(SHARE, recovered, 0.8) == pytest.approx(0.625)


def test_the_ends_belong_to_the_curve():
    # (0, 0), (.5, .9), (1, 1): triangles and trapezoids of half the width
    assert apgr(np.array([0.5]), np.array([0.9])) == pytest.approx(0.5 * 0.45 + 0.5 * 0.95)
    assert cpt(np.array([0.5]), np.array([0.9]), 0.45) == pytest.approx(0.25)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8, 1.0])
def test_a_random_choice_has_one_half_and_the_level(level):
    share = np.array([0.9, 0.1, 0.4])
    assert apgr(share, share) == pytest.approx(0.5)
    assert cpt(share, share, level) == pytest.approx(level)


def test_a_strong_model_that_is_not_better_leaves_nothing_to_recover():
    recovered = pgr(QUALITY, 0.8, 0.8)
    assert np.isnan(recovered).all()
    assert np.isnan(apgr(SHARE, recovered))
    assert np.isnan(cpt(SHARE, recovered, 0.5))
    assert np.isnan(pgr(QUALITY, 0.8, 0.6)).all()


def test_of_two_trade_offs_with_one_share_the_better_counts():
    assert cpt(np.array([0.5, 0.5]), np.array([0.6, 0.2]), 0.6) == pytest.approx(0.5)


@given(arrays(float, 6, elements=st.floats(0, 1)), st.permutations(range(6)), st.floats(0.01, 0.99))
@settings(max_examples=100, deadline=None)
def test_order_does_not_matter_and_a_higher_level_takes_more_calls(recovered, order, level):
    share = np.linspace(0.1, 0.9, 6)
    assert apgr(share[order], recovered[order]) == apgr(share, recovered)
    assert 0 <= apgr(share, recovered) <= 1
    assert 0 <= cpt(share, recovered, level) <= cpt(share, recovered, min(1.0, 1.01 * level)) + 1e-12 <= 1 + 1e-9
