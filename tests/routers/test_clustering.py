"""Clusters: forming them, finding the nearest, blending what they say."""

import numpy as np
import pytest

from routers.clustering import blend, distance, k_means, nearest, reciprocal_rank, unit_rows

NAN = np.nan
ANGLE = np.deg2rad(50)
QUERY = np.array([[np.cos(ANGLE), np.sin(ANGLE)]], dtype=np.float32)
CENTRE = np.array([[0.95, 0.0], [0.30, 0.60]], dtype=np.float32)


def groups(n_points, n_groups, dim, seed=0):
    rng = np.random.default_rng(seed)
    label = np.arange(n_points) % n_groups
    point = 5.0 * rng.normal(size=(n_groups, dim))[label] + rng.normal(size=(n_points, dim))
    return unit_rows(point.astype(np.float32)), label


def is_same_partition(one, two):
    return len(set(zip(one, two, strict=True))) == len(set(one)) == len(set(two))


def test_unit_rows_keeps_zero():
    np.testing.assert_allclose(unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)), [[0.6, 0.8], [0, 0]])


@pytest.mark.parametrize("search_dim", [0, 6, 999], ids=["full", "reduced", "more than there are"])
def test_k_means_finds_groups_that_are_there(search_dim):
    point, label = groups(200, 8, 40)
    centre, found = k_means(point, 8, search_dim, seed=42)
    assert is_same_partition(found, label)
    for cluster in range(8):
        np.testing.assert_allclose(centre[cluster], point[found == cluster].mean(axis=0), atol=1e-6)


def test_k_means_on_reduced_points_ends_in_an_optimum_of_the_full_problem():
    point, _ = groups(300, 40, 30, seed=1)
    centre, label = k_means(point, 16, 5, seed=42)
    assert (distance(point, centre, "euclidean").argmin(axis=1) == label).mean() > 0.99


@pytest.mark.parametrize("search_dim", [0, 2])
def test_k_means_has_no_more_clusters_than_distinct_points(search_dim):
    point = np.repeat(np.eye(5, 8, dtype=np.float32), 4, axis=0)
    centre, label = k_means(point, 64, search_dim, seed=42)
    assert len(centre) == len(set(label)) <= 5
    np.testing.assert_allclose(centre[label], point, atol=1e-6)


def test_k_means_of_one_point():
    centre, label = k_means(np.ones((1, 3), dtype=np.float32), 64, 128, seed=42)
    assert centre.tolist() == [[1, 1, 1]]
    assert label.tolist() == [0]


def test_published_vector_of_distances():
    np.testing.assert_allclose(distance(QUERY, CENTRE, "dot"), [[0.3894, 0.3475]], atol=1e-4)
    np.testing.assert_allclose(distance(QUERY, CENTRE, "euclidean"), [[0.8254, 0.3809]], atol=1e-4)
    np.testing.assert_allclose(
        distance(QUERY, CENTRE, "cosine"), [[1 - np.cos(ANGLE), 1 - (CENTRE[1] @ QUERY[0]) / np.sqrt(0.45)]], atol=1e-4
    )


def test_published_vector_of_weights_and_reciprocal_ranks():
    index, weight = nearest(distance(QUERY, CENTRE, "dot"), 2, beta=9.0)
    assert index.tolist() == [[1, 0]]
    np.testing.assert_allclose(weight, [[0.5930, 0.4070]], atol=1e-4)
    rank = reciprocal_rank(np.array([[0.9, 0.8, 0.1], [0.2, 0.9, 0.8]]))  # A, B, C and B, C, A
    np.testing.assert_allclose(blend(rank[None], index, weight), [[[0.6047, 0.7965, 0.4322]]], atol=1e-4)


def test_a_tight_cluster_attracts_from_further_away_only_under_dot():
    query = unit_rows(np.array([[1.0, 0.9]], dtype=np.float32))
    centre = np.array([[1.0, 0.0], [0.25, 0.45]], dtype=np.float32)  # tight, wide
    assert distance(query, centre, "dot").argmin() == 0
    assert distance(query, centre, "euclidean").argmin() == 1
    assert distance(query, centre, "cosine").argmin() == 1


def test_equal_distances_go_to_the_lowest_cluster_and_beta_zero_weighs_equally():
    index, weight = nearest(np.array([[0.5, 0.2, 0.2, 0.2]]), 2, beta=9.0)
    assert index.tolist() == [[1, 2]]
    assert weight.tolist() == [[0.5, 0.5]]
    assert nearest(np.array([[0.1, 0.9]]), 5, beta=0.0)[1].tolist() == [[0.5, 0.5]]


def test_reciprocal_rank_breaks_ties_by_order_and_keeps_missing():
    np.testing.assert_allclose(reciprocal_rank(np.array([[0.5, NAN, 0.9, 0.5]])), [[1 / 2, NAN, 1, 1 / 3]])


def test_reciprocal_rank_of_many_equal_values_keeps_their_order():
    np.testing.assert_allclose(reciprocal_rank(np.tile([0.0, 0.5], 100))[1::2], 1 / np.arange(1, 101))


def test_blend_averages_over_the_clusters_that_know_the_model():
    value = np.array([[[1.0, NAN, NAN], [0.0, 0.6, NAN]]])
    mixed = blend(value, np.array([[0, 1]]), np.array([[0.75, 0.25]]))
    np.testing.assert_allclose(mixed, [[[0.75, 0.6, -np.inf]]])
