"""Curves: AIQ of the specified points, hypervolume and distance to the hull by hand, hull properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.curves import aiq, concave_hull, distance_to_hull, exceeds_models, hypervolume

COST, ACCURACY = np.array([1.0, 3.0, 4.0, 7.0, 10.0]), np.array([0.4, 0.5, 0.6, 0.62, 0.7])  # spec E.1
POINTS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=2, max_size=8).map(
    lambda points: (np.array(points, float).T[0] / 20, np.array(points, float).T[1])
)


def test_aiq_of_the_specified_points():
    quality, price = concave_hull(ACCURACY, COST)
    assert (quality.tolist(), price.tolist()) == ([0.4, 0.6, 0.7], [1.0, 4.0, 10.0])
    assert aiq(ACCURACY, COST, ACCURACY, COST) == pytest.approx(0.6)


def test_aiq_begins_at_the_cheapest_model_and_ends_at_the_dearest():
    models = np.array([0.2, 0.8]), np.array([2.0, 6.0])
    # (2, .2) is added, the curve rises to (4, .6) and stays there: (.4 + .6) / 2
    assert aiq(np.array([0.6]), np.array([4.0]), *models) == pytest.approx(0.5)
    # cut out of the line from (0, 0) to (8, .8)
    assert aiq(np.array([0.0, 0.8]), np.array([0.0, 8.0]), *models) == pytest.approx(0.4)
    assert np.isnan(aiq(np.array([0.6]), np.array([4.0]), np.array([0.2, 0.8]), np.array([3.0, 3.0])))


def test_a_router_exceeds_the_models_only_where_mixing_them_does_not_reach_it():
    models = np.array([0.4, 0.8]), np.array([1.0, 5.0])
    ends = np.array([0.4, 0.8]), np.array([1.0, 5.0])
    assert not exceeds_models(*ends, *models)
    assert not exceeds_models(np.array([0.6]), np.array([3.0]), *models)  # on the line, and worse than dear beyond
    assert exceeds_models(np.append(ends[0], 0.65), np.append(ends[1], 3.0), *models)
    assert not exceeds_models(np.array([0.85]), np.array([6.0]), *models)  # the line to it runs below theirs
    assert exceeds_models(np.array([0.8]), np.array([3.0]), *models)


def test_hypervolume_by_hand():
    accuracy, cost = np.array([0.6, 0.2, 0.5, 0.4]), np.array([100.0, 1.0, 10.0, 30.0])
    assert hypervolume(accuracy, cost, 1.0, 100.0) == pytest.approx((0.2 + 0.5) / 2)  # the dearest has no width
    assert hypervolume(accuracy, cost, 0.1, 1000.0) == pytest.approx((0 + 0.2 + 0.5 + 0.6) / 4)
    assert hypervolume(accuracy, cost, 10.0, 100.0) == pytest.approx(0.5)
    assert np.isnan(hypervolume(accuracy, cost, 0.0, 1.0))
    assert np.isnan(hypervolume(accuracy, cost, 1.0, 1.0))


def test_distance_to_the_hull_by_hand():
    # the models' hull is (1, .4), (4, .6), (10, .7); the axes are .3 high and 9 wide
    points = {
        (7.0, 0.60): 0.05 / 0.3,  # straight up to (7, .65)
        (4.0, 0.30): 3 / 9 + 0.1 / 0.3,  # to the cheapest model
        (20.0, 0.7): 10 / 9,  # to the dearest model
        (20.0, 0.6): 10 / 9 + 0.1 / 0.3,
        (7.0, 0.65): 0.0,  # on it
        (20.0, 0.8): 0.0,  # above every model
        (0.5, 0.1): 0.0,  # cheaper than every model
    }
    cost, accuracy = np.array(list(points)).T
    np.testing.assert_allclose(distance_to_hull(accuracy, cost, ACCURACY, COST), list(points.values()), atol=1e-12)


@given(POINTS, POINTS)
@settings(max_examples=100, deadline=None)
def test_distance_to_the_hull_is_that_to_its_nearest_point(models, points):
    quality, price = concave_hull(*models)
    height, width = np.ptp(models[0]) or 1.0, np.ptp(models[1]) or 1.0
    x = np.concatenate([np.linspace(price[0], price[-1], 4001), price])
    y = np.interp(x, price, quality)
    expected = (np.abs(points[0][:, None] - y) / height + np.abs(points[1][:, None] - x) / width).min(axis=1)
    is_below = (points[1] >= price[0]) & (points[0] <= np.interp(points[1], price, quality))
    found = distance_to_hull(*points, *models)
    np.testing.assert_allclose(found[is_below], expected[is_below], atol=0.02)
    assert (found[is_below] <= expected[is_below] + 1e-9).all()
    assert (found[~is_below] == 0).all()


@given(POINTS)
@settings(max_examples=100, deadline=None)
def test_the_hull_is_concave_rising_above_all_points_and_made_of_them(points):
    quality, price = concave_hull(*points)
    assert set(zip(quality, price, strict=True)) <= set(zip(*points, strict=True))
    slope = np.diff(quality) / np.diff(price)
    assert (slope > 0).all()
    assert (np.diff(slope) < 1e-12).all()
    assert (np.interp(points[1], price, quality) >= points[0] - 1e-12).all()


@given(POINTS, POINTS, st.tuples(st.integers(0, 20), st.integers(1, 20)))
@settings(max_examples=100, deadline=None)
def test_another_configuration_never_lowers_aiq_or_hypervolume(models, points, extra):
    more = np.append(points[0], extra[0] / 20), np.append(points[1], float(extra[1]))
    lowest, highest = models[1].min(), models[1].max()
    if highest > lowest:
        assert hypervolume(*more, lowest, highest) >= hypervolume(*points, lowest, highest) - 1e-12
        assert 0 <= aiq(*points, *models) <= 1
        if points[1].min() <= lowest:  # else the extra point may replace the cheapest model that was added
            assert aiq(*more, *models) >= aiq(*points, *models) - 1e-12
        assert not exceeds_models(*models, *models)
