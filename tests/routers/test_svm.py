"""Support vector regression: the same minimum as scikit-learn's LinearSVR, for all models at once."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, split

from routers.router import choose
from routers.svm import SVM, absolute_regression, with_ones

NAN = np.nan
RNG = np.random.default_rng(0)
POINT = RNG.normal(size=(200, 10)).astype(np.float32)
POINT /= np.linalg.norm(POINT, axis=1, keepdims=True)
CHANCE = 1 / (1 + np.exp(-4 * POINT @ RNG.normal(size=(10, 3))))
SCORE = (RNG.random(CHANCE.shape) < CHANCE).astype(float)
TRAIN, TEST = split(continuous())


def loss(slope, score, c):
    """Of one model, the intercept last, on the pairs that are known."""
    error = np.abs(score - with_ones(POINT) @ slope)
    return (slope**2).sum() / 2 + c * np.nansum(error)


def reference(score, c, **settings):
    from sklearn.svm import LinearSVR

    known = ~np.isnan(score)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it gives up after its passes
        svr = LinearSVR(C=c, random_state=1234, **settings).fit(POINT[known].astype(np.float64), score[known])
    return np.append(svr.coef_, svr.intercept_)


@pytest.mark.parametrize("c", [0.1, 1.0, 10.0])
def test_loss_is_as_low_as_the_reference_gets_it(c):
    slope = absolute_regression(with_ones(POINT), SCORE, c)
    for m in range(3):
        lowest = loss(reference(SCORE[:, m], c, max_iter=100_000, tol=1e-9), SCORE[:, m], c)
        assert loss(slope[:, m], SCORE[:, m], c) < lowest * 1.001
        assert loss(slope[:, m], SCORE[:, m], c) < loss(reference(SCORE[:, m], c), SCORE[:, m], c) * 1.0005


def test_missing_pairs_take_no_part():
    score = np.where(RNG.random(SCORE.shape) < 0.4, NAN, SCORE)
    slope = absolute_regression(with_ones(POINT), score, 1.0)
    for m in range(3):
        lowest = loss(reference(score[:, m], 1.0, max_iter=100_000, tol=1e-9), score[:, m], 1.0)
        assert loss(slope[:, m], score[:, m], 1.0) < lowest * 1.001


def test_a_model_without_a_score_gets_no_slope_and_is_not_chosen():
    assert (absolute_regression(with_ones(POINT), np.full((200, 1), NAN), 1.0) == 0).all()
    train = replace(TRAIN, score=np.where(np.arange(4) == 2, NAN, TRAIN.score))
    assert np.isneginf(SVM().fit(train).predict(TEST)[..., 2]).all()


def test_an_absolute_loss_aims_at_the_median():
    point = np.ones((100, 1))
    target = (np.arange(100) < 70).astype(float)[:, None]
    assert absolute_regression(point, target, 10.0)[0, 0] == pytest.approx(1.0, abs=1e-3)


def test_predictions_equal_those_of_the_reference():
    from sklearn.svm import LinearSVR

    utility = SVM().fit(TRAIN).predict(TEST)[0]
    x, y = (part.embedding / np.linalg.norm(part.embedding, axis=1, keepdims=True) for part in (TRAIN, TEST))
    for m in range(4):
        svr = LinearSVR(random_state=1234, max_iter=200_000, tol=1e-9).fit(x.astype(np.float64), TRAIN.score[:, m])
        np.testing.assert_allclose(utility[:, m], svr.predict(y.astype(np.float64)), atol=0.01)


@pytest.mark.parametrize("n_components", [3, 0])
def test_any_number_of_components(n_components):
    assert choose(SVM(n_components=n_components).fit(TRAIN).predict(TEST)).shape == (1, TEST.n_queries)
