"""kNN on score vectors: against a plain loop, then each special case."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, rows, split, world

from routers import knn
from routers.knn import KNN
from routers.router import choose

NAN = np.nan
TRAIN, TEST = split(continuous(n_queries=120))


def build(score, embedding):
    return world(np.array(score, dtype=float), np.zeros(len(score)), np.array(embedding, dtype=float))


def by_hand(train, test, k, metric, weights, temperature, shrinkage):
    """The definition, one query and one model at a time."""
    x, y = train.embedding.astype(np.float64), test.embedding.astype(np.float64)
    if metric == "cosine":
        near = (y / np.linalg.norm(y, axis=1)[:, None]) @ (x / np.linalg.norm(x, axis=1)[:, None]).T
    else:
        near = -np.linalg.norm(y[:, None] - x, axis=2) / np.sqrt((x**2).sum(axis=1).mean())
    out = np.empty((test.n_queries, len(test.models)))
    for q in range(test.n_queries):
        neighbours = np.argsort(-near[q], kind="stable")[:k]
        weight = np.exp(near[q, neighbours] / temperature) if weights == "softmax" else np.ones(k)
        weight = weight / weight.sum() * k
        for m in range(len(test.models)):
            score = train.score[neighbours, m]
            known = ~np.isnan(score)
            mean = np.nanmean(train.score[:, m])
            total = (weight[known] * score[known]).sum() + shrinkage * mean
            out[q, m] = total / (weight[known].sum() + shrinkage)
    return out


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("weights", ["uniform", "softmax"])
@pytest.mark.parametrize("shrinkage", [0.0, 2.5])
def test_equals_the_definition(metric, weights, shrinkage):
    params = {"metric": metric, "weights": weights, "temperature": 0.2, "shrinkage": shrinkage}
    utility = KNN(n_neighbors=9, **params).fit(TRAIN).predict(TEST)[0]
    np.testing.assert_allclose(utility, by_hand(TRAIN, TEST, 9, **params), atol=2e-5)


def test_equals_the_definition_with_missing_pairs():
    missing = np.random.default_rng(0).random(TRAIN.score.shape) < 0.4
    score = np.where(missing, NAN, TRAIN.score)
    train = replace(TRAIN, score=score)
    scored = rows(train, np.flatnonzero(~missing.all(axis=1)))
    expected = by_hand(scored, TEST, 9, "cosine", "uniform", 1.0, 2.5)
    np.testing.assert_allclose(KNN(n_neighbors=9, shrinkage=2.5).fit(train).predict(TEST)[0], expected, atol=1e-9)


def test_blocks_do_not_change_the_result(monkeypatch):
    router = KNN().fit(TRAIN)
    whole = router.predict(TEST)
    monkeypatch.setattr(knn, "BLOCK_CELLS", 5 * 160)
    np.testing.assert_allclose(router.predict(TEST), whole, rtol=1e-12)


@pytest.mark.parametrize("weights", ["uniform", "softmax"])
def test_more_neighbours_than_training_queries(weights):
    router = KNN(n_neighbors=10_000, weights=weights, temperature=1e6, shrinkage=0).fit(TRAIN)
    np.testing.assert_allclose(
        router.predict(TEST)[0], np.tile(TRAIN.score.mean(axis=0), (TEST.n_queries, 1)), rtol=1e-5
    )


def test_one_neighbour_recalls_the_training_scores():
    utility = KNN(n_neighbors=1, shrinkage=0).fit(TRAIN).predict(TRAIN)[0]
    np.testing.assert_allclose(utility, TRAIN.score, rtol=1e-12)


def test_equal_neighbours_are_taken_from_the_lowest_rows():
    score = np.arange(8.0)[:, None] / 8 * [1, 0]
    train = build(score, [[0, 1]] + [[1, 0]] * 7)
    utility = KNN(n_neighbors=3, shrinkage=0).fit(train).predict(rows(train, np.array([1, 7, 4])))
    np.testing.assert_allclose(utility[0, :, 0], score[[1, 2, 3], 0].mean())


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_equal_neighbours_at_the_edge_of_a_block(metric):
    """Float32 products of equal rows differ in their last bit by place, above all for a query that comes alone."""
    rng = np.random.default_rng(3)
    original = rng.normal(size=383)
    score = (np.arange(2003)[:, None] < 3) * np.array([1.0, 0.0])
    router = KNN(n_neighbors=3, metric=metric, shrinkage=0).fit(build(score, np.tile(original, (2003, 1))))
    for n_queries in [1] * 20 + [2, 67]:
        query = original + 0.1 * rng.normal(size=(n_queries, 383))
        assert router.predict(build(np.zeros((n_queries, 2)), query))[0].round(9).tolist() == [[1, 0]] * n_queries


def test_equal_utilities_go_to_the_higher_training_mean_then_to_the_lower_number():
    near = [[1, 1, 1, 0], [0, 0, 0, 1]]  # equal means for all models
    far = [[0, 1, 1, 0]] * 4
    train = build(near + far, [[1, 0]] * 2 + [[0, 1]] * 4)
    router = KNN(n_neighbors=2, shrinkage=0).fit(train)
    assert choose(router.predict(rows(train, np.array([0]))))[0, 0] == 1


def test_tie_is_broken_by_the_smallest_possible_step():
    train = build([[1, 1], [0, 0], [0, 1]], [[1, 0], [1, 0], [0, 1]])
    utility = KNN(n_neighbors=2, shrinkage=0).fit(train).predict(rows(train, np.array([0])))[0, 0]
    assert utility.tolist() == [0.5, np.nextafter(0.5, 1)]


def test_without_shrinkage_a_model_that_no_neighbour_knows_is_not_chosen():
    train = build([[0.1, NAN], [0.1, NAN], [0.5, 1.0]], [[1, 0], [1, 0.1], [0, 1]])
    test = rows(train, np.array([0]))
    assert np.isneginf(KNN(n_neighbors=2, shrinkage=0).fit(train).predict(test)[0, 0, 1])
    assert KNN(n_neighbors=2, shrinkage=1).fit(train).predict(test)[0, 0, 1] == pytest.approx(1.0)


def test_shrinkage_pulls_little_evidence_to_the_mean():
    train = build([[0.6, 1.0]] + [[0.6, NAN]] * 3 + [[0.6, 0.0]] * 4, [[1, 0]] * 4 + [[0, 1]] * 4)
    test = rows(train, np.array([0]))
    router = KNN(n_neighbors=4, shrinkage=0)
    assert choose(router.fit(train).predict(test))[0, 0] == 1, "one lucky answer"
    assert choose(KNN(n_neighbors=4, shrinkage=10.0).fit(train).predict(test))[0, 0] == 0


def test_a_model_without_a_score_is_never_chosen_whatever_the_shrinkage():
    train = replace(TRAIN, score=np.where(np.arange(4) == 2, NAN, TRAIN.score))
    assert np.isneginf(KNN(shrinkage=5.0).fit(train).predict(TEST)[..., 2]).all()


def test_a_zero_embedding_gets_the_training_means_under_cosine():
    embedding = TEST.embedding.copy()
    embedding[3] = 0
    utility = KNN(shrinkage=0).fit(TRAIN).predict(replace(TEST, embedding=embedding))
    np.testing.assert_allclose(utility[0, 3], TRAIN.score.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_all_embeddings_zero(metric):
    train, test = (replace(part, embedding=np.zeros_like(part.embedding)) for part in (TRAIN, TEST))
    choose(KNN(metric=metric).fit(train).predict(test))


def test_length_matters_to_euclidean_only():
    length = np.random.default_rng(1).uniform(0.1, 10, size=(TEST.n_queries, 1)).astype(np.float32)
    longer = replace(TEST, embedding=TEST.embedding * length)
    cosine, euclidean = KNN().fit(TRAIN), KNN(metric="euclidean").fit(TRAIN)
    np.testing.assert_allclose(cosine.predict(longer), cosine.predict(TEST), rtol=1e-9)
    assert (euclidean.predict(longer) != euclidean.predict(TEST)).any()


def test_unit_of_the_embedding_does_not_matter():
    train, test = (replace(part, embedding=part.embedding * np.float32(1024)) for part in (TRAIN, TEST))
    router = KNN(metric="euclidean", weights="softmax")
    np.testing.assert_allclose(router.fit(train).predict(test), router.clone().fit(TRAIN).predict(TEST), rtol=1e-6)
