"""The collecting worker: loads its model once, claims shards until none is left, then helps where that pays.

It outlives what can be outlived: an engine that dies is started again, one that finds too little memory is started
once more with a smaller share, a request that kills engines is found and recorded as failed.
"""

import logging
import time
from collections.abc import Sequence

from inference.engine import Engine, EngineError, ModelError, OutOfMemoryError, make_engine, with_less_memory
from inference.spec import EngineSpec
from jobs.attempt import Attempt, current_attempt
from jobs.bad_nodes import WITHIN_S, note_bad_node
from jobs.claims import Claims
from jobs.liveness import Liveness
from jobs.outlook import Outlook
from jobs.progress import expected_s, progress_of
from jobs.records import Records
from jobs.schedule import next_model
from jobs.serve import Summary, Work, serve
from jobs.shards import Shards
from jobs.simulate import simulating_engine
from jobs.stop import StopFlag, held_back, stopped
from jobs.task import CollectTask
from store.layout import Layout

log = logging.getLogger("routeyard.collect")

_MOST_DEATHS = 12  # of engines, for one model: log2 of the requests in flight to find a poisoned one, and some more
_TERM_DRAIN_S = 20.0  # SLURM kills 30 s after its TERM


def collect(tasks: Sequence[CollectTask], home: str, stop: StopFlag | None = None) -> list[Summary]:
    """Answer what is missing of the home model, then of those that would take longest without one more worker.

    Args:
        tasks: the models that this worker could serve: same GPUs, same nodes.
        home: name of the first one.
        stop: a flag that was installed before; one of its own otherwise.

    Returns:
        One summary per model served.

    Raises:
        EngineError: the home model cannot load, or its engine keeps dying. What was answered before is stored.
        Stopped: somebody cancelled it, or its time was up where no scheduler brings it back.
        StoreError: the store cannot be used, or its disk stayed full.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    attempt, liveness = current_attempt(), Liveness()
    stop = StopFlag() if stop is None else stop
    by_name = {task.model.name: task for task in tasks}
    summaries: list[Summary] = []
    load_s = by_name[home].load_s
    with stop.installed():
        model: str | None = home
        while model is not None and not stop:
            task = by_name.pop(model)
            try:
                summaries.append(_work_on(task, attempt, liveness, stop))
            except EngineError as error:
                if model == home:
                    raise
                log.error("%s (helping)", error)  # its own workers report it
                break
            model = None if stop else _where_help_pays(by_name, load_s, liveness)
        if stop:
            n_answers = sum(summary.n_succeeded for summary in summaries)
            stopped(stop, attempt, f"{home}: {n_answers} answers are stored")
    return summaries


def _where_help_pays(tasks: dict[str, CollectTask], load_s: float, liveness: Liveness) -> str | None:
    """The model that one more worker would bring forward most; see `jobs.schedule`."""
    remaining, n_workers = {}, {}
    for name, task in tasks.items():
        pairs = list(progress_of(task, liveness).values())
        n_workers[name] = len(frozenset().union(*(pair.owners for pair in pairs)))
        remaining[name] = expected_s(task, pairs, sum(pair.tokens_unclaimed for pair in pairs))
    return next_model(remaining, n_workers, load_s)


def _work_on(task: CollectTask, attempt: Attempt, liveness: Liveness, stop: StopFlag) -> Summary:
    """Serve one model until there is nothing left to claim of it."""
    name = task.model.name
    claims = Claims(attempt.owner, liveness.is_dead, unreadable_after_s=max(30.0, 3 * task.checkpoint_s))
    work = Work(Shards(task, claims, Outlook(task, liveness)), claims, Records(task, attempt), Summary(name))
    while (shard := work.shards.claim()) is None and work.shards.disk_is_full:
        log.error("%s: the store's disk is full, waiting for room", name)
    if shard is None:
        log.info("%s: nothing left to claim", name)
        return work.summary
    work.take(shard)
    spec, n_deaths, n_answered = task.engine, 0, 0
    try:
        while True:
            engine, spec = _start(task, spec, attempt)
            try:
                serve(task, engine, work, lambda: bool(stop), lambda: _drain_s(task, stop))
                break
            except ModelError:
                raise
            except EngineError as error:
                n_deaths += 1
                has_answered, n_answered = work.summary.n_succeeded > n_answered, work.summary.n_succeeded
                log.error("%s; %d requests were in flight", error, len(work.running))
                if stop:  # SLURM's TERM reaches the engine's processes too, and they die of it
                    break
                if not (work.after_the_death_of_an_engine() or has_answered) or n_deaths == _MOST_DEATHS:
                    raise
                if isinstance(error, OutOfMemoryError) and spec is task.engine:
                    spec = with_less_memory(spec)
            finally:
                engine.close()
    finally:
        claims.free_all()
    summary = work.summary
    log.info(
        "%s: done, %d answered, %d failed, %d tokens in %.1f s",
        name, summary.n_succeeded, summary.n_failed, summary.n_tokens, summary.serving_s,
    )  # fmt: skip
    return summary


def _start(task: CollectTask, spec: EngineSpec, attempt: Attempt) -> tuple[Engine, EngineSpec]:
    """The running engine and how it was started: once more with less memory where there was too little."""
    name, started = task.model.name, time.monotonic()
    log.info("%s: loading %s on %s as %s", name, task.model.path, attempt.node, attempt.writer)
    try:
        with held_back():
            try:
                engine = _engine(task, spec)
            except OutOfMemoryError as error:
                log.error("%s; once more with a smaller share", error)
                spec = with_less_memory(spec)
                engine = _engine(task, spec)
    except ModelError:
        raise
    except EngineError as error:
        if attempt.requeue_id and time.monotonic() - started < WITHIN_S:
            note_bad_node(Layout(task.root), attempt.node, name, str(error))
        raise
    log.info("%s: ready after %.0f s", name, time.monotonic() - started)
    return engine, spec


def _engine(task: CollectTask, spec: EngineSpec) -> Engine:
    return simulating_engine(task, spec) if task.simulator else make_engine(spec, task.model, task.sampling)


def _drain_s(task: CollectTask, stop: StopFlag) -> float:
    return min(task.drain_s, _TERM_DRAIN_S) if stop.is_cancelled else task.drain_s
