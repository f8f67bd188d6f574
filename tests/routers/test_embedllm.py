"""EmbedLLM: one linear layer for three factors, noise per pair, soft labels."""

import numpy as np
import pytest
from worlds import continuous, split, world

from routers import training
from routers.embedllm import EmbedLLM
from routers.router import RouterError, choose

pytest.importorskip("torch")
NAN = np.nan
TRAIN, TEST = split(continuous())
UNTRAINED = {"epochs": 1, "learning_rate": 0.0, "select": "last"}


def by_hand(train, test, dim, seed):
    """Difference of the two logits with the initial parameters, one pair at a time."""
    rng = np.random.default_rng([seed, 0])
    projection, offset = training.linear(rng, train.embedding.shape[1], dim)
    classifier, bias = training.linear(rng, dim, 2)
    vector = rng.normal(size=(len(train.models), dim))
    unit = np.sqrt((train.embedding.astype(float) ** 2).sum(axis=1).mean())
    out = np.empty((test.n_queries, len(test.models)))
    for q in range(test.n_queries):
        for m in range(len(test.models)):
            wrong, right = classifier @ (vector[m] * (projection @ (test.embedding[q] / unit) + offset)) + bias
            out[q, m] = right - wrong
    return out


def test_one_layer_gives_the_product_of_the_three_factors():
    utility = EmbedLLM(dim=7, seed=3, **UNTRAINED).fit(TRAIN).predict(TEST)[0]
    np.testing.assert_allclose(utility, by_hand(TRAIN, TEST, 7, 3), rtol=1e-4, atol=1e-6)


def test_noise_reaches_the_logits_as_noise_on_the_embedding_does():
    quiet = EmbedLLM(noise=0.3, **UNTRAINED).fit(TRAIN)
    noisy = EmbedLLM(noise=0.3, noise_at_evaluation=True, **UNTRAINED).fit(TRAIN)
    query = np.tile(TEST.embedding[:1].astype(np.float64), (20_000, 1))
    shaken = query + 0.3 * quiet.unit_ * np.random.default_rng(0).normal(size=query.shape)
    expected = (quiet.utility(0, shaken) - quiet.utility(0, query)).std(axis=0)
    drawn = noisy.utility(0, query) - quiet.utility(0, query)
    np.testing.assert_allclose(drawn.std(axis=0), expected, rtol=0.03)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(4)).max() < 0.03, "every pair has its own"


def test_no_noise_at_evaluation_by_default():
    utility = EmbedLLM(**UNTRAINED).fit(TRAIN).predict(TEST)
    np.testing.assert_array_equal(utility, EmbedLLM(noise=0.0, **UNTRAINED).fit(TRAIN).predict(TEST))


def test_noise_matters_in_training():
    one, other = (EmbedLLM(noise=noise, epochs=2).fit(TRAIN).predict(TEST) for noise in (0.0, 0.5))
    assert (one != other).any()


def probability(labels, score):
    """What is learned of queries that cannot be told apart."""
    train = world(np.array(score * 30, dtype=float), np.zeros(len(score) * 30), np.ones((len(score) * 30, 2)))
    router = EmbedLLM(labels=labels, noise=0.0, learning_rate=0.01, epochs=150, select="last").fit(train)
    return 1 / (1 + np.exp(-router.predict(train)[0, 0]))


def test_soft_labels_teach_the_mean_score_and_half_how_often_it_is_passed():
    score = [[0.4, 0.9], [0.6, NAN], [0.5, NAN]]
    np.testing.assert_allclose(probability("soft", score), [0.5, 0.9], atol=0.03)
    np.testing.assert_allclose(probability("half", score), [2 / 3, 1], atol=0.03)


def test_utilities_are_log_odds():
    utility = EmbedLLM().fit(TRAIN).predict(TEST)[0]
    expected = TEST.score.mean(axis=0)
    np.testing.assert_allclose((1 / (1 + np.exp(-utility))).mean(axis=0), expected, atol=0.1)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"dim": 0}, "dim is 0; expected"),
        ({"batch_size": 0}, "batch_size is 0; expected"),
        ({"noise": -1}, "noise is -1; expected"),
        ({"labels": "hard"}, "labels is 'hard'; valid: soft, half"),
    ],
)
def test_unusable_parameters(params, message):
    with pytest.raises(RouterError, match=message):
        EmbedLLM(**params).fit(TRAIN)


def test_the_published_form_trains():
    router = EmbedLLM(dim=16, select="test_peak", epochs=3, noise_at_evaluation=True).fit(TRAIN)
    first, again = router.predict(TEST), router.predict(TEST)
    np.testing.assert_array_equal(first, again)
    choose(first)
