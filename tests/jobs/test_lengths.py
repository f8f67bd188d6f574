"""What is expected of answers that are not there yet."""

import numpy as np
import pytest

from jobs.lengths import expected_tokens, tokens_of_queries

SPREAD, CORRELATION = 0.5, 0.4


def pool(seed, n_models=6, n_queries=400, mean_log=6.0):
    rng = np.random.default_rng(seed)
    shared, own = rng.standard_normal(n_queries), rng.standard_normal((n_models, n_queries))
    means = mean_log + rng.normal(0, 0.5, (n_models, 1))
    return np.exp(means + SPREAD * (np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own))


def test_without_any_answer_every_query_is_as_long_as_believed():
    assert expected_tokens(np.full((3, 5), np.nan), 1, 700.0) == pytest.approx(np.full(5, 700.0))


@pytest.mark.parametrize("seed", range(5))
def test_other_models_tell_which_answers_will_be_long(seed):
    truth = pool(seed)
    tokens = truth.copy()
    tokens[0] = np.nan
    expected = expected_tokens(tokens, 0, float(truth[0].mean()))
    r2 = np.corrcoef(np.log(expected), np.log(truth[0]))[0, 1] ** 2
    assert r2 == pytest.approx(5 * CORRELATION**2 / (1 + 4 * CORRELATION), abs=0.1)
    assert expected.mean() == pytest.approx(truth[0].mean(), rel=0.1)


def test_more_models_tell_more():
    truth, r2 = pool(1, n_models=10, n_queries=2000), []
    for k in (1, 3, 9):
        tokens = np.full_like(truth, np.nan)
        tokens[1 : k + 1] = truth[1 : k + 1]
        r2.append(np.corrcoef(np.log(expected_tokens(tokens, 0, 400.0)), np.log(truth[0]))[0, 1] ** 2)
    assert r2[0] < r2[1] < r2[2]


def test_its_own_answers_correct_what_was_believed_of_it():
    truth = pool(2)
    tokens = np.full_like(truth, np.nan)
    tokens[0, :200] = truth[0, :200]
    assert expected_tokens(tokens, 0, 10 * truth[0].mean()).mean() == pytest.approx(truth[0].mean(), rel=0.25)


def test_having_answered_the_long_ones_first_does_not_make_it_look_slow():
    truth = pool(3)
    longest_first = np.argsort(-truth[1:].mean(axis=0))[:200]
    tokens = truth.copy()
    tokens[0] = np.nan
    tokens[0, longest_first] = truth[0, longest_first]
    rest = np.isnan(tokens[0])
    naive = truth[0, longest_first].mean() / truth[0, rest].mean()
    found = expected_tokens(tokens, 0, float(truth[0].mean()))[rest].mean() / truth[0, rest].mean()
    assert naive > 1.3
    assert found == pytest.approx(1.0, abs=0.12)


def test_a_few_answers_of_another_model_are_not_enough():
    tokens = np.full((2, 100), np.nan)
    tokens[1, :19] = np.arange(10, 29)
    assert expected_tokens(tokens, 0, 50.0) == pytest.approx(np.full(100, 50.0))


def test_a_model_that_always_writes_the_same_says_nothing():
    tokens = np.full((2, 100), np.nan)
    tokens[1] = 7.0
    assert np.ptp(expected_tokens(tokens, 0, 50.0)) == pytest.approx(0)


def test_tokens_of_queries_are_means_over_what_succeeded():
    index = np.array([2, 5, 9])
    found = tokens_of_queries(index, np.array([2, 2, 5, 7, 11, 2]), np.array([10, 30, 0, 8, 8, -1]))
    assert found[0] == 20
    assert np.isnan(found[1:]).all()
    assert tokens_of_queries(np.empty(0, np.int64), np.array([3]), np.array([4])).shape == (0,)
