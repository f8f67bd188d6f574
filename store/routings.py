"""What one router, trained with one seed, predicted for the test queries of a setting."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.layout import Layout
from store.tables import Table, read_table, write_table

_KIND = "routings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Predictions for the test queries.

    Attributes:
        benchmark: number of each test query's benchmark in `meta["benchmarks"]`, int64 [n_test].
        index: its index there, int64 [n_test].
        trade_off: values of the tunable parameter, float64 [n_trade_offs], one NaN where there is none.
        utility: float32 [n_trade_offs, n_test, n_models], models as in `meta["models"]`.
        choice: the model chosen, int16 [n_trade_offs, n_test].
        calls: how often every model is called for an answer by each of them, float64 [n_trade_offs, n_models,
            n_models], the answering model first; None where that is it alone, once.
        meta: digest, setting, router, seed, params, models, benchmarks, fit_s, route_s, versions.
    """

    benchmark: NDArray[np.int64]
    index: NDArray[np.int64]
    trade_off: NDArray[np.float64]
    utility: NDArray[np.float32]
    choice: NDArray[np.int16]
    meta: dict[str, Any]
    calls: NDArray[np.float64] | None = None


def write_routing(layout: Layout, setting: str, router: str, seed: int, routing: Routing) -> None:
    """Replace the routing of one router and seed."""
    columns: Table = {
        "benchmark": routing.benchmark,
        "index": routing.index,
        "utility": np.ascontiguousarray(routing.utility.swapaxes(0, 1), np.float32),  # first axis: the query
        "choice": np.ascontiguousarray(routing.choice.T, np.int16),
    }
    meta = {
        **routing.meta,
        "trade_off": [None if np.isnan(value) else value for value in routing.trade_off.tolist()],
        "calls": None if routing.calls is None else routing.calls.tolist(),
    }
    write_table(layout.routings(setting, router, seed), _KIND, columns, meta)


def routed_seeds(layout: Layout, setting: str, router: str) -> list[int]:
    """Seeds with which a router was trained on a setting, ascending."""
    found = layout.routings(setting, router, 0).parent.glob("[!.]*.h5")
    return sorted(int(path.stem) for path in found)


def read_routing(layout: Layout, setting: str, router: str, seed: int, *, with_utility: bool = True) -> Routing | None:
    """The routing of one router and seed, None if there is none; utilities are left empty unless asked for."""
    names = ["benchmark", "index", "choice", *(["utility"] if with_utility else [])]
    try:
        table, meta = read_table(layout.routings(setting, router, seed), _KIND, names)
    except FileNotFoundError:
        return None
    trade_off = np.array([np.nan if value is None else value for value in meta["trade_off"]], np.float64)
    n_models = len(meta["models"])
    utility = table.get("utility", np.empty((0, len(trade_off), n_models), np.float32))
    return Routing(
        benchmark=table["benchmark"],
        index=table["index"],
        trade_off=trade_off,
        utility=utility.swapaxes(0, 1),
        choice=table["choice"].T,
        meta=meta,
        calls=None if meta.get("calls") is None else np.array(meta["calls"], np.float64),
    )
