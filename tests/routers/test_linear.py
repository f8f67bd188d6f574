"""Linear heads: ridge regression and its leave-one-out error, against leaving one out."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, noise, split

from routers import ridge
from routers.linear import Linear
from routers.ridge import fit_ridge
from routers.router import choose

NAN = np.nan
RNG = np.random.default_rng(0)
POINT = RNG.normal(size=(40, 6)) * [5, 3, 1, 1, 0.3, 0.1] + 2.0
TARGET = np.stack([POINT[:, 0] / 9 + 0.3 * RNG.normal(size=40), (RNG.random(40) < 0.5).astype(float)], axis=1)
TRAIN, TEST = split(continuous())


def by_hand(point, target, penalty):
    """Slopes and intercept of a ridge with a free intercept, from the normal equations of an augmented problem."""
    design = np.column_stack([point, np.ones(len(point))])
    gram = design.T @ design + np.diag([penalty] * point.shape[1] + [0.0])
    solution = np.linalg.solve(gram, design.T @ target)
    return solution[:-1], solution[-1]


def mean_variance(point):
    return ((point - point.mean(axis=0)) ** 2).sum() / point.shape[1]


@pytest.mark.parametrize("strength", [1e-3, 1.0, 1e3])
def test_one_penalty_equals_the_normal_equations_and_every_row_really_left_out(strength, monkeypatch):
    monkeypatch.setattr(ridge, "PENALTIES", np.array([strength]))
    slope, intercept, left_out = fit_ridge(POINT, TARGET)
    penalty = strength * mean_variance(POINT)
    expected = by_hand(POINT, TARGET, penalty)
    np.testing.assert_allclose(slope, expected[0], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(intercept, expected[1], rtol=1e-6)
    for row in range(len(POINT)):
        others = np.arange(len(POINT)) != row
        slope, intercept = by_hand(POINT[others], TARGET[others], penalty)
        np.testing.assert_allclose(left_out[row], POINT[row] @ slope + intercept, rtol=1e-6)


def test_the_penalty_with_the_smallest_error_left_out_is_taken(monkeypatch):
    slope, _, left_out = fit_ridge(POINT, TARGET)
    errors, slopes = [], []
    for strength in ridge.PENALTIES.tolist():
        monkeypatch.setattr(ridge, "PENALTIES", np.array([strength]))
        one, _, predicted = fit_ridge(POINT, TARGET)
        slopes.append(one)
        errors.append(((predicted - TARGET) ** 2).sum())
    assert 0 < np.argmin(errors) < len(errors) - 1
    np.testing.assert_allclose(slope, slopes[np.argmin(errors)])
    np.testing.assert_allclose(((left_out - TARGET) ** 2).sum(), np.min(errors))


def test_missing_pairs_are_as_if_their_rows_were_not_there(monkeypatch):
    monkeypatch.setattr(ridge, "PENALTIES", np.array([1.0]))
    missing = RNG.random((40, 4)) < 0.4
    missing[:, 2] = missing[:, 0]  # two columns of one pattern
    target = np.where(missing, NAN, RNG.random((40, 4)))
    slope, intercept, left_out = fit_ridge(POINT, target)
    np.testing.assert_array_equal(np.isnan(left_out), missing)
    for column in range(4):
        known = ~missing[:, column]
        alone = fit_ridge(POINT[known], target[known, column : column + 1])
        np.testing.assert_allclose(slope[:, column], alone[0][:, 0], rtol=1e-9)
        np.testing.assert_allclose(intercept[column], alone[1][0], rtol=1e-9)
        np.testing.assert_allclose(left_out[known, column], alone[2][:, 0], rtol=1e-9)


def test_a_column_without_a_value_has_no_intercept():
    slope, intercept, left_out = fit_ridge(POINT, np.column_stack([TARGET, np.full(40, NAN)]))
    assert np.isnan(intercept).tolist() == [False, False, True]
    assert (slope[:, 2] == 0).all()
    assert np.isnan(left_out[:, 2]).all()


def test_utility_is_the_expected_score():
    router = Linear().fit(TRAIN)
    slope, intercept, _ = fit_ridge(TRAIN.embedding.astype(np.float64), TRAIN.score)
    np.testing.assert_allclose(router.predict(TEST)[0], TEST.embedding @ slope + intercept, rtol=1e-4, atol=1e-5)


def test_noise_gets_hardly_any_slope():
    train, test = split(noise())
    assert np.ptp(Linear().fit(train).predict(test), axis=1).max() < 0.1


def test_unit_of_the_embedding_does_not_matter():
    train, test = (replace(part, embedding=part.embedding * np.float32(1024)) for part in (TRAIN, TEST))
    router = Linear()
    np.testing.assert_allclose(router.fit(train).predict(test), router.clone().fit(TRAIN).predict(TEST), rtol=1e-5)


@pytest.mark.parametrize("n_components", [1, 5, 12, 0])
def test_any_number_of_components(n_components):
    assert choose(Linear(n_components=n_components).fit(TRAIN).predict(TEST)).shape == (1, TEST.n_queries)


def test_all_embeddings_zero_leave_the_means():
    train, test = (replace(part, embedding=np.zeros_like(part.embedding)) for part in (TRAIN, TEST))
    np.testing.assert_allclose(Linear().fit(train).predict(test)[0, 0], TRAIN.score.mean(axis=0))
