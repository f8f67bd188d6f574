"""Bradley-Terry ratings and Elo, the router that looks at nothing."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from worlds import noise, world

from routers import bradley_terry
from routers.bradley_terry import outcomes, ratings
from routers.elo import Elo
from routers.router import RouterError, choose

NAN = np.nan


@pytest.fixture
def no_draws(monkeypatch):
    monkeypatch.setattr(bradley_terry, "DRAWS", 0.0)


def build(score):
    return world(np.array(score, dtype=float), np.zeros(len(score)), np.zeros((len(score), 2)))


def test_outcomes_count_wins_draws_and_nothing_for_a_missing_score():
    score = np.array([[1.0, 0.5, 1.0, NAN], [NAN, 0.2, 0.1, 0.3]])
    assert outcomes(score, 0).tolist() == [[0.5, 1, 0.5, 0], [0, 0, 0, 0]]
    assert outcomes(score, 1).tolist() == [[0, 0.5, 0, 0], [0, 0.5, 1, 0]]


@pytest.mark.parametrize("share", [0.5, 0.75, 0.9, 0.999])
def test_two_models_are_apart_by_the_logarithm_of_the_odds(share, no_draws):
    low, high = sorted(ratings(1000 * np.array([[0, share], [1 - share, 0]])).tolist())
    assert high - low == pytest.approx(400 * np.log10(share / (1 - share)), abs=1e-6)
    assert low + high == pytest.approx(2000)


def test_likelihood_is_highest(no_draws):
    won = np.random.default_rng(0).gamma(0.5, 20.0, size=(6, 6))

    def minus_likelihood(logit):
        return (won * np.log1p(np.exp(logit[None, :] - logit[:, None]))).sum()

    best = minimize(minus_likelihood, np.zeros(6), tol=1e-12).x
    np.testing.assert_allclose(ratings(won), 1000 + (best - best.mean()) * 400 / np.log(10), atol=1e-2)


def test_one_imagined_draw_keeps_ratings_finite():
    low, high = sorted(ratings(np.array([[0.0, 7.0], [0.0, 0.0]])).tolist())
    assert high - low == pytest.approx(400 * np.log10(7.5 / 0.5))


@pytest.mark.parametrize("lopsided", [1.0, 1e3, 1e6])
def test_whoever_never_loses_has_a_finite_rating(lopsided):
    won = lopsided * np.triu(np.ones((8, 8)), 1)
    rating = ratings(won)
    assert np.isfinite(rating).all()
    assert (np.diff(rating) < 0).all()
    assert rating.mean() == pytest.approx(1000)


def test_many_tables_are_rated_as_each_is_alone():
    won = np.random.default_rng(1).gamma(1.0, 5.0, size=(7, 5, 5))
    np.testing.assert_allclose(ratings(won), [ratings(table) for table in won], rtol=1e-9)


def test_every_pair_meets_on_every_query():
    train = build([[1, 0, 0.5]] * 3 + [[0, 0, 0.5]])
    won = np.array([[0, 3.5, 3], [0.5, 0, 0], [1, 4, 0]])
    np.testing.assert_allclose(Elo().fit(train).predict(train)[0], np.tile(ratings(won), (4, 1)))


def test_a_narrow_win_is_as_good_as_a_clear_one():
    train = build([[0.51, 0.5], [0.51, 0.5], [0.0, 1.0]])
    assert choose(Elo().fit(train).predict(train)).tolist() == [[0, 0, 0]]


def test_best_against_the_rest_gives_ties_to_the_first():
    train = build([[1, 1, 0]] * 4 + [[0, 1, 0]])
    won = np.array([[0, 4, 4], [1, 0, 1], [0, 0, 0]])
    np.testing.assert_allclose(Elo(battles="best").fit(train).predict(train)[0, 0], ratings(won))
    assert choose(Elo(battles="best").fit(train).predict(train))[0, 0] == 0
    assert choose(Elo().fit(train).predict(train))[0, 0] == 1


def test_best_against_the_rest_leaves_missing_pairs_out():
    train = build([[NAN, 1, 0], [NAN, 1, 0], [0.3, NAN, 0.2]])
    won = np.array([[0, 0, 1], [0, 0, 2], [0, 0, 0]])
    np.testing.assert_allclose(Elo(battles="best").fit(train).predict(train)[0, 0], ratings(won))


def test_a_model_without_scores_does_not_move_the_others_much_and_is_not_chosen():
    train = noise()
    without = replace(train, score=np.where(np.arange(5) == 3, NAN, train.score))
    rating = Elo().fit(without).predict(without)[0, 0]
    assert np.isneginf(rating[3])
    others = [0, 1, 2, 4]
    np.testing.assert_allclose(np.diff(rating[others]), np.diff(Elo().fit(train).rating_[others]), atol=10)


def test_an_unknown_kind_of_battle():
    with pytest.raises(RouterError, match="battles is 'other'; valid: all, best"):
        Elo(battles="other").fit(noise())
