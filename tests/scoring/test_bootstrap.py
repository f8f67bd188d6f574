"""Bootstrap: coverage of a synthetic truth, pairing, overlapping test sets, agreement with plain resampling."""

import numpy as np
import pytest

from scoring.bootstrap import deviations, influence, percentile_interval
from scoring.metrics import group_mean

N_BENCHMARKS = 3
BENCHMARK = np.repeat(np.arange(N_BENCHMARKS), [100, 200, 400])
ALL = np.arange(len(BENCHMARK))


def splits(generator, n_seeds):
    """Test rows of each seed: three in ten queries of every benchmark."""
    parts = [np.flatnonzero(b == BENCHMARK) for b in range(N_BENCHMARKS)]
    return [np.concatenate([generator.permutation(p)[: len(p) * 3 // 10] for p in parts]) for _ in range(n_seeds)]


def averages(value, rows):
    """AvgAcc averaged over seeds, [n_contenders]."""
    means = [group_mean(x, BENCHMARK[test], N_BENCHMARKS).mean(axis=1) for x, test in zip(value, rows, strict=True)]
    return np.mean(means, axis=0)


def moved(value, rows, *, n_resamples=400, seed=0):
    tested = np.unique(np.concatenate(rows))
    effect = influence(value, rows, BENCHMARK, N_BENCHMARKS)[tested]
    return deviations(effect, BENCHMARK[tested], n_resamples=n_resamples, seed=seed)


def draw_scores(generator, lift):
    """Scores of contenders on new queries, [n_contenders, n_queries]; easy queries are easy for all of them."""
    ease = np.where(generator.random(len(BENCHMARK)) < 0.5, 0.3, 0.8)
    return (generator.random((len(lift), len(BENCHMARK))) < ease + np.array(lift)[:, None]).astype(float)


def test_intervals_cover_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(7)
    n_trials, lift = 400, [0.0, 0.1]
    covered = np.zeros(2)
    for trial in range(n_trials):
        score, rows = draw_scores(generator, lift), splits(generator, 5)
        value = [score[:, test] for test in rows]
        estimate, deviation = averages(value, rows), moved(value, rows, n_resamples=300, seed=trial)
        quantity = np.array([estimate[0], estimate[1] - estimate[0]])
        deviation = np.stack([deviation[:, 0], deviation[:, 1] - deviation[:, 0]], axis=1)
        low, high = percentile_interval(quantity, deviation).T
        truth = np.array([0.55, 0.1])
        covered += (low <= truth) & (truth <= high)
    assert (covered / n_trials >= 0.92).all(), covered / n_trials
    assert (covered / n_trials <= 0.98).all(), covered / n_trials


def test_one_seed_that_tests_everything_agrees_with_plain_resampling():
    generator = np.random.default_rng(1)
    score = draw_scores(generator, [0.0, 0.1])
    plain = []
    for _ in range(2000):
        rows = np.concatenate(
            [generator.choice(ALL[b == BENCHMARK], (b == BENCHMARK).sum()) for b in range(N_BENCHMARKS)]
        )
        plain.append(group_mean(score[:, rows], BENCHMARK[rows], N_BENCHMARKS).mean(axis=1))
    ours = averages([score], [ALL]) + moved([score], [ALL], n_resamples=2000)
    np.testing.assert_allclose(np.std(ours, axis=0), np.std(plain, axis=0), rtol=0.06)
    np.testing.assert_allclose(
        np.quantile(ours, [0.025, 0.975], axis=0), np.quantile(plain, [0.025, 0.975], axis=0), atol=0.006
    )


def test_testing_the_same_queries_again_does_not_narrow_the_interval():
    score = draw_scores(np.random.default_rng(2), [0.0])
    rows = splits(np.random.default_rng(3), 1)[0]
    once = moved([score[:, rows]], [rows])
    five_times = moved([score[:, rows]] * 5, [rows] * 5)
    np.testing.assert_allclose(five_times, once, atol=1e-12)


def test_testing_other_queries_narrows_it():
    score = draw_scores(np.random.default_rng(2), [0.0])
    halves = [ALL[::2], ALL[1::2]]
    one = moved([score[:, halves[0]]], halves[:1], n_resamples=2000).std()
    both = moved([score[:, rows] for rows in halves], halves, n_resamples=2000).std()
    assert both / one == pytest.approx(1 / np.sqrt(2), rel=0.1)


def test_contenders_share_the_resamples():
    score = draw_scores(np.random.default_rng(4), [0.0])
    deviation = moved([np.concatenate([score, score])], [ALL])
    assert (deviation[:, 0] == deviation[:, 1]).all()
    assert deviation.std() > 0


def test_resamples_follow_from_the_seed():
    score = draw_scores(np.random.default_rng(5), [0.0])
    assert (moved([score], [ALL], seed=1) == moved([score], [ALL], seed=1)).all()
    assert (moved([score], [ALL], seed=1) != moved([score], [ALL], seed=2)).any()


def test_influence_is_the_derivative_of_the_average():
    score = draw_scores(np.random.default_rng(6), [0.0])
    query, step = 7, 1e-6
    weight = np.where(query == ALL, 1 + step, 1.0)
    changed = np.bincount(BENCHMARK, weights=weight * score[0]) / np.bincount(BENCHMARK, weights=weight)
    derivative = (changed.mean() - averages([score], [ALL])[0]) / step
    assert influence([score], [ALL], BENCHMARK, N_BENCHMARKS)[query, 0] == pytest.approx(derivative, rel=1e-4)


def test_missing_pairs_and_untested_queries_have_no_influence():
    rows = ALL[BENCHMARK < 2]
    value = draw_scores(np.random.default_rng(8), [0.0, 0.1])[:, rows]
    value[0, 5] = np.nan
    effect = influence([value], [rows], BENCHMARK, N_BENCHMARKS)
    assert effect[5, 0] == 0
    assert effect[5, 1] != 0
    assert (effect[BENCHMARK > 1] == 0).all()
    sums = [effect[b == BENCHMARK].sum(axis=0) for b in range(N_BENCHMARKS)]
    np.testing.assert_allclose(sums, 0, atol=1e-12)


def test_no_estimate_has_no_interval():
    interval = percentile_interval(np.array([np.nan, 0.5]), np.zeros((10, 2)))
    np.testing.assert_array_equal(interval, [[np.nan, np.nan], [0.5, 0.5]])
