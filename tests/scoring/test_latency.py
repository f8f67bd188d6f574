"""Latency: the estimate by hand, and the front of accuracy, cost and latency."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.latency import estimated_latency, non_dominated
from scoring.metrics import pareto_frontier


def test_latency_is_the_first_token_and_then_the_stream():
    tokens = np.array([[100.0, 3000.0], [np.nan, 0.0]])
    found = estimated_latency(tokens, np.array([0.5, 2.0]), np.array([50.0, 100.0]))
    np.testing.assert_array_equal(found, [[2.5, 32.0], [np.nan, 2.0]])
    assert np.isnan(estimated_latency(tokens, np.array([np.nan, 2.0]), np.array([50.0, 100.0]))[0, 0])


def test_a_point_stays_if_it_is_best_in_one_of_the_three():
    accuracy, cost, latency = np.array([[0.9, 10, 60], [0.5, 1, 60], [0.5, 10, 2], [0.5, 10, 60], [0.9, 10, 60]]).T
    assert non_dominated(accuracy, cost, latency).tolist() == [True, True, True, False, True]


@given(arrays(float, (12, 3), elements=st.integers(0, 4)))
@settings(max_examples=100, deadline=None)
def test_the_front_is_what_nothing_dominates(points):
    loss = points * [-1, 1, 1]
    expected = [not any((a <= b).all() and (a < b).any() for a in loss) for b in loss]
    assert non_dominated(*points.T).tolist() == expected
    same = np.ones(12)
    assert (non_dominated(points[:, 0], points[:, 1], same) == pareto_frontier(points[:, 0], points[:, 1])).all()
