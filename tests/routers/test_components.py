"""Principal components: against the full decomposition."""

import numpy as np
import pytest

from routers.components import principal_axes

RNG = np.random.default_rng(0)
POINT = 3.0 + RNG.normal(size=(300, 8)) @ RNG.normal(size=(8, 60)) + 0.1 * RNG.normal(size=(300, 60))
POINT = POINT.astype(np.float32)


def explained(axes):
    return ((POINT - POINT.mean(axis=0)) @ axes).var(axis=0)


@pytest.mark.parametrize("n_components", [1, 5, 8, 20])
def test_leading_axes_explain_as_much_as_the_exact_ones(n_components):
    mean, axes = principal_axes(POINT, n_components, seed=0)
    exact = np.linalg.eigvalsh(np.cov(POINT.T.astype(np.float64), bias=True))[::-1]
    np.testing.assert_allclose(mean, POINT.mean(axis=0), rtol=1e-5)
    assert axes.shape == (60, n_components)
    assert axes.dtype == np.float32
    np.testing.assert_allclose(axes.T @ axes, np.eye(n_components), atol=1e-5)
    np.testing.assert_allclose(explained(axes)[:8], exact[:n_components][:8], rtol=1e-2)  # the rest is noise
    np.testing.assert_allclose(explained(axes).sum(), exact[:n_components].sum(), rtol=1e-3)


@pytest.mark.parametrize("n_components", [0, 60, 999])
def test_all_of_them_are_the_dimensions_as_they_are(n_components):
    np.testing.assert_array_equal(principal_axes(POINT, n_components, seed=0)[1], np.eye(60))


def test_the_seed_hardly_matters():
    one, two = (principal_axes(POINT, 8, seed)[1] for seed in (0, 1))
    np.testing.assert_allclose(one @ one.T, two @ two.T, atol=1e-3)


@pytest.mark.parametrize("n_points", [1, 2, 7])
def test_fewer_points_than_axes(n_points):
    mean, axes = principal_axes(POINT[:n_points], 10, seed=0)
    assert axes.shape == (60, n_points)
    np.testing.assert_allclose((POINT[:n_points] - mean) @ axes @ axes.T, POINT[:n_points] - mean, atol=1e-3)
