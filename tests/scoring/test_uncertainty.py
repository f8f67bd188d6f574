"""Linearised quantities: derivatives by finite differences, coverage of gains and savings, pairs of contenders."""

import numpy as np
import pytest

from scoring.bootstrap import influence
from scoring.metrics import gain, group_mean
from scoring.pairs import pair_figures
from scoring.uncertainty import Quantity, intervals, mean_gain, minus, over, rounded, seed_interval, total

N_BENCHMARKS = 3
BENCHMARK = np.repeat(np.arange(N_BENCHMARKS), [60, 90, 150])
ALL = np.arange(len(BENCHMARK))
NAMES = ("a", "b", "c")
STEP, QUERY = 1e-6, 70  # of benchmark b


def drawn(seed, lift=(0.0, 0.1, 0.2)):
    """Scores and USD of contenders; the dearer ones are better. Each [n_contenders, n_queries]."""
    generator = np.random.default_rng(seed)
    ease = np.where(generator.random(len(BENCHMARK)) < 0.5, 0.3, 0.7)
    score = (generator.random((len(lift), len(BENCHMARK))) < ease + np.array(lift)[:, None]).astype(float)
    usd = generator.lognormal(0, 0.5, score.shape) * (1 + 10 * np.array(lift)[:, None])
    return score, usd


def weighted(score, usd):
    """Accuracy per benchmark and total cost when one query weighs a little more, its benchmark's total unchanged."""
    weight = np.where(QUERY == ALL, 1 + STEP, 1.0)
    n = np.bincount(BENCHMARK)
    weight *= (n / np.bincount(BENCHMARK, weights=weight))[BENCHMARK]  # as a resample of n queries has it
    accuracy = np.stack([np.bincount(BENCHMARK, weights=weight * row) / n for row in score])
    return accuracy, usd @ weight


def test_influence_of_a_gain_and_of_a_ratio_of_costs_is_their_derivative():
    score, usd = drawn(1)
    accuracy, moved = group_mean(score, BENCHMARK, N_BENCHMARKS), influence([score], [ALL], BENCHMARK, N_BENCHMARKS)
    later, later_cost = weighted(score, usd)
    for base in range(3):
        found = mean_gain(accuracy, moved, BENCHMARK, base, NAMES)
        before, after = gain(accuracy, accuracy[base], NAMES).mean, gain(later, later[base], NAMES).mean
        np.testing.assert_allclose(found.estimate, before)
        np.testing.assert_allclose(found.influence[QUERY], (after - before) / STEP, atol=2e-6)
        assert (found.influence[:, base] == 0).all()
    cost = total([usd], [ALL], BENCHMARK, N_BENCHMARKS)
    np.testing.assert_allclose(cost.estimate, usd.sum(axis=1))
    ratio = over(cost, cost.of([0]))
    expected = (later_cost / later_cost[0] - usd.sum(axis=1) / usd[0].sum()) / STEP
    np.testing.assert_allclose(ratio.influence[QUERY], expected, rtol=1e-3, atol=1e-7)


def test_a_benchmark_where_the_base_is_zero_is_left_out():
    score, _ = drawn(2)
    score[0, BENCHMARK == 1] = 0
    accuracy, moved = group_mean(score, BENCHMARK, N_BENCHMARKS), influence([score], [ALL], BENCHMARK, N_BENCHMARKS)
    found = mean_gain(accuracy, moved, BENCHMARK, 0, NAMES)
    assert (found.influence[BENCHMARK == 1] == 0).all()
    np.testing.assert_allclose(found.estimate, (accuracy[:, [0, 2]] / accuracy[0, [0, 2]]).mean(axis=1) - 1)
    nothing = mean_gain(0 * accuracy, 0 * moved, BENCHMARK, 0, NAMES)
    assert np.isnan(nothing.estimate).all()


def test_costs_of_several_seeds_are_those_of_one_test_set():
    _, usd = drawn(3)
    halves = [ALL[::2], ALL[1::2]]
    found = total([usd[:, rows] for rows in halves], halves, BENCHMARK, N_BENCHMARKS)
    np.testing.assert_allclose(found.estimate, usd.sum(axis=1) / 2)
    sums = [found.influence[number == BENCHMARK].sum(axis=0) for number in range(N_BENCHMARKS)]
    np.testing.assert_allclose(sums, 0, atol=1e-9)


