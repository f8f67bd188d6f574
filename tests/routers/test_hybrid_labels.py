"""HybridLLM's labels against hand-computed ones."""

import numpy as np
import pytest

from routers.hybrid_labels import best_margin, det, prob, softened, spread, trans

SMALL, LARGE = np.array([[0.2, 0.6, 0.9]]), np.array([[0.5, 0.7, 0.8]])


@pytest.mark.parametrize(("margin", "pairs"), [(0.0, 4), (0.05, 4), (0.25, 6), (0.35, 7)])
def test_prob_is_the_share_of_pairs_in_which_small_is_good_enough(margin, pairs):
    assert prob(SMALL, LARGE, margin) == pytest.approx(pairs / 9)


def test_det_looks_at_the_first_samples_only():
    assert det(SMALL, LARGE).tolist() == [0.0]
    assert det(SMALL, LARGE, 0.35).tolist() == [1.0]
    assert det(LARGE, LARGE).tolist() == [1.0], "equal is good enough"


def test_spread_is_the_mean_absolute_difference_of_all_pairs():
    label = np.random.default_rng(0).random(20)
    assert spread(label) == pytest.approx(np.abs(label[:, None] - label).mean())
    assert spread(np.array([1.0, 1.0, 0.0, 1.0])) == pytest.approx(2 * 0.75 * 0.25)


def test_best_margin_spreads_the_labels_most():
    rng = np.random.default_rng(1)
    small, large = rng.random((30, 4)), 0.5 + 0.5 * rng.random((30, 5))
    margin = best_margin(small, large)
    assert margin > 0, "without one the small model is hardly ever good enough"
    widest = np.abs(small[:, :, None] - large[:, None, :]).max()
    best = max(spread(prob(small, large, t)) for t in np.linspace(0, widest, 50))
    assert spread(trans(small, large)) == spread(prob(small, large, margin)) == best


def test_best_margin_of_single_samples_balances_the_hard_labels():
    small, large = np.array([[0.0], [0.1], [0.2], [0.3]]), np.full((4, 1), 0.9)
    assert trans(small, large).tolist() in ([0, 0, 1, 1],)
    assert 0.7 < best_margin(small, large) < 0.8


def test_models_that_are_equal_everywhere_have_no_margin():
    assert best_margin(LARGE, LARGE[:, :1]) >= 0
    assert best_margin(LARGE[:, :1], LARGE[:, :1]) == 0


def test_softened_gap():
    small, large = np.array([[0.5], [0.7], [0.0]]), np.array([[0.5], [0.6], [1.0]])
    np.testing.assert_allclose(softened(small, large, 0.1), [0.5, 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(10))])
