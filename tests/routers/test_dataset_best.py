"""Dataset-Best and Dataset Oracle: one chooses each benchmark's model on the training part, one on the test part."""

import numpy as np
from worlds import avg_acc, continuous, split, world

from routers.dataset_best import DatasetBest
from routers.dataset_oracle import DatasetOracle
from routers.oracle import Oracle
from routers.router import choose

NAN = np.nan


def build(score, benchmark):
    return world(np.array(score, dtype=float), np.array(benchmark), np.zeros((len(score), 1)))


TRAIN = build([[1, 0], [0, 1], [1, 0]], [3, 7, 3])


def test_best_model_of_each_benchmark_on_the_training_part():
    test = build([[0, 1], [1, 0]], [3, 7])  # turned round on the test part
    assert choose(DatasetBest().fit(TRAIN).predict(test)).tolist() == [[0, 1]]
    assert choose(DatasetOracle().fit(TRAIN).predict(test)).tolist() == [[1, 0]]


def test_unknown_benchmarks_go_to_the_best_single():
    train = build([[0.9, 0.0], [0.0, 0.5], [0.0, 0.5]], [3, 7, 7])
    test = build([[0, 0]] * 4, [0, 5, 9, 7])
    assert choose(DatasetBest().fit(train).predict(test)).tolist() == [[0, 0, 0, 1]]


def test_a_model_without_scores_on_a_benchmark_is_not_chosen_there():
    train = build([[0.1, NAN], [0.1, 0.9]], [0, 1])
    utility = DatasetBest().fit(train).predict(train)
    assert utility[0].tolist() == [[0.1, -np.inf], [0.1, 0.9]]


def test_a_benchmark_without_any_training_score_counts_as_unknown():
    train = build([[NAN, NAN], [0.1, 0.9]], [0, 1])
    assert choose(DatasetBest().fit(train).predict(train)).tolist() == [[1, 1]]


def test_oracle_of_benchmarks_does_not_choose_a_missing_pair():
    test = build([[0.1, 0.9], [0.1, NAN], [NAN, NAN]], [0, 0, 0])
    utility = DatasetOracle().fit(TRAIN).predict(test)
    np.testing.assert_allclose(utility[0], [[0.1, 0.9], [0.1, -np.inf], [0.0, 0.0]])


def test_ties_go_to_the_lowest_number():
    tie = build([[0, 1, 0], [0, 0, 1]], [0, 0])
    assert choose(DatasetBest().fit(tie).predict(tie)).tolist() == [[1, 1]]
    assert choose(DatasetOracle().fit(tie).predict(tie)).tolist() == [[1, 1]]


def test_the_references_stand_in_their_order():
    train, test = split(continuous(n_queries=300))
    best, dataset_oracle, oracle = (
        avg_acc(test, choose(router.fit(train).predict(test))[0])
        for router in (DatasetBest(), DatasetOracle(), Oracle())
    )
    single = max(avg_acc(test, np.full(test.n_queries, m)) for m in range(4))
    assert best <= dataset_oracle <= oracle
    assert single <= dataset_oracle
