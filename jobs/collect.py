"""The collecting worker: one model, loaded once; claims shards one after another until none is left.

Requests stream through the engine: as soon as there is room the next one is admitted, from the next shard if this one
is used up, so no answer ever waits for another. Finished responses are committed every minute and on SLURM's warning.
"""

import logging
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inference.engine import Engine, Request, make_engine
from inference.spec import EngineSpec, ModelSpec, Sampling
from jobs.attempt import Attempt, current_attempt
from jobs.claims import Claims
from jobs.liveness import Liveness
from jobs.plan import BenchmarkTask, Shard, missing_shards
from jobs.stop import StopFlag, Stopped, held_back
from store.errors import StoreError
from store.layout import Layout
from store.queries import read_queries
from store.records import Response
from store.responses import ResponseWriter

log = logging.getLogger("routeyard.collect")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectTask:
    """Everything a worker needs to know; plain data, so that it can be pickled into a job.

    Attributes:
        root: of the store.
        model, engine, sampling: what answers, and how.
        benchmarks: what it is asked.
        metas: benchmark -> readable parts of its digest, for the files.
        n_repeats: answers per query.
        max_attempts: tries of a request before its failure is recorded.
        retry_failed: take recorded failures up again.
        checkpoint_s: at most this much work is done again after a kill.
        shard_tokens: expected tokens of a shard.
        drain_s: after a warning, how long requests in flight may still finish.
        full_disk_wait_s: how long a worker that is done waits for room on the disk before it gives up.
    """

    root: Path
    model: ModelSpec
    engine: EngineSpec
    sampling: Sampling
    benchmarks: tuple[BenchmarkTask, ...]
    metas: dict[str, dict[str, Any]]
    n_repeats: int = 1
    max_attempts: int = 10
    retry_failed: bool = False
    checkpoint_s: float = 60.0
    shard_tokens: float = 100_000.0
    drain_s: float = 20.0
    full_disk_wait_s: float = 600.0


@dataclass(slots=True)
class CollectSummary:
    """What one worker did."""

    n_succeeded: int = 0
    n_failed: int = 0
    n_tokens: int = 0
    serving_s: float = 0.0
    errors: list[str] = field(default_factory=list)


