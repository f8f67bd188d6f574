"""Similarity-weighted ranking: against ratings of one query at a time."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, rows, split, world

from routers import routellm_sw
from routers.bradley_terry import ratings
from routers.elo import Elo
from routers.routellm_sw import RouteLLMSW, weights
from routers.router import RouterError, choose

NAN = np.nan
TRAIN, TEST = split(continuous(n_queries=90))
EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def build(score, embedding):
    return world(np.array(score, dtype=float), np.zeros(len(score)), np.array(embedding))


def test_nearest_weighs_ten_times_an_orthogonal_and_a_hundred_times_an_opposite_query():
    weight = weights(np.array([[0.5, 0.0, -0.5, 0.25]], dtype=np.float32))[0]
    np.testing.assert_allclose(weight / weight[1], [10, 1, 0.1, 10**0.5], rtol=1e-5)
    assert weight.mean() == pytest.approx(1.0)


@pytest.mark.parametrize("similarity", [[0.0, 0.0], [-0.5, -0.1], [-0.3, 0.0]])
def test_without_a_similar_query_all_weigh_the_same(similarity):
    assert weights(np.array([similarity], dtype=np.float32)).tolist() == [[1, 1]]


def test_equals_ratings_of_each_query_alone():
    score = np.where(np.random.default_rng(0).random(TRAIN.score.shape) < 0.2, NAN, TRAIN.score)
    utility = RouteLLMSW().fit(replace(TRAIN, score=score)).predict(TEST)[0]
    x, y = (part.embedding / np.linalg.norm(part.embedding, axis=1, keepdims=True) for part in (TRAIN, TEST))
    known = ~np.isnan(score).all(axis=1)
    for q in range(0, TEST.n_queries, 5):
        similarity = (x @ y[q])[known]
        weight = 10 * 10 ** (similarity / similarity.max())
        weight /= weight.mean()
        won = np.zeros((4, 4))
        for a in range(4):
            for b in range(4):
                one, other = score[known, a], score[known, b]
                won[a, b] = (weight * ((one > other) + 0.5 * (one == other))).sum()
        np.testing.assert_allclose(utility[q], ratings(won), rtol=1e-4)


def test_each_region_goes_to_its_best_model():
    train = build([[1, 0, 0.5]] * 5 + [[0, 1, 0.5]] * 5, [EAST] * 5 + [NORTH] * 5)
    test = build([[0, 0, 0]] * 2, [[3.0, 0.1], [0.1, 0.5]])
    assert choose(RouteLLMSW().fit(train).predict(test)).tolist() == [[0, 1]]


def test_a_zero_embedding_gets_the_ratings_of_all_queries_alike():
    test = replace(rows(TEST, [0]), embedding=np.zeros((1, 12), dtype=np.float32))
    np.testing.assert_allclose(
        RouteLLMSW().fit(TRAIN).predict(test)[0, 0], Elo().fit(TRAIN).predict(test)[0, 0], rtol=1e-5
    )


def test_blocks_do_not_change_the_result(monkeypatch):
    router = RouteLLMSW().fit(TRAIN)
    whole = router.predict(TEST)
    monkeypatch.setattr(routellm_sw, "BLOCK_CELLS", 5 * TRAIN.n_queries)
    np.testing.assert_allclose(router.predict(TEST), whole, rtol=1e-5)


def test_too_many_models_are_refused(monkeypatch):
    monkeypatch.setattr(routellm_sw, "MOST_OUTCOMES", TRAIN.n_queries * 16 - 1)
    with pytest.raises(RouterError, match=f"{TRAIN.n_queries} training queries and 4 models make .* take fewer models"):
        RouteLLMSW().fit(TRAIN)
