"""M-IRT: its loss, what it finds, and the two forms of the discrimination."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad
from worlds import continuous, rows, split

from routers import irt
from routers.averages import overall_mean
from routers.irt import IRT, fit_traits
from routers.router import RouterError, choose
from routers.trade_off import weigh

NAN = np.nan
TRAIN, TEST = split(continuous())
RNG = np.random.default_rng(0)
POINT = np.column_stack([RNG.normal(size=(60, 3)), np.ones(60)])
SCORE = np.where(RNG.random((60, 5)) < 0.3, NAN, RNG.random((60, 5)))

forms = pytest.mark.parametrize("discrimination", ["linear", "softplus"])


def loss_by_hand(weight, difficulty, ability, discrimination, penalty):
    """Cross-entropy of the known pairs, one at a time, and the prior."""
    total = 0.0
    for q, m in zip(*np.nonzero(~np.isnan(SCORE)), strict=True):
        trait = POINT[q] @ weight
        if discrimination == "softplus":
            trait = np.log1p(np.exp(trait))
        p = 1 / (1 + np.exp(-(trait @ ability[m] - POINT[q] @ difficulty)))
        total -= SCORE[q, m] * np.log(p) + (1 - SCORE[q, m]) * np.log(1 - p)
    return total + penalty / 2 * ((weight**2).sum() + (difficulty[:-1] ** 2).sum() + (ability**2).sum())


def captured_loss(monkeypatch, discrimination, penalty=0.7):
    """The function that is handed to the optimiser, and a point to evaluate it at."""
    seen = {}

    def spy(loss, start, **_):
        seen["loss"], seen["start"] = loss, start
        raise StopIteration

    monkeypatch.setattr("scipy.optimize.minimize", spy)
    with pytest.raises(StopIteration):
        fit_traits(POINT, SCORE, 2, discrimination, penalty, seed=0)
    return seen["loss"], RNG.normal(size=len(seen["start"]))


@forms
def test_loss_equals_the_definition(discrimination, monkeypatch):
    loss, flat = captured_loss(monkeypatch, discrimination)
    weight, difficulty, ability = flat[:8].reshape(4, 2), flat[8:12], flat[12:].reshape(5, 2)
    assert loss(flat)[0] == pytest.approx(loss_by_hand(weight, difficulty, ability, discrimination, 0.7))


@forms
def test_gradient_is_that_of_the_loss(discrimination, monkeypatch):
    loss, flat = captured_loss(monkeypatch, discrimination)
    error = check_grad(lambda x: loss(x)[0], lambda x: loss(x)[1], flat)
    assert error < 1e-4 * np.linalg.norm(loss(flat)[1])


def test_probabilities_of_answers_drawn_from_the_model_are_found_again():
    rng = np.random.default_rng(3)
    train, test = split(continuous(n_queries=6000, n_models=8, dim=6))
    scale = train.embedding.std()
    discrimination, ability, difficulty = rng.normal(size=(6, 2)), rng.normal(size=(8, 2)), rng.normal(size=(6, 1)) / 2

    def probability(part):
        x = part.embedding / scale
        return 1 / (1 + np.exp(-(x @ discrimination + [1.0, 0.5]) @ ability.T + x @ difficulty))

    train = replace(train, score=(rng.random(train.score.shape) < probability(train)).astype(float))
    expected = IRT(n_traits=2, n_trade_offs=1, penalty=1.0).fit(train).predict(test)[0]
    assert np.abs(expected - probability(test)).mean() < 0.03


def test_utility_weighs_the_probability_against_the_mean_cost_of_the_model():
    router = IRT(n_trade_offs=3).fit(TRAIN)
    right = IRT(n_trade_offs=1).fit(TRAIN).predict(TEST)[0]
    assert ((right > 0) & (right < 1)).all()
    cost = overall_mean(TRAIN.cost)
    np.testing.assert_allclose(router.predict(TEST), weigh(right, cost, np.array([0, 0.5, 1]), cost.max()))


def test_one_trade_off_is_accuracy_alone_and_needs_no_costs():
    router = IRT(n_trade_offs=1)
    assert np.isnan(router.trade_offs()).tolist() == [True]
    router.fit(replace(TRAIN, cost=None))
    assert choose(router.predict(TEST)).shape == (1, TEST.n_queries)
    with pytest.raises(RouterError, match="irt: needs the cost"):
        IRT().fit(replace(TRAIN, cost=None))


@forms
def test_either_form_learns_the_training_part(discrimination):
    choice = choose(IRT(discrimination=discrimination, penalty=0.1, n_trade_offs=1).fit(TRAIN).predict(TRAIN))[0]
    assert TRAIN.score[np.arange(TRAIN.n_queries), choice].mean() > TRAIN.score.mean(axis=0).max() + 0.02


def test_missing_pairs_are_not_trained_on():
    score = np.where(np.random.default_rng(4).random(TRAIN.score.shape) < 0.3, NAN, TRAIN.score)
    sparse = replace(TRAIN, score=score)
    router = IRT(n_trade_offs=1)
    as_wrong = router.clone().fit(replace(TRAIN, score=np.nan_to_num(score))).predict(TEST)
    assert router.fit(sparse).predict(TEST).mean() > as_wrong.mean() + 0.1


def test_seeds_start_elsewhere_and_end_nearby():
    one, two = (IRT(n_trade_offs=1, seed=seed).fit(TRAIN).predict(TEST) for seed in (42, 999))
    assert (one != two).any()
    np.testing.assert_allclose(one, two, atol=0.02)


def test_the_loss_is_not_followed_for_ever(monkeypatch):
    monkeypatch.setattr(irt, "MAX_ITERATIONS", 1)
    choose(IRT().fit(rows(TRAIN, np.arange(50))).predict(TEST))
