"""Fit one router with every seed of a setting, route the test queries, store the routings.

The test split is used for nothing else. Where a router has a trade-off, the part of the training split held out for
validation says how good each value is (`validation`), so that a value can be chosen without looking at a test score;
the router that routes the test queries is fitted on the whole training split.
"""

import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import routers
from jobs.setting import TRAINING_SEES, Setting, all_columns, content_digest, view
from routers.router import Queries, Router, RouterError, choose, find
from routers.validation import held_out, mean_reward
from store.digest import digest, digest_source
from store.layout import Layout
from store.matrix import Matrix
from store.routings import Routing, read_routing, write_routing

_VALIDATION_SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainTask:
    """One router of a setting, with the seeds it is to be trained for.

    Attributes:
        name: in the store and in tables.
        router: file name in `routers`.
        params: its constructor's keyword arguments, without the seed.
    """

    setting: Setting
    name: str
    router: str
    params: dict[str, Any]
    seeds: tuple[int, ...]


def inputs_of(task: TrainTask) -> frozenset[str]:
    """What the router sees of a query.

    Raises:
        RouterError: it is unknown, or has no such parameter.
    """
    try:
        return find(task.router)(**task.params).inputs
    except TypeError as error:
        raise RouterError(f"router {task.name}: {error}") from None


def missing_seeds(task: TrainTask, matrix: Matrix) -> tuple[int, ...]:
    """Seeds without an up-to-date routing in the store."""
    layout, content = Layout(task.setting.root), content_digest(task.setting, matrix, inputs_of(task))
    return tuple(
        seed
        for seed in task.seeds
        if (old := read_routing(layout, task.setting.name, task.name, seed, with_utility=False)) is None
        or old.meta["digest"] != routing_digest(task, seed, content)
    )


def train(task: TrainTask) -> dict[int, float]:
    """Trains and routes every missing seed; gives back seed -> seconds.

    Raises:
        RouterError: the router is unknown or cannot use the data.
        StoreError: scores or embeddings are not in the store.
    """
    setting = task.setting
    matrix = setting.matrix()
    content = content_digest(setting, matrix, inputs_of(task))
    queries: Queries | None = None
    seconds = {}
    for seed in missing_seeds(task, matrix):
        started = time.perf_counter()
        router = find(task.router)(**{**task.params, "seed": seed})
        if queries is None:
            queries = all_columns(setting, matrix, router.inputs)
        routing = _route(router, queries, matrix, setting, seed)
        routing.meta.update(
            digest=routing_digest(task, seed, content), setting=setting.name, router=task.router, seed=seed,
            params=task.params, models=list(matrix.models), benchmarks=list(matrix.benchmarks),
            encoder=setting.encoder, split_rule=setting.split_rule, train_share=setting.train_share,
            is_reference=_is_reference(router), versions=_versions(),
        )  # fmt: skip
        write_routing(Layout(setting.root), setting.name, task.name, seed, routing)
        seconds[seed] = time.perf_counter() - started
    return seconds


def _route(router: Router, queries: Queries, matrix: Matrix, setting: Setting, seed: int) -> Routing:
    is_train = setting.train_mask(matrix, seed)
    train_rows, test_rows = np.flatnonzero(is_train), np.flatnonzero(~is_train)
    sees = router.inputs | TRAINING_SEES
    started = time.perf_counter()
    fitted = router.clone().fit(view(queries, train_rows, sees))
    fit_s = time.perf_counter() - started
    test = view(queries, test_rows, router.inputs)
    started = time.perf_counter()
    utility = fitted.predict(test)
    choice = choose(utility)
    route_s = time.perf_counter() - started
    trade_off = router.trade_offs()
    validation = _validate(router, queries, train_rows, seed).tolist() if len(trade_off) > 1 else None
    return Routing(
        benchmark=matrix.benchmark[test_rows],
        index=matrix.index[test_rows],
        trade_off=trade_off,
        utility=utility.astype(np.float32),
        choice=choice.astype(np.int16),
        meta={"fit_s": fit_s, "route_s": route_s, "validation": validation},
        calls=fitted.calls(),
    )


def _validate(router: Router, queries: Queries, train_rows: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """AvgAcc of every trade-off on held-out training queries, fitted on the rest, float64 [n_trade_offs]."""
    assert queries.benchmark is not None
    assert queries.score is not None
    benchmark = queries.benchmark[train_rows]
    is_held_out = held_out(benchmark, _VALIDATION_SHARE, seed)
    rows = train_rows[is_held_out]
    fitted = router.clone().fit(view(queries, train_rows[~is_held_out], router.inputs | TRAINING_SEES))
    utility = fitted.predict(view(queries, rows, router.inputs))
    return mean_reward(utility, queries.score[rows], benchmark[is_held_out])


def _is_reference(router: Router) -> bool:
    """Whether a router is told more than a contestant may know, or looks at nothing and so does not route at all."""
    return not router.inputs or bool(router.inputs & {"score", "benchmark"})


def routing_digest(task: TrainTask, seed: int, content: str) -> str:
    """Of everything that determines a routing; `content` as `jobs.setting.content_digest`."""
    return digest([task.router, task.params, seed, content, _versions()])


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("routeyard", "numpy", "scipy", "scikit-learn")}
    if find_spec("torch"):
        packages["torch"] = version("torch")
    return {"python": platform.python_version(), **packages, "routers": digest_source(Path(routers.__file__).parent)}
