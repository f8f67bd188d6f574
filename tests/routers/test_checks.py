"""Each mistake has its message: what, where, expected and found, what to do."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, pool, rows

from routers.avengers import Avengers
from routers.best_single import BestSingle
from routers.dataset_best import DatasetBest
from routers.knn import KNN
from routers.router import RouterError

TRAIN = continuous(n_queries=30)


def test_predict_before_fit():
    with pytest.raises(RouterError, match="call fit"):
        BestSingle().predict(TRAIN)


def test_another_pool_than_in_training():
    with pytest.raises(RouterError, match="fitted on the models"):
        BestSingle().fit(TRAIN).predict(pool(TRAIN, [1, 0, 2, 3]))


def test_no_training_query():
    with pytest.raises(RouterError, match="no training query"):
        BestSingle().fit(rows(TRAIN, np.array([], dtype=int)))


def test_not_a_single_training_score():
    with pytest.raises(RouterError, match="all 120 training scores are missing"):
        BestSingle().fit(replace(TRAIN, score=np.full_like(TRAIN.score, np.nan)))


def test_scores_of_another_shape():
    with pytest.raises(RouterError, match=r"shape \[30, 3\]; expected \[30, 4\]"):
        BestSingle().fit(replace(TRAIN, score=TRAIN.score[:, :3]))


def test_a_declared_column_that_was_not_handed_over():
    with pytest.raises(RouterError, match=r"knn: needs the embedding.*Queries\.embedding"):
        KNN().fit(replace(TRAIN, embedding=None))


def test_a_column_of_another_length():
    with pytest.raises(RouterError, match="benchmark has 29 rows for 30 queries"):
        DatasetBest().fit(replace(TRAIN, benchmark=TRAIN.benchmark[:-1]))


@pytest.mark.parametrize("router", [KNN(), Avengers()], ids=lambda router: router.name)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_embedding_that_is_not_finite_names_its_row(router, value):
    embedding = TRAIN.embedding.copy()
    embedding[17, 3] = value
    with pytest.raises(RouterError, match="1 of 30 queries is not finite, first in row 17; embed"):
        router.fit(replace(TRAIN, embedding=embedding))
    with pytest.raises(RouterError, match="row 17"):
        router.fit(TRAIN).predict(replace(TRAIN, embedding=embedding))


@pytest.mark.parametrize("router", [KNN(), Avengers()], ids=lambda router: router.name)
def test_an_embedding_of_another_encoder(router):
    with pytest.raises(RouterError, match=r"shape \[30, 5\]; expected \[n_queries, 12\]"):
        router.fit(TRAIN).predict(replace(TRAIN, embedding=TRAIN.embedding[:, :5]))


def test_an_embedding_that_is_no_table():
    with pytest.raises(RouterError, match=r"shape \[30\]; expected \[n_queries, dim\]"):
        KNN().fit(replace(TRAIN, embedding=TRAIN.embedding[:, 0]))


def test_an_unknown_choice_lists_the_valid_ones():
    with pytest.raises(RouterError, match="metric is 'manhattan'; valid: cosine, euclidean"):
        KNN(metric="manhattan").fit(TRAIN)


@pytest.mark.parametrize("value", [0, -3, float("nan"), float("inf"), "40", True])
def test_a_number_that_makes_no_sense(value):
    with pytest.raises(RouterError, match=r"n_neighbors is .*; expected a number of at least 1"):
        KNN(n_neighbors=value).fit(TRAIN)
