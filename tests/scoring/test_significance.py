"""Tests: p-values and Holm's correction by hand, their error rates on synthetic contenders that do not differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.bootstrap import deviations, influence
from scoring.significance import bootstrap_p, holm


def test_p_value_counts_deviations_as_large_as_the_estimate():
    deviation = np.array([[-0.2, -0.2], [-0.1, -0.1], [0.0, 0.0], [0.1, 0.1]])
    np.testing.assert_allclose(bootstrap_p(np.array([0.15, -0.1]), deviation), [2 / 5, 4 / 5])
    np.testing.assert_allclose(bootstrap_p(np.array([9.0, 0.0]), deviation), [1 / 5, 1.0])
    np.testing.assert_array_equal(bootstrap_p(np.array([np.nan, 0.15]), deviation), [np.nan, 2 / 5])


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
    n_trials, n_contenders, n_queries = 300, 5, 240
    benchmark, rows = np.arange(n_queries) % 3, np.arange(n_queries)
    raw, familywise, found = 0.0, 0.0, 0.0
    for trial in range(n_trials):
        ease = generator.choice([0.3, 0.8], n_queries)
        lift = np.array([0.0, *[0.0] * n_contenders, 0.2])[:, None]  # the last one is better
        value = (generator.random((n_contenders + 2, n_queries)) < ease + lift).astype(float)
        deviation = deviations(influence([value], [rows], benchmark, 3), benchmark, n_resamples=300, seed=trial)
        difference = value.mean(axis=1) - value[0].mean()
        p = bootstrap_p(difference, deviation - deviation[:, [0]])[1:]
        raw += (p[:-1] <= 0.05).mean() / n_trials
        familywise += (holm(p[:-1]) <= 0.05).any() / n_trials
        found += (holm(p) <= 0.05)[-1] / n_trials
    assert 0.03 < raw < 0.07, raw
    assert familywise < 0.08, familywise
    assert found > 0.9, found
