"""An evaluation small enough to compute by hand."""

import numpy as np

from scoring.evaluation import Evaluation, RouterRun

NAN = np.nan


def router(name, *choice, trade_off=(NAN,), headline=0, is_reference=False, calls=None):
    """A router from its choices per seed, each [n_trade_offs][n_test]."""
    return RouterRun(
        name=name,
        is_reference=is_reference,
        trade_off=np.array(trade_off, float),
        headline=headline,
        choice=tuple(np.array(c) for c in choice),
        fit_s=(2.0, 4.0),
        route_s=(0.5, NAN),
        calls=(calls,) * len(choice),
    )


def small(**changes):
    """Three models, two benchmarks of four queries, two seeds that test two queries of each."""
    parts = {
        "setting": "small",
        "models": ("cheap", "good", "dear"),
        "benchmarks": ("add", "sort"),
        "seeds": (42, 999),
        "benchmark": np.array([0, 0, 0, 0, 1, 1, 1, 1]),
        "index": np.array([0, 1, 2, 3, 0, 1, 2, 3]),
        "score": np.array(
            [[1, 1, 0], [0, 1, 1], [0, 1, 1], [0, 0, 0], [1, 0, 1], [0.5, 1, 0], [0, 1, 0], [0, 0, 1]], float
        ),
        "cost": np.tile([1.0, 2.0, 10.0], (8, 1)),
        "test": (np.array([0, 1, 4, 5]), np.array([6, 2, 3, 7])),
        "routers": (
            router("fixed", [[1, 1, 1, 1]], [[1, 1, 1, 1]]),
            router(
                "curve",
                [[0, 0, 0, 0], [1, 1, 0, 1], [2, 2, 2, 2]],
                [[0, 0, 0, 0], [1, 1, 0, 2], [2, 2, 2, 2]],
                trade_off=(0, 0.5, 1),
                headline=1,
            ),
            router("told", [[1, 1, 0, 0]], [[0, 1, 1, 0]], is_reference=True),
        ),
        "provenance": {"version": "0"},
    }
    return Evaluation(**(parts | changes))


def rows_of(result, kind):
    return {row["name"]: row for row in result[kind]}
