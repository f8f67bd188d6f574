"""Metrics against hand-computed cases and properties that hold for any scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.metrics import (
    avg_acc,
    best_single,
    choice_cost,
    cost_save,
    dataset_oracle,
    distance_to_frontier,
    entropy_bits,
    gain,
    gap,
    group_mean,
    group_sum,
    n_right,
    oracle,
    pareto_frontier,
    perf_gain,
    random_expectation,
    take_choice,
)

NAN = np.nan

# ---------------------------------------------------------------------------------------------- cases by hand


def test_mean_leaves_missing_scores_out_instead_of_counting_zero():
    value = np.array([[1.0, NAN, 0.0, 1.0], [NAN, NAN, 1.0, 1.0]])
    mean = group_mean(value, np.array([0, 0, 1, 1]), 3)
    np.testing.assert_array_equal(mean, [[1.0, 0.5, NAN], [NAN, 1.0, NAN]])


def test_sum_with_an_unknown_cost_is_unknown():
    total = group_sum(np.array([[1.0, NAN, 2.0]]), np.array([0, 0, 1]), 3)
    np.testing.assert_array_equal(total, [[NAN, 2.0, 0.0]])


def test_no_queries_give_no_means():
    assert np.isnan(group_mean(np.empty((2, 0)), np.empty(0, int), 1)).all()


def test_rows_that_lack_a_benchmark_are_named():
    with pytest.raises(ValueError, match=r"b has no score in y; c has no score in x, y"):
        avg_acc(np.array([[1.0, 1.0], [1.0, NAN], [NAN, NAN]]), ["a", "b", "c"], ["x", "y"])


def test_random_expectation_is_over_the_models_that_have_the_query():
    score, cost = random_expectation(
        np.array([[1.0, 0.0, NAN], [1.0, 1.0, 0.0], [NAN, NAN, NAN]]),
        np.array([[2.0, 4.0, 99.0], [1.0, NAN, 1.0], [1.0, 1.0, 1.0]]),
    )
    np.testing.assert_array_equal(score, [0.5, 2 / 3, NAN])
    np.testing.assert_array_equal(cost, [3.0, NAN, NAN])


def test_oracle_takes_the_score_itself_and_the_cheapest_that_reaches_it():
    score, cost = oracle(
        np.array([[0.5, 1.0, 1.0], [0.5, 0.0, NAN], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [NAN, NAN, NAN]]),
        np.array([[1.0, 9.0, 7.0], [3.0, 1.0, 0.0], [3.0, 2.0, 1.0], [NAN, 1.0, 1.0], [1.0, 1.0, 1.0]]),
    )
    np.testing.assert_array_equal(score, [1.0, 0.5, 0.0, 1.0, NAN])
    np.testing.assert_array_equal(cost, [7.0, 3.0, 1.0, NAN, NAN])


def test_best_single_weighs_benchmarks_equally_and_takes_the_first_of_equals():
    accuracy = np.array([[0.2, 0.8], [0.9, 0.1], [0.1 + 0.2, 0.8], [0.3, 0.8]])
    assert best_single(accuracy, "abcd", "xy") == 2


def test_dataset_oracle_uses_a_model_only_where_it_has_scores():
    assert dataset_oracle(np.array([[0.4, NAN], [0.5, 0.1], [0.5, 0.3]]), "xy").tolist() == [1, 2]
    with pytest.raises(ValueError, match="no model has a score in y"):
        dataset_oracle(np.array([[0.4, NAN]]), "xy")


def test_gain_and_gap_of_the_specified_vector():
    a, r, b, o = np.array([[0.6, 0.9], [0.3, 0.6], [0.5, 0.95], [0.8, 1.0]])
    assert gain(a, r, "xy").mean == pytest.approx(0.75)
    assert gain(a, b, "xy").mean == pytest.approx(0.07368, abs=5e-6)
    assert gap(a, o, "xy").mean == pytest.approx(0.175)


def test_a_zero_baseline_is_undefined_and_named():
    relative = gain(np.array([[0.6, 0.9], [0.0, 0.9]]), np.array([0.0, 0.6]), ["aime", "bbh"])
    np.testing.assert_allclose(relative.per_benchmark, [[NAN, 0.5], [NAN, 0.5]])
    np.testing.assert_allclose(relative.mean, [0.5, 0.5])
    assert relative.undefined == ("aime",)
    assert np.isnan(gain(np.array([0.5]), np.array([0.0]), ["aime"]).mean)


def test_gain_of_a_row_that_lacks_a_benchmark_is_unknown():
    assert np.isnan(gain(np.array([NAN, 0.9]), np.array([0.5, 0.6]), "xy").mean)


def test_a_cascade_pays_for_every_model_that_it_calls():
    cost, choice = np.array([[1.0, 10.0, NAN], [2.0, NAN, 50.0]]), np.array([[0, 0], [1, 2], [1, 0]])
    calls = np.zeros((3, 3, 3)) + np.eye(3)
    calls[1:, 1, 0] = calls[1:, 2, 0] = 1  # the first model is always asked first
    calls[2, :, 0] *= 3  # and then asked twice more whether it was right
    found = choice_cost(cost, choice, calls)
    assert found.tolist() == [[1.0, 2.0], [11.0, 52.0], [13.0, 6.0]]
    assert np.isnan(choice_cost(cost, np.array([0, 1]), calls[1])).tolist() == [False, True]
    assert choice_cost(cost, choice[0]).tolist() == [1.0, 2.0]


def test_perf_gain_takes_the_best_trade_off():
    assert perf_gain(np.array([0.5, 0.8, 0.8, NAN]), 0.64) == (pytest.approx(0.25), 1)
    assert perf_gain(np.array([NAN]), 0.6).configuration == -1
    assert np.isnan(perf_gain(np.array([0.5]), 0.0).value)


def test_cost_save_takes_the_cheapest_trade_off_that_is_as_good():
    accuracy, cost = np.array([0.5, 0.6, 0.7, 0.8]), np.array([1.0, 6.0, 5.0, 20.0])
    assert cost_save(accuracy, cost, 0.6, 10.0) == (pytest.approx(0.5), 2)
    assert cost_save(accuracy, cost, 0.75, 10.0) == (pytest.approx(-1.0), 3)


def test_cost_save_counts_a_tie_that_rounding_broke():
    assert cost_save(np.array([0.3]), np.array([5.0]), 0.1 + 0.2, 10.0).value == 0.5


@pytest.mark.parametrize(
    ("accuracy", "cost", "best_cost"),
    [
        ([0.5], [1.0], 10.0),
        ([0.6, 0.7], [NAN, 1.0], 10.0),
        ([0.6], [1.0], NAN),
        ([0.6], [1.0], 0.0),
        ([NAN], [1.0], 1.0),
    ],
    ids=["none as good", "unknown cost", "unknown baseline cost", "free baseline", "no accuracy"],
)
def test_cost_save_without_an_answer_is_unknown(accuracy, cost, best_cost):
    value, configuration = cost_save(np.array(accuracy), np.array(cost), 0.6, best_cost)
    assert np.isnan(value)
    assert configuration == -1


def test_pareto_dist_of_the_specified_points():
    cost = np.array([1.0, 4.0, 10.0, 2.0, 9.0, 5.0])  # m1, m2, m3, router A twice, router B
    accuracy = np.array([0.4, 0.6, 0.7, 0.55, 0.72, 0.5])
    assert pareto_frontier(accuracy, cost).tolist() == [True, True, False, True, True, False]
    distance = distance_to_frontier(accuracy, cost)
    np.testing.assert_allclose(distance, [0, 0, 0.1736, 0, 0, 0.4236], atol=5e-5)


def test_points_that_are_equal_are_on_the_frontier_together():
    accuracy, cost = np.array([0.5, 0.5, 0.5, 0.4]), np.array([1.0, 1.0, 2.0, 1.0])
    assert pareto_frontier(accuracy, cost).tolist() == [True, True, False, False]


def test_an_axis_without_spread_does_not_count():
    assert distance_to_frontier(np.array([0.5, 0.5]), np.array([1.0, 3.0])).tolist() == [0.0, 1.0]
    assert distance_to_frontier(np.array([0.5]), np.array([2.0])).tolist() == [0.0]


def test_hardness_ignores_missing_pairs():
    assert n_right(np.array([[0.5, 0.0, NAN], [1.0, 1.0, 1.0]])).tolist() == [1, 3]


def test_entropy_of_the_specified_distribution():
    assert entropy_bits(np.array([0.7, 0.2, 0.1])) == pytest.approx(1.1568, abs=5e-5)
    assert str(entropy_bits(np.array([0.0, 1.0]))) == "0.0"


# ------------------------------------------------------------------------------------------------ properties

N_QUERIES, N_MODELS, N_BENCHMARKS = 12, 4, 3
BENCHMARK = np.arange(N_QUERIES) % N_BENCHMARKS
SCORES = arrays(float, (N_QUERIES, N_MODELS), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]))
COSTS = arrays(float, (N_QUERIES, N_MODELS), elements=st.floats(0, 10))
POINTS = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7]), st.sampled_from([1.0, 2.0, 3.5, 9.0])), min_size=1)


@given(SCORES, COSTS)
@settings(max_examples=100, deadline=None)
def test_references_are_in_order(score, cost):
    accuracy = group_mean(score.T, BENCHMARK, N_BENCHMARKS)
    each = accuracy.mean(axis=1)
    best = each[best_single(accuracy, "abcd", "xyz")]
    expert = accuracy[dataset_oracle(accuracy, "xyz"), range(N_BENCHMARKS)].mean()
    top, top_cost = oracle(score, cost)
    expected, expected_cost = random_expectation(score, cost)
    random = group_mean(expected, BENCHMARK, N_BENCHMARKS).mean()
    assert group_mean(top, BENCHMARK, N_BENCHMARKS).mean() >= expert - 1e-12
    assert expert >= best - 1e-12
    assert each.min() - 1e-12 <= random <= each.max() + 1e-12
    assert (cost.min(axis=1) <= top_cost).all()
    assert (cost.min(axis=1) - 1e-9 <= expected_cost).all()
    assert (expected_cost <= cost.max(axis=1) + 1e-9).all()


@given(SCORES, COSTS, st.permutations(range(N_QUERIES)), st.permutations(range(N_MODELS)))
@settings(max_examples=50, deadline=None)
def test_order_of_queries_and_models_does_not_matter(score, cost, queries, models):
    def figures(score, cost, benchmark):
        accuracy = group_mean(score.T, benchmark, N_BENCHMARKS)
        expert = accuracy[dataset_oracle(accuracy, "xyz"), range(N_BENCHMARKS)]
        top, top_cost = oracle(score, cost)
        return [
            *group_mean(np.stack([top, *random_expectation(score, cost)]), benchmark, N_BENCHMARKS).ravel(),
            *np.sort(avg_acc(accuracy, "abcd", "xyz")),
            *expert,
            top_cost.sum(),
        ]

    moved = figures(score[np.ix_(queries, models)], cost[np.ix_(queries, models)], BENCHMARK[queries])
    np.testing.assert_allclose(moved, figures(score, cost, BENCHMARK), atol=1e-12)


@given(SCORES, st.integers(0, N_MODELS - 1))
@settings(max_examples=50, deadline=None)
def test_a_constant_choice_is_exactly_that_model(score, model):
    chosen = take_choice(score, np.full((2, N_QUERIES), model))
    expected = group_mean(score.T, BENCHMARK, N_BENCHMARKS)[model]
    assert (group_mean(chosen, BENCHMARK, N_BENCHMARKS) == expected).all()


@given(POINTS)
@settings(max_examples=200, deadline=None)
def test_frontier_is_what_nothing_dominates(points):
    accuracy, cost = np.array(points).T
    expected = [
        not any(a >= accuracy[i] and c <= cost[i] and (a > accuracy[i] or c < cost[i]) for a, c in points)
        for i in range(len(points))
    ]
    assert pareto_frontier(accuracy, cost).tolist() == expected
    distance = distance_to_frontier(accuracy, cost)
    assert (distance[expected] == 0).all()
    assert (distance[~np.array(expected)] > 0).all()
