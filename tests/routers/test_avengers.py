"""Avengers: ranks within clusters, reciprocal ranks over the nearest ones."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, rows, specialists, split, world

from routers.avengers import Avengers
from routers.router import choose

NAN = np.nan
TRAIN, TEST = split(continuous())
EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def build(score, embedding):
    return world(np.array(score, dtype=float), np.zeros(len(score)), np.array(embedding))


def test_one_cluster_is_the_best_model_pooled_over_queries():
    router = Avengers(n_clusters=1).fit(TRAIN)
    assert set(choose(router.predict(TEST)).ravel()) == {TRAIN.score.mean(axis=0).argmax()}


def test_each_region_goes_to_its_best_model():
    train = build([[1, 0], [1, 0], [0, 1], [0, 1]], [EAST, EAST, NORTH, NORTH])
    test = build([[0, 0], [0, 0]], [[3.0, 0.1], [0.1, 0.5]])
    assert choose(Avengers(n_clusters=2).fit(train).predict(test)).tolist() == [[0, 1]]


def test_utility_of_the_nearest_cluster_is_the_reciprocal_rank():
    train = build([[0.2, 0.9, 0.5], [0.2, 0.9, 0.5]], [EAST, EAST])
    np.testing.assert_allclose(Avengers().fit(train).predict(train)[0, 0], [1 / 3, 1, 1 / 2])


def test_equal_accuracies_rank_in_the_order_of_the_models():
    train = build([[0.0, 1.0, 1.0]], [EAST])
    assert Avengers().fit(train).predict(train)[0, 0].tolist() == [1 / 3, 1, 1 / 2]


def test_several_clusters_add_up_their_reciprocal_ranks():
    train = build([[0.9, 0.8, 0.1], [0.2, 0.9, 0.8]], [EAST, NORTH])
    test = build([[0, 0, 0]], [[1.0, 1.0]])  # half way
    utility = Avengers(n_clusters=2, top_k=2).fit(train).predict(test)[0, 0]
    np.testing.assert_allclose(utility, [(1 + 1 / 3) / 2, (1 / 2 + 1) / 2, (1 / 3 + 1 / 2) / 2], rtol=1e-6)


def test_a_model_without_scores_in_the_cluster_is_not_chosen_there():
    train = build([[0.1, NAN], [0.1, NAN], [0.1, 1.0], [0.1, 1.0]], [EAST, EAST, NORTH, NORTH])
    test = build([[0, 0], [0, 0]], [EAST, NORTH])
    assert Avengers(n_clusters=2).fit(train).predict(test)[0].tolist() == [[1.0, -np.inf], [0.5, 1.0]]


def test_queries_without_any_score_form_no_cluster():
    train = build([[1, 0], [1, 0], [NAN, NAN]], [EAST, EAST, NORTH])
    router = Avengers(n_clusters=2).fit(train)
    assert len(router.centre_) == 1
    assert set(choose(router.predict(train)).ravel()) == {0}


@pytest.mark.parametrize("n_clusters", [64, 10_000])
def test_more_clusters_than_training_queries(n_clusters):
    few = rows(TRAIN, np.arange(7))
    router = Avengers(n_clusters=n_clusters).fit(few)
    assert len(router.centre_) == 7
    np.testing.assert_array_equal(choose(router.predict(few))[0], few.score.argmax(axis=1))


def test_top_k_larger_than_the_number_of_clusters():
    router = Avengers(n_clusters=3, top_k=50).fit(TRAIN)
    choose(router.predict(TEST))


@pytest.mark.parametrize("assign", ["dot", "euclidean", "cosine"])
def test_zero_embeddings(assign):
    train, test = (replace(part, embedding=np.zeros_like(part.embedding)) for part in (TRAIN, TEST))
    choose(Avengers(assign=assign).fit(train).predict(TEST))
    choose(Avengers(assign=assign).fit(TRAIN).predict(test))


def test_length_of_the_embedding_does_not_matter():
    router = Avengers(n_clusters=8).fit(TRAIN)
    longer = replace(TEST, embedding=TEST.embedding * np.float32(7))
    np.testing.assert_array_equal(router.predict(longer), router.predict(TEST))


@pytest.mark.parametrize("search_dim", [0, 6])
def test_search_in_few_dimensions_finds_the_same_specialists(search_dim):
    train, test = split(specialists())
    choice = choose(Avengers(n_clusters=10, search_dim=search_dim).fit(train).predict(test))[0]
    assert (choice == test.benchmark).mean() > 0.99


def test_three_clusters_and_euclidean_distance_are_routerevals_cluster_router():
    from sklearn.cluster import KMeans

    train, test = split(continuous(n_queries=300))
    x, y = (part.embedding / np.linalg.norm(part.embedding, axis=1, keepdims=True) for part in (train, test))
    k_means = KMeans(3, n_init=10, random_state=0).fit(x)
    best = np.stack([train.score[k_means.labels_ == cluster].mean(axis=0).argmax() for cluster in range(3)])
    choice = choose(Avengers(n_clusters=3, assign="euclidean").fit(train).predict(test))[0]
    np.testing.assert_array_equal(choice, best[k_means.predict(y)])