def test_an_unknown_cost_makes_that_contender_unknown_and_no_other():
    _, usd = drawn(4)
    usd[1, 7] = np.nan
    found = total([usd], [ALL], BENCHMARK, N_BENCHMARKS)
    assert np.isnan(found.estimate).tolist() == [False, True, False]
    ends = intervals({"cost": found}, [ALL], BENCHMARK, n_resamples=50, seed=0)["cost"]
    assert np.isnan(ends).any(axis=1).tolist() == [False, True, False]


def test_intervals_of_gains_and_savings_cover_the_truth_as_often_as_they_say():
    n_trials, covered = 400, np.zeros(2)
    truth = [np.mean([0.6 / 0.5]) - 1, 1 - 2.0]  # accuracies 0.6 and 0.5; the second costs twice as much
    for trial in range(n_trials):
        score, usd = drawn(100 + trial, lift=(0.0, 0.1))
        accuracy, moved = group_mean(score, BENCHMARK, 3), influence([score], [ALL], BENCHMARK, 3)
        cost = total([usd], [ALL], BENCHMARK, 3)
        ratio = over(cost, cost.of([0]))
        found = intervals(
            {"gain": mean_gain(accuracy, moved, BENCHMARK, 0, NAMES), "save": Quantity(1 - ratio[0], -ratio[1])},
            [ALL], BENCHMARK, n_resamples=300, seed=trial,
        )  # fmt: skip
        for i, name in enumerate(found):
            low, high = found[name][1]
            covered[i] += low <= truth[i] <= high
    assert (covered / n_trials >= 0.92).all(), covered / n_trials
    assert (covered / n_trials <= 0.98).all(), covered / n_trials


def test_students_interval_over_seeds():
    low, high = seed_interval(np.array([[0.1], [0.2], [0.3]]))[0]
    half = 4.302653 * 0.1 / np.sqrt(3)  # the 97.5 % quantile of t with two degrees of freedom
    assert (low, high) == (pytest.approx(0.2 - half), pytest.approx(0.2 + half))
    assert np.isnan(seed_interval(np.array([[0.1, 0.2]]))).all()


def test_pairs_agree_with_the_resamples_and_are_corrected_together():
    score, _ = drawn(5, lift=(0.0, 0.02, 0.3, 0.3))
    score[3] = score[2]
    moved = influence([score], [ALL], BENCHMARK, N_BENCHMARKS)
    quantity = Quantity(group_mean(score, BENCHMARK, N_BENCHMARKS).mean(axis=1), moved)
    found = {(row["a"], row["b"]): row for row in pair_figures(["a", "b", "c", "d"], quantity)}
    assert len(found) == 6
    twins = found["c", "d"]
    assert (twins["difference"], twins["p_value"], twins["is_distinguishable"]) == (0.0, 1.0, False)
    assert found["a", "c"]["is_distinguishable"]
    assert not found["a", "b"]["is_distinguishable"]
    assert found["a", "c"]["p_holm"] > found["a", "c"]["p_value"]
    ends = intervals({"d": minus(quantity, quantity.of([2]))}, [ALL], BENCHMARK, n_resamples=20_000, seed=0)["d"][0]
    np.testing.assert_allclose(found["a", "c"]["difference_interval"], ends, atol=0.003)


def test_contenders_without_an_estimate_are_in_no_pair():
    quantity = Quantity(np.array([0.5, np.nan, 0.6]), np.array([[0.1, np.nan, 0.2], [-0.1, np.nan, -0.2]]))
    assert [(row["a"], row["b"]) for row in pair_figures(["x", "y", "z"], quantity)] == [("x", "z")]
    assert pair_figures([], quantity.of([])) == []


def test_digits_that_depend_on_the_machine_are_rounded_away():
    np.testing.assert_array_equal(
        rounded(np.array([[1 / 3, 1e-9 / 3, np.nan]])), [[0.333333333, 3.33333333e-10, np.nan]]
    )
