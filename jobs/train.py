"""Fit one router with every seed of a setting, route the test queries, store the routings.

The test split is used for nothing else. Where a router has a trade-off, the part of the training split held out for
validation says how good and how dear each value is (`jobs.validation`), so that one can be chosen without looking at a
test score; the router that routes the test queries is fitted on the whole training split.
"""

import logging
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import routers
from jobs.attempt import current_attempt
from jobs.cluster import ClusterSpec
from jobs.ranks import introduce
from jobs.setting import TRAINING_SEES, Setting, all_columns, content_digest, view, without
from jobs.stop import StopFlag, stopped
from jobs.validation import as_meta, validate
from routers.router import Queries, Router, RouterError, choose, find
from routers.text_router import Session, TextRouter
from store.digest import digest, digest_source
from store.layout import Layout
from store.matrix import Matrix
from store.routings import Routing, read_routing, write_routing


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


def reads_text(task: TrainTask) -> bool:
    """Whether its router trains an encoder of texts, on several GPUs where there are some."""
    return issubclass(find(task.router), TextRouter)


def in_parts(tasks: Sequence[TrainTask], cluster: ClusterSpec) -> dict[str, TrainTask]:
    """Name -> what one job trains: a router with a seed on SLURM, a router with all its seeds in this process.

    Processes of this machine get a router each, and share the seeds of a router only where routers are fewer than
    processes: starting one takes as long as many a router needs for all seeds.
    """
    n_parts = {"slurm": max((len(task.seeds) for task in tasks), default=1), "inline": 1}.get(
        cluster.executor, -(-cluster.max_parallel // max(1, len(tasks)))
    )
    parts = {}
    for task in tasks:
        for first in range(min(n_parts, len(task.seeds))):
            seeds = task.seeds[first::n_parts]
            name = task.name if len(seeds) == len(task.seeds) else f"{task.name} {'+'.join(map(str, seeds))}"
            parts[name] = replace(task, seeds=seeds)
    return parts


def train(task: TrainTask) -> dict[int, float]:
    """Trains and routes every missing seed; gives back seed -> seconds. Called on every rank of a job.

    Raises:
        RouterError: the router is unknown or cannot use the data.
        StoreError: scores or embeddings are not in the store.
        Stopped: the job's time was up or somebody cancelled it; the same command goes on from the last checkpoint.
    """
    if not reads_text(task):
        return _train(task)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    attempt, stop = current_attempt(), StopFlag()
    rank = introduce(Layout(task.setting.root).training(task.setting.name, task.name, task.seeds[0]))
    if not attempt.requeue_id:  # nobody warns; Ctrl-C ends it at once
        return _train(task, stop, rank)
    from routers.deepspeed_training import Interrupted

    with stop.installed():
        try:
            return _train(task, stop, rank)
        except Interrupted as error:
            if rank:
                time.sleep(60)  # rank 0 brings the job back, and that ends this process
            stopped(stop, attempt, str(error))


def _train(task: TrainTask, stop: StopFlag | None = None, rank: int = 0) -> dict[int, float]:
    setting, layout = task.setting, Layout(task.setting.root)
    matrix = setting.matrix()
    content = content_digest(setting, matrix, inputs_of(task))
    queries: Queries | None = None
    seconds = {}
    for seed in missing_seeds(task, matrix):
        started = time.perf_counter()
        router = find(task.router)(**{**task.params, "seed": seed})
        folder = layout.training(setting.name, task.name, seed)
        if isinstance(router, TextRouter):
            # Checkpoints of other data, parameters or code are not gone on with.
            of_now = folder / routing_digest(task, seed, content)
            router.session = Session(folder=of_now, should_stop=lambda: bool(stop))
        if queries is None:
            queries = all_columns(setting, matrix, router.inputs)
        routing = _route(router, queries, matrix, setting, seed)
        routing.meta.update(
            digest=routing_digest(task, seed, content), setting=setting.name, router=task.router, seed=seed,
            params=task.params, models=list(matrix.models), benchmarks=list(matrix.benchmarks),
            encoder=setting.encoder, split_rule=setting.split_rule, train_share=setting.train_share,
            left_out=setting.left_out, new_models=setting.new_models, n_shots=setting.n_shots,
            is_reference=_is_reference(router), inputs=sorted(router.inputs), versions=_versions(),
        )  # fmt: skip
        seconds[seed] = time.perf_counter() - started
        if rank == 0:
            write_routing(layout, setting.name, task.name, seed, routing)
            shutil.rmtree(folder, ignore_errors=True)
    return seconds


def _route(router: Router, queries: Queries, matrix: Matrix, setting: Setting, seed: int) -> Routing:
    """Fit and route every fold of the setting: one, unless benchmarks are left out in turn."""
    folds = list(setting.folds(matrix, seed))
    sees, trade_off = router.inputs | TRAINING_SEES, router.trade_offs()
    fit_s = route_s = 0.0
    parts, curves, trainings, calls = [], [], [], None
    for train_rows, test_rows in folds:
        train = view(queries, train_rows, sees)
        if setting.new_models:
            train = without(train, setting.is_hidden(matrix, train_rows, seed))
        started = time.perf_counter()
        fitted = router.clone().fit(train)
        fit_s += time.perf_counter() - started
        test = view(queries, test_rows, router.inputs)
        started = time.perf_counter()
        utility = fitted.predict(test)
        parts.append((utility.astype(np.float32), choose(utility).astype(np.int16)))
        route_s += time.perf_counter() - started
        calls = fitted.calls()
        if calls is not None and len(folds) > 1:
            raise RouterError(
                f"{router.name}: a cascade calls other models in every fold; it cannot route this setting"
            )
        if len(trade_off) > 1:
            curves.append(validate(router, fitted, train, seed))
        if isinstance(fitted, TextRouter):
            trainings.append(fitted.trained_)
    rows = np.concatenate([test_rows for _, test_rows in folds])
    order = np.argsort(rows)
    utility, choice = (np.concatenate(part, axis=1)[:, order] for part in zip(*parts, strict=True))
    return Routing(
        benchmark=matrix.benchmark[rows[order]],
        index=matrix.index[rows[order]],
        trade_off=trade_off,
        utility=utility,
        choice=choice,
        meta={
            "fit_s": fit_s, "route_s": route_s, "validation": as_meta(curves),
            "trainings": trainings,
        },
        calls=calls,
    )  # fmt: skip


def _is_reference(router: Router) -> bool:
    """Whether a router is told more than a contestant may know, or looks at nothing and so does not route at all."""
    return not router.inputs or bool(router.inputs & {"score", "benchmark"})


def routing_digest(task: TrainTask, seed: int, content: str) -> str:
    """Of everything that determines a routing; `content` as `jobs.setting.content_digest`."""
    return digest([task.router, task.params, seed, content, _versions()])


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("routeyard", "numpy", "scipy", "scikit-learn")}
    packages |= {name: version(name) for name in ("torch", "transformers", "deepspeed") if find_spec(name)}
    return {"python": platform.python_version(), **packages, "routers": digest_source(Path(routers.__file__).parent)}
