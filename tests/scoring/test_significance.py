"""Tests: p-values and Holm's correction by hand, their error rates on synthetic contenders that do not differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.bootstrap import deviations, influence
from scoring.significance import holm, normal_p, standard_error


def test_p_value_of_two_standard_errors():
    p = normal_p(np.array([0.2, -0.2, 0.0]), np.array([0.1, 0.1, 0.1]))
    np.testing.assert_allclose(p, [0.0455003, 0.0455003, 1.0], rtol=1e-5)
    np.testing.assert_array_equal(normal_p(np.array([np.nan, 0.3, 0.0]), np.array([0.1, 0.0, 0.0])), [np.nan] * 2 + [1])


def test_the_standard_error_is_what_the_bootstrap_converges_to():
    generator = np.random.default_rng(0)
    benchmark = np.arange(240) % 3
    value = (generator.random((2, 240)) < [[0.3], [0.7]]).astype(float)
    effect = influence([value], [np.arange(240)], benchmark, 3)
    moved = deviations(effect, benchmark, n_resamples=20_000, seed=1)
    np.testing.assert_allclose(standard_error(effect), moved.std(axis=0), rtol=0.02)


def test_holm_by_hand():
    p = np.array([0.01, 0.04, 0.03, 0.005, np.nan])
    # sorted .005 .01 .03 .04 times 4 3 2 1: .02 .03 .06 .04, and none below an earlier one
    np.testing.assert_allclose(holm(p), [0.03, 0.06, 0.06, 0.02, np.nan])
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1.0, 1.0])
    assert holm(np.array([])).size == 0


@given(arrays(float, 6, elements=st.floats(0, 1)), st.permutations(range(6)))
@settings(max_examples=100, deadline=None)
def test_holm_lies_between_no_correction_and_bonferroni(p, order):
    corrected = holm(p)
    assert (p <= corrected).all()
    assert (corrected <= np.minimum(1.0, 6 * p)).all()
    assert corrected.min() == pytest.approx(min(1.0, 6 * p.min()))
    np.testing.assert_array_equal(holm(p[order]), corrected[order])


def test_false_findings_are_as_rare_as_the_level_says():
    generator = np.random.default_rng(3)
    n_trials, n_contenders, n_queries = 1000, 5, 240
    benchmark, rows = np.arange(n_queries) % 3, np.arange(n_queries)
    raw, familywise, found = 0.0, 0.0, 0.0
    for _ in range(n_trials):
        ease = generator.choice([0.3, 0.8], n_queries)
        lift = np.array([0.0, *[0.0] * n_contenders, 0.2])[:, None]  # the last one is better
        value = (generator.random((n_contenders + 2, n_queries)) < ease + lift).astype(float)
        effect = influence([value], [rows], benchmark, 3)
        difference = value.mean(axis=1) - value[0].mean()
        p = normal_p(difference, standard_error(effect - effect[:, [0]]))[1:]
        raw += (p[:-1] <= 0.05).mean() / n_trials
        familywise += (holm(p[:-1]) <= 0.05).any() / n_trials
        found += (holm(p) <= 0.05)[-1] / n_trials
    assert 0.035 < raw < 0.065, raw
    assert familywise < 0.07, familywise
    assert found > 0.9, found
