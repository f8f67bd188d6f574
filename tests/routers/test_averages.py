"""Means over groups with missing values."""

import numpy as np

from routers.averages import group_mean, macro_mean, overall_mean

NAN = np.nan


def test_group_mean_leaves_missing_values_out():
    value = np.array([[1.0, NAN], [0.0, 0.5], [1.0, NAN], [1.0, NAN]])
    group = np.array([0, 0, 2, 2])
    np.testing.assert_array_equal(group_mean(value, group, 3), [[0.5, 0.5], [NAN, NAN], [1.0, NAN]])


def test_overall_mean_pools_rows():
    np.testing.assert_array_equal(overall_mean(np.array([[1.0, NAN], [0.0, NAN]])), [0.5, NAN])


def test_macro_mean_weighs_groups_equally_whatever_their_size():
    score = np.array([[1.0], [0.0], [0.0], [0.0]])
    assert macro_mean(group_mean(score, np.array([0, 1, 1, 1]), 2))[0] == 0.5


def test_macro_mean_leaves_out_a_model_that_misses_a_group():
    np.testing.assert_array_equal(macro_mean(np.array([[0.9, 0.4], [NAN, 0.6]])), [NAN, 0.5])


def test_macro_mean_compares_those_with_most_groups_where_none_has_all():
    per_group = np.array([[0.9, 0.4, NAN], [NAN, 0.6, 0.2], [NAN, NAN, 0.4]])
    np.testing.assert_allclose(macro_mean(per_group), [NAN, 0.5, 0.3])


def test_macro_mean_ignores_a_group_that_nobody_has():
    np.testing.assert_allclose(macro_mean(np.array([[0.2, 0.4], [NAN, NAN]])), [0.2, 0.4])


def test_macro_mean_of_a_model_without_any_group_is_missing():
    np.testing.assert_allclose(macro_mean(np.array([[NAN, 0.4]])), [NAN, 0.4])


def test_macro_mean_of_nothing_is_missing():
    np.testing.assert_array_equal(macro_mean(np.full((2, 3), NAN)), [NAN, NAN, NAN])
