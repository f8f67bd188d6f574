"""Random: uniform, seeded, independent between models and of the rest of the call."""

from dataclasses import replace

import numpy as np
from worlds import avg_acc, noise, pool, rows, specialists

from routers.random_choice import RandomChoice
from routers.router import choose

WORLD = noise()


def test_every_model_is_equally_likely():
    choice = choose(RandomChoice().fit(WORLD).predict(WORLD))[0]
    share = np.bincount(choice, minlength=5) / WORLD.n_queries
    np.testing.assert_allclose(share, 0.2, atol=4 * np.sqrt(0.2 * 0.8 / WORLD.n_queries))


def test_average_over_seeds_reaches_the_expectation():
    world = specialists()
    score = [avg_acc(world, choose(RandomChoice(seed=seed).fit(world).predict(world))[0]) for seed in range(30)]
    error = np.std(score, ddof=1) / np.sqrt(len(score))
    assert abs(np.mean(score) - np.mean([avg_acc(world, np.full(world.n_queries, m)) for m in range(5)])) < 3 * error


def test_seeds_are_independent():
    one, two = (RandomChoice(seed=seed).fit(WORLD).predict(WORLD).ravel() for seed in (42, 999))
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(one.size)


def test_models_are_independent():
    utility = RandomChoice().fit(WORLD).predict(WORLD)[0]
    correlation = np.corrcoef(utility.T) - np.eye(5)
    assert np.abs(correlation).max() < 4.5 / np.sqrt(WORLD.n_queries)


def test_a_longer_call_starts_with_the_draws_of_a_shorter_one():
    router = RandomChoice().fit(WORLD)
    np.testing.assert_array_equal(router.predict(rows(WORLD, np.arange(9))), router.predict(WORLD)[:, :9])


def test_a_larger_pool_keeps_the_draws_of_its_models():
    few = pool(WORLD, [1, 3])
    np.testing.assert_array_equal(
        RandomChoice().fit(few).predict(few), RandomChoice().fit(WORLD).predict(WORLD)[..., [1, 3]]
    )


def test_a_model_without_scores_is_never_drawn():
    score = WORLD.score.copy()
    score[:, 2] = np.nan
    utility = RandomChoice().fit(replace(WORLD, score=score)).predict(WORLD)
    assert np.isneginf(utility[..., 2]).all()
    assert np.isfinite(utility[..., [0, 1, 3, 4]]).all()
