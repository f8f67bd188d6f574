"""What a trade-off is worth on held-out queries, against figures by hand."""

import numpy as np
import pytest

from jobs.validation import as_meta, curve, headline, mean_over_seeds
from routers.router import Queries
from scoring.evaluation import Validation

NAN = np.nan


@pytest.fixture
def train():
    """Two benchmarks of two and one queries; the large model is right and dear, and missing once."""
    return Queries(
        models=("small", "large"), n_queries=4, text=None, embedding=None, answer=None,
        benchmark=np.array([0, 0, 0, 3]),
        score=np.array([[0.0, 0.0], [0.0, 1.0], [1.0, NAN], [0.5, 1.0]]),
        cost=np.array([[9.0, 9.0], [1.0, 4.0], [1.0, NAN], [2.0, 8.0]]),
    )  # fmt: skip


def always(model, n_queries, n_models=2):
    return np.tile(np.eye(n_models)[model], (n_queries, 1))


def test_accuracy_and_cost_of_each_trade_off_and_of_the_models_alone(train):
    found = curve(train, np.array([1, 2, 3]), np.stack([always(0, 3), always(1, 3)]), None)
    np.testing.assert_allclose(found.avg_acc, [(0.5 + 0.5) / 2, (1.0 + 1.0) / 2])  # where large is missing: small
    np.testing.assert_allclose(found.cost_usd, [1 + 1 + 2, 4 + 1 + 8])
    np.testing.assert_allclose(found.model_avg_acc, [(0.5 + 0.5) / 2, (1.0 + 1.0) / 2])


def test_a_cascade_pays_for_all_its_calls(train):
    calls = np.array([[[1.0, 0.0], [1.0, 1.0]]])
    found = curve(train, np.array([1, 3]), always(1, 2)[None], calls)
    np.testing.assert_allclose(found.cost_usd, [1 + 4 + 2 + 8])


def test_an_unknown_cost_makes_the_total_unknown_and_survives_the_store(train):
    train.cost[1, 1] = NAN
    found = curve(train, np.array([1, 3]), np.stack([always(0, 2), always(1, 2)]), None)
    kept = as_meta([found])
    assert kept["cost_usd"] == [3.0, None]
    np.testing.assert_array_equal(mean_over_seeds([kept]).cost_usd, [3.0, NAN])


def test_nothing_held_out_is_no_number(train):
    found = curve(train, np.empty(0, int), np.empty((2, 0, 2)), None)
    assert np.isnan(found.avg_acc).all()
    assert np.isnan(found.model_avg_acc).all()


def test_the_headline_is_the_best_mean_over_seeds_and_of_equal_ones_the_last():
    seeds = [{"avg_acc": values, "cost_usd": [1] * 4, "model_avg_acc": [0]} for values in ([1, 4, 2, 4], [1, 2, 6, 4])]
    assert headline(mean_over_seeds(seeds)) == 3
    assert mean_over_seeds([None, None]) is None
    assert headline(None) == 0
    mean = Validation(np.array([0.2, 0.1]), np.zeros(2), np.zeros(1))
    assert headline(mean) == 0
