"""The encoder of FrugalGPT reads query and answer, and its cascade finds what the light scorer finds."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import avg_acc, split, visible, world

from routers.router import choose
from tests.tiny_encoder import make, tiny_training

pytestmark = pytest.mark.slow

TRAINING = tiny_training(max_tokens=8, steps=60, learning_rate=2e-2, evaluate_every=10)


def two_models(n_queries=400):
    """A cheap model that says w1 where it is right and w2 where not, and a dear one that is nearly always right."""
    rng = np.random.default_rng(0)
    score = rng.random((n_queries, 2)) < [0.6, 0.95]
    queries = world(
        score, np.arange(n_queries) % 3, rng.normal(size=(n_queries, 8)), np.tile([0.1, 1.0], (n_queries, 1))
    )
    said = tuple("w1" if right else "w2" for right in score[:, 0])
    return replace(queries, text=("w3 w4",) * n_queries, answer=(said, ("w5",) * n_queries))


def test_a_cheap_model_that_says_when_it_is_wrong_is_found():
    train, test = split(two_models())
    router = make("frugalgpt_encoder", training=TRAINING).fit(train)
    choice = choose(router.predict(visible(test, router)))
    assert avg_acc(test, choice[-1]) > test.score[:, 1].mean() + 0.01, "the answers of both together"
    seen = router.seen(test, np.arange(test.n_queries), [0, 1])
    held, utility, calls = router.validation()
    assert len(set(held.tolist())) == len(held) > 10
    assert utility.shape == (router.n_trade_offs, len(held), 2)
    assert calls.shape == (router.n_trade_offs, 2, 2)
    earned = train.score[held, choose(utility)[-1]].mean()
    assert earned >= train.score[held, 1].mean() - 0.05, "judged without a second training"
    right = test.score[:, 0] > 0.5
    assert seen[right, 0].min() > seen[~right, 0].max(), "what it says tells right from wrong"


def test_an_answer_that_is_not_there_is_never_accepted():
    train, test = split(two_models())
    router = make("frugalgpt_encoder", training=TRAINING).fit(train)
    blank = replace(test, answer=(("", *test.answer[0][1:]), test.answer[1]))
    seen = router.seen(blank, np.arange(test.n_queries), [0])
    assert np.isneginf(seen[0, 0])
    assert np.isfinite(seen[1:, 0]).all()
    assert np.isneginf(seen[:, 1]).all(), "nobody asked about the second model"


def test_without_answers_a_text_is_read_once_for_all_models():
    train, test = split(two_models())
    router = make("frugalgpt_encoder", scorer_input="query", training=tiny_training()).fit(replace(train, answer=None))
    assert router.inputs == {"text"}
    seen = router.seen(replace(test, answer=None), np.array([3, 1]), [0, 1])
    assert seen.shape == (2, 2)
    assert np.isfinite(seen).all()
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-6)  # of equal texts


def test_it_is_judged_on_queries_that_taught_it_nothing():
    train, _ = split(two_models())
    router = make("frugalgpt_encoder", training=tiny_training()).fit(train)
    held = router.validation().rows
    score = train.score.copy()
    score[held] = 1 - score[held]
    other = make("frugalgpt_encoder", training=tiny_training()).fit(replace(train, score=score))
    np.testing.assert_array_equal(other.validation().rows, held)
    assert other.trained_["weights"] == router.trained_["weights"]
