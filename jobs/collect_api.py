"""The collecting worker of models behind APIs: one process asks them all, so limits and budget hold for all."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from inference.api_engine import ApiEngine
from inference.api_session import ApiSession
from inference.engine import Engine, EngineError
from jobs.attempt import Attempt, current_attempt
from jobs.claims import Claims
from jobs.liveness import Liveness
from jobs.outlook import Outlook
from jobs.records import Records
from jobs.serve import Summary, Work, serve
from jobs.shards import Shards
from jobs.simulate import simulating_engine
from jobs.stop import StopFlag, Stopped, stopped
from jobs.task import CollectTask
from store.layout import Layout

log = logging.getLogger("routeyard.collect")

_REPORT_S = 30.0


def collect_api(tasks: Sequence[CollectTask], *, max_cost_usd: float | None = None) -> list[Summary]:
    """Answer what is missing of all the models; one that is refused leaves the others alone.

    Args:
        max_cost_usd: what this run may spend at most.

    Returns:
        One summary per model.

    Raises:
        EngineError: some models could not be asked, for instance without a key; the others are done.
        Stopped: the budget is spent, or somebody cancelled. What was paid for is stored.
        StoreError: the store cannot be used, or its disk stayed full.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    attempt, stop, layout = current_attempt(), StopFlag(), Layout(tasks[0].root)
    with (
        stop.installed(),
        ApiSession(layout.api_cache, max_cost_usd=max_cost_usd) as session,
        ThreadPoolExecutor(len(tasks)) as pool,
    ):
        futures = [pool.submit(_ask, task, attempt, session, stop) for task in tasks]
        _wait(futures, session, stop)
        errors = [error for future in futures if (error := future.exception())]
        summaries = [future.result() for future in futures if not future.exception()]
        n_succeeded = sum(summary.n_succeeded for summary in summaries)
        for error in errors:
            log.error("%s", error)
            if not isinstance(error, EngineError):
                raise error
        if stop:
            stopped(stop, attempt, f"api: {n_succeeded} answers are stored")
        if session.is_exhausted:
            raise Stopped(
                f"max_cost={max_cost_usd} USD: {session.spent_usd:.4f} spent on {n_succeeded} answers, which are "
                "stored; a larger one goes on from there"
            )
        if errors:
            raise EngineError("; ".join(map(str, errors)))
    return summaries


def _ask(task: CollectTask, attempt: Attempt, session: ApiSession, stop: StopFlag) -> Summary:
    """Ask one model; runs in a thread of its own."""
    assert task.provider is not None
    provider, liveness = task.provider, Liveness()
    claims = Claims(attempt.owner, liveness.is_dead)
    shards = Shards(task, claims, Outlook(task, liveness))
    work = Work(shards, claims, Records(task, attempt), Summary(task.model.name))
    log.info("%s: asking %s at %s, as %s", task.model.name, task.model.path, provider.base_url, attempt.writer)
    engine: Engine
    if task.simulator:
        engine = simulating_engine(task, task.engine, session)
    else:
        engine = ApiEngine(task.model, provider, task.sampling, session, max_attempts=task.max_attempts)
    try:
        # What is under way is paid for: it may come home as long as the provider takes.
        serve(task, engine, work, lambda: bool(stop) or session.is_exhausted, lambda: provider.timeout_s)
    finally:
        engine.close()
        claims.free_all()
    return work.summary


def _wait(futures: Sequence[Future[Summary]], session: ApiSession, stop: StopFlag) -> None:
    said_at = time.monotonic()
    while True:
        _, open_ones = wait(futures, timeout=1.0)
        if stop:
            session.halt()
        if not open_ones or time.monotonic() - said_at > _REPORT_S:
            log.info("api: %.4f USD spent, %d models under way", session.spent_usd, len(open_ones))
            said_at = time.monotonic()
        if not open_ones:
            return