def collect(task: CollectTask) -> CollectSummary:
    """Answer what is missing of one model; returns when nothing is left to claim.

    Raises:
        EngineError: the model cannot load, or its engine died. What was answered before is stored.
        Stopped: somebody cancelled it, or its time was up where no scheduler brings it back.
        StoreError: the store cannot be used, or its disk stayed full.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    attempt, stop = current_attempt(), StopFlag()
    with stop.installed():
        shards = _Shards(task, Claims(attempt.owner, Liveness().is_dead))
        first = shards.claim()
        if first is None:
            log.info("%s: nothing left to claim", task.model.name)
            return CollectSummary()
        try:
            log.info("%s: loading %s on %s as %s", task.model.name, task.model.path, attempt.node, attempt.writer)
            with held_back():
                engine = make_engine(task.engine, task.model, task.sampling)
            log.info("%s: ready", task.model.name)
            try:
                summary = serve(task, attempt, engine, shards, first, stop)
            finally:
                engine.close()
        finally:
            shards.claims.free_all()
        if stop.received:
            if attempt.requeue_id and stop.received != signal.SIGTERM:  # a TERM means that somebody cancelled
                _requeue(attempt)
            raise Stopped(
                f"{task.model.name}: stopped by {stop.received.name} after {summary.n_succeeded} answers, which are "
                "stored; the same command goes on from there"
            )
        return summary


def serve(
    task: CollectTask, attempt: Attempt, engine: Engine, shards: "_Shards", first: Shard, stop: StopFlag
) -> CollectSummary:
    """The loop: admit, step, record, commit. Whatever ends it, finished responses are committed first."""
    summary, records = CollectSummary(), _Records(task, attempt)
    waiting = deque(shards.requests(first))
    limit = task.engine.max_num_seqs + task.engine.max_num_seqs // 4  # a few ready, so that no slot stays empty
    started = last_checkpoint = time.monotonic()
    stop_at = float("inf")
    try:
        while True:
            if stop and stop_at == float("inf"):
                log.info("%s: %r received, %d in flight", task.model.name, stop.received, engine.n_in_flight)
                records.commit()
                stop_at = time.monotonic() + task.drain_s
            while not stop and not records.disk_is_full and engine.n_in_flight < limit:
                if not waiting:
                    following = shards.claim()
                    if following is None:
                        break
                    waiting.extend(shards.requests(following))
                    continue
                engine.submit(waiting.popleft())
            if (not engine.n_in_flight and (stop or not waiting)) or time.monotonic() > stop_at:
                break
            for finished in engine.step():
                if finished.is_transient and finished.request.attempt < task.max_attempts:
                    waiting.append(replace(finished.request, attempt=finished.request.attempt + 1))
                    continue
                records.append(finished.request, finished.response)
                _count(summary, finished.response)
            if records.disk_is_full and not engine.n_in_flight:  # nothing to do but to wait
                records.commit_when_there_is_room(task.full_disk_wait_s)
            elif time.monotonic() - last_checkpoint >= task.checkpoint_s:
                records.commit()
                shards.claims.renew()
                last_checkpoint = time.monotonic()
    except BaseException:
        records.commit()
        raise
    summary.serving_s = time.monotonic() - started
    records.commit_when_there_is_room(0 if stop else task.full_disk_wait_s)
    log.info(
        "%s: done, %d answered, %d failed, %d tokens in %.1f s",
        task.model.name, summary.n_succeeded, summary.n_failed, summary.n_tokens, summary.serving_s,
    )  # fmt: skip
    return summary


def open_shards(
    task: CollectTask, benchmarks: Sequence[BenchmarkTask] | None = None, damaged: list[str] | None = None
) -> list[Shard]:
    """What is missing of a task, or of some of its benchmarks; see `jobs.plan.missing_shards`."""
    return missing_shards(
        Layout(task.root), task.model.name, task.benchmarks if benchmarks is None else benchmarks,
        shard_tokens=task.shard_tokens, n_repeats=task.n_repeats, retry_failed=task.retry_failed,
        damaged=[] if damaged is None else damaged,
    )  # fmt: skip


class _Shards:
    """What can still be claimed, and the requests of what was claimed."""

    def __init__(self, task: CollectTask, claims: Claims) -> None:
        self.claims = claims
        self._task, self._layout = task, Layout(task.root)
        self._taken: set[tuple[str, str]] = set()
        self._messages: dict[str, dict[int, tuple]] = {}
        self._open = self._missing()

    def claim(self) -> Shard | None:
        """The next free shard with what is missing in it now; None when nothing is left for us."""
        while self._open:
            shard = self._open.pop(0)
            identity = (shard.task.name, shard.name)
            path = self._layout.claims(shard.task.name, self._task.model.name) / f"{shard.name}.json"
            if identity in self._taken or not self.claims.take(path):
                continue
            self._taken.add(identity)
            # Somebody may have finished it between our plan and our claim.
            fresh = {(other.task.name, other.name): other for other in self._missing([shard.task])}.get(identity)
            if fresh is not None:
                return fresh
            self.claims.free(path)
        return None

    def requests(self, shard: Shard) -> Iterator[Request]:
        """The requests of a shard, in the order of its keys."""
        name = shard.task.name
        if name not in self._messages:
            self._messages[name] = {query.index: query.messages for query in read_queries(self._layout, name)}
        for index, repeat in shard.keys.tolist():
            yield Request(name, index, repeat, self._messages[name][index], shard.task.max_tokens)

    def _missing(self, tasks: list[BenchmarkTask] | None = None) -> list[Shard]:
        damaged: list[str] = []
        shards = open_shards(self._task, tasks, damaged)
        for line in damaged:
            log.warning("%s", line)
        return shards


class _Records:
    """One writer per benchmark; a full disk pauses, it never loses."""

    def __init__(self, task: CollectTask, attempt: Attempt) -> None:
        layout = Layout(task.root)
        made_by = {
            "owner": attempt.owner, "node": attempt.node, "gpus": attempt.gpus,
            "routeyard": version("routeyard"), "started_at": time.time(),
        }  # fmt: skip
        self._model = task.model.name
        self._writers = {
            benchmark.name: ResponseWriter(
                layout, benchmark.name, task.model.name, attempt.writer,
                {"digest": benchmark.digest, "identity": task.metas[benchmark.name], "made_by": made_by},
            )
            for benchmark in task.benchmarks
        }  # fmt: skip
        self.disk_is_full = False

    def append(self, request: Request, response: Response) -> None:
        self._writers[request.benchmark].append(response)

    def commit(self) -> None:
        """Store everything; on a full disk keep it and say so."""
        started = time.monotonic()
        try:
            n_rows = sum(writer.commit() for writer in self._writers.values())
        except OSError as error:
            self.disk_is_full = True
            n_waiting = sum(writer.n_pending for writer in self._writers.values())
            log.error("%s: the store cannot be written (%s); %d responses wait in memory, nothing is lost",
                      self._model, error, n_waiting)  # fmt: skip
            return
        self.disk_is_full = False
        if n_rows:
            log.info("%s: %d responses stored in %.0f ms", self._model, n_rows, 1e3 * (time.monotonic() - started))

    def commit_when_there_is_room(self, wait_s: float) -> None:
        """Commit, if need be after waiting for room.

        Raises:
            StoreError: there was none in that time.
        """
        until = time.monotonic() + wait_s
        self.commit()
        while self.disk_is_full:
            if time.monotonic() >= until:
                n_waiting = sum(writer.n_pending for writer in self._writers.values())
                raise StoreError(
                    f"{self._model}: the store's disk is full; {n_waiting} responses could not be stored and will be "
                    "made again. Free some space and type the same command again."
                )
            time.sleep(min(2.0, wait_s))
            self.commit()


def _count(summary: CollectSummary, response: Response) -> None:
    if response.error:
        summary.n_failed += 1
        summary.errors = [*summary.errors, f"index {response.index}: {response.error}"][:5]
    else:
        summary.n_succeeded += 1
        summary.n_tokens += response.completion_tokens


def _requeue(attempt: Attempt) -> None:
    """Ask SLURM to run this array task again, and wait for the end that this brings."""
    log.info("requeueing %s", attempt.requeue_id)
    subprocess.run(["scontrol", "requeue", attempt.requeue_id], check=True)
    time.sleep(60)  # SLURM ends this process; returning would record the task as finished
