"""Routings come back as they were."""

from dataclasses import replace

import numpy as np
import pytest

from store.layout import Layout
from store.routings import Routing, read_routing, write_routing

META = {"models": ["a", "b"], "benchmarks": ["aime", "bbh"], "seed": 42, "params": {"k": None}}


def routing(trade_off: list[float], n_test: int = 5) -> Routing:
    rng = np.random.default_rng(2)
    utility = rng.random((len(trade_off), n_test, 2)).astype(np.float32)
    return Routing(
        benchmark=np.repeat([0, 1], [2, n_test - 2]),
        index=np.arange(n_test) * 10,
        trade_off=np.array(trade_off),
        utility=utility,
        choice=utility.argmax(axis=-1).astype(np.int16),
        meta=META,
    )


@pytest.mark.parametrize("trade_off", [[np.nan], [0.0, 0.1 + 0.2, 1e-300], [np.inf, -1.0]])
def test_a_routing_comes_back(layout: Layout, trade_off: list[float]):
    written = routing(trade_off)
    write_routing(layout, "performance", "k nn/α", 42, written)
    found = read_routing(layout, "performance", "k nn/α", 42)
    assert found is not None
    for name in ("benchmark", "index", "trade_off", "utility", "choice"):
        left, right = getattr(found, name), getattr(written, name)
        np.testing.assert_array_equal(left, right, err_msg=name)
        assert (left.dtype, left.shape) == (right.dtype, right.shape), name
    assert {name: found.meta[name] for name in META} == META


def test_no_trade_off_is_null_to_other_readers(layout: Layout):
    write_routing(layout, "performance", "knn", 42, routing([np.nan]))
    found = read_routing(layout, "performance", "knn", 42)
    assert found is not None
    assert found.meta["trade_off"] == [None]


def test_choices_can_be_read_without_utilities(layout: Layout):
    written = routing([0.0, 1.0])
    write_routing(layout, "performance", "knn", 42, written)
    found = read_routing(layout, "performance", "knn", 42, with_utility=False)
    assert found is not None
    assert found.utility.shape == (2, 0, 2)
    np.testing.assert_array_equal(found.choice, written.choice)


def test_another_seed_or_setting_is_another_routing(layout: Layout):
    write_routing(layout, "performance", "knn", 42, routing([np.nan]))
    assert read_routing(layout, "performance", "knn", 999) is None
    assert read_routing(layout, "performance_cost", "knn", 42) is None


def test_the_calls_of_a_cascade_come_back(layout: Layout):
    calls = np.array([[[1.0, 0.0], [1.5, 1.0]]])
    write_routing(layout, "s", "cascade", 1, replace(routing([np.nan]), calls=calls))
    found = read_routing(layout, "s", "cascade", 1)
    assert found is not None
    assert np.array_equal(found.calls, calls)
