"""Best Single: AvgAcc on the training part decides."""

from dataclasses import replace

import numpy as np
from worlds import world

from routers.best_single import BestSingle
from routers.router import choose

NAN = np.nan


def build(score, benchmark):
    return world(np.array(score, dtype=float), np.array(benchmark), np.zeros((len(score), 1)))


def chosen(train):
    return set(choose(BestSingle().fit(train).predict(train)).ravel())


def test_benchmarks_count_equally_and_not_queries():
    # pooled over queries model a leads 3 : 1, over benchmarks they are 1/2 and 2/3
    assert chosen(build([[1, 0], [1, 0], [1, 1], [0, 1]], [0, 0, 0, 1])) == {1}


def test_ties_go_to_the_lowest_number():
    assert chosen(build([[0, 1, 0], [0, 0, 1]], [0, 1])) == {1}


def test_a_model_that_misses_the_hard_benchmark_is_not_comparable():
    train = build([[0.5, 1.0], [0.1, NAN]], [0, 1])
    assert chosen(train) == {0}
    assert np.isneginf(BestSingle().fit(train).predict(train)[..., 1]).all()


def test_a_model_with_missing_pairs_in_every_benchmark_still_competes():
    assert chosen(build([[0.5, 1.0], [0.5, NAN], [0.1, 1.0]], [0, 0, 1])) == {1}


def test_where_no_model_is_complete_those_with_most_benchmarks_compete():
    assert chosen(build([[0.2, 0.4, NAN], [0.2, NAN, 1.0], [NAN, 0.4, NAN]], [0, 1, 2])) == {1}


def test_utility_is_the_training_average():
    train = build([[1, 0], [1, 0], [1, 1], [0, 1]], [0, 0, 0, 1])
    np.testing.assert_allclose(BestSingle().fit(train).predict(train)[0, 0], [0.5, 2 / 3])


def test_other_test_scores_change_nothing():
    train = build([[1, 0], [1, 0]], [0, 1])
    reversed_test = replace(train, score=train.score[:, ::-1])
    assert set(choose(BestSingle().fit(train).predict(reversed_test)).ravel()) == {0}
