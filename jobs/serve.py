"""The serving loop: admit, step, record, commit, as long as there is something to claim.

Requests stream through the engine: as soon as there is room the next one is admitted, from the next shard if this one
is used up, so no answer ever waits for another.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from inference.engine import Engine, Request, failure
from jobs.claims import Claims
from jobs.plan import Shard
from jobs.records import Records
from jobs.shards import Shards
from jobs.task import CollectTask
from store.records import Response

log = logging.getLogger("routeyard.collect")

Key = tuple[str, int, int]  # benchmark, index, repeat


@dataclass(slots=True)
class Summary:
    """What one worker did for one model."""

    model: str
    n_succeeded: int = 0
    n_failed: int = 0
    n_tokens: int = 0
    serving_s: float = 0.0
    errors: list[str] = field(default_factory=list)

    def count(self, response: Response) -> None:
        """Add a recorded response."""
        if response.error:
            self.n_failed += 1
            self.errors = [*self.errors, f"index {response.index}: {response.error}"][:5]
        else:
            self.n_succeeded += 1
            self.n_tokens += response.completion_tokens


@dataclass(slots=True)
class Work:
    """What a worker holds of one model; it outlives an engine that dies.

    Attributes:
        shard: claimed last.
        waiting: claimed and not yet admitted.
        running: admitted and not yet finished.
        suspects: were running when an engine died, and have not finished since.
        n_trusted: so many requests run at the same time while there are suspects.
        condemned: an engine died while it ran each of them alone; they come last, alone.
    """

    shards: Shards
    claims: Claims
    records: Records
    summary: Summary
    shard: Shard | None = None
    waiting: deque[Request] = field(default_factory=deque)
    running: dict[Key, Request] = field(default_factory=dict)
    suspects: set[Key] = field(default_factory=set)
    n_trusted: int = 0
    condemned: deque[Request] = field(default_factory=deque)
    _lonely_deaths: Counter[Key] = field(default_factory=Counter)

    def take(self, shard: Shard) -> None:
        """Put the requests of a claimed shard in line."""
        self.shard = shard
        self.waiting.extend(self.shards.requests(shard))

    def after_the_death_of_an_engine(self) -> bool:
        """Put back what was running; half of it at a time is tried first, so that a request that kills engines is
        found in log2 steps. Two engines that died of it alone, while others were answered, are the proof, and its
        failure is recorded. Gives back whether fewer requests than before are under suspicion.
        """
        is_narrower = len(self.running) <= self.n_trusted
        if len(self.running) == 1:
            ((key, request),) = self.running.items()
            self._lonely_deaths[key] += 1
            is_narrower = self._lonely_deaths[key] == 1
            if self._lonely_deaths[key] > 1 and self.summary.n_succeeded:
                self.record(request, failure(request, "two engines died of this request, which was served alone"))
                is_narrower = True
            else:
                self.condemned.append(request)
            self.running.clear()
        self.suspects, self.n_trusted = set(self.running), max(1, len(self.running) // 2)
        self.waiting.extendleft(reversed(self.running.values()))
        self.running.clear()
        return is_narrower

    def record(self, request: Request, response: Response) -> None:
        """Take a finished response."""
        self.records.append(request.benchmark, response)
        self.summary.count(response)


def serve(
    task: CollectTask, engine: Engine, work: Work, should_stop: Callable[[], bool], drain_s: Callable[[], float]
) -> None:
    """Answer what can be claimed. Whatever ends it, finished responses are committed first.

    Args:
        should_stop: looked at between two steps; once true nothing is admitted any more.
        drain_s: how long requests in flight may then still finish.

    Raises:
        EngineError: the engine died; `work` knows what was running.
        StoreError: the disk stayed full.
    """
    records, running, waiting = work.records, work.running, work.waiting
    started = last_checkpoint = time.monotonic()
    capacity = _most_in_flight(task, engine, work)
    stop_at = float("inf")
    try:
        while True:
            if stop_at == float("inf") and should_stop():
                log.info("%s: stopping, %d in flight", task.model.name, engine.n_in_flight)
                records.commit()
                stop_at = time.monotonic() + drain_s()
            is_stopping, disk_is_full = stop_at < float("inf"), records.disk_is_full
            limit = work.n_trusted if work.suspects else capacity
            while not is_stopping and not disk_is_full and engine.n_in_flight < limit and not should_stop():
                if not waiting:
                    shard = work.shards.claim()
                    if shard is None:
                        disk_is_full = work.shards.disk_is_full
                        if not disk_is_full and not engine.n_in_flight and work.condemned:
                            waiting.append(work.condemned.popleft())
                            limit = 1
                            continue
                        break
                    work.take(shard)
                    capacity = _most_in_flight(task, engine, work)
                    continue
                request = waiting.popleft()
                running[_key(request)] = request
                engine.submit(request)
            if time.monotonic() > stop_at:
                break
            if not engine.n_in_flight:
                if is_stopping or not (waiting or disk_is_full):
                    break
                if disk_is_full:  # nothing to do but to wait
                    records.commit_when_there_is_room(task.full_disk_wait_s)
            for finished in engine.step():
                request = finished.request
                del running[_key(request)]
                if finished.is_transient and request.attempt < task.max_attempts:
                    waiting.append(replace(request, attempt=request.attempt + 1))
                    continue
                work.suspects.discard(_key(request))
                work.record(request, finished.response)
            if time.monotonic() - last_checkpoint >= task.checkpoint_s:
                records.commit()
                work.claims.renew()
                last_checkpoint = time.monotonic()
    except BaseException:
        records.commit()
        raise
    finally:
        work.summary.serving_s += time.monotonic() - started
    records.commit_when_there_is_room(0 if is_stopping else task.full_disk_wait_s)


def _most_in_flight(task: CollectTask, engine: Engine, work: Work) -> int:
    """Requests to hand to the engine: all it works on, fewer where a long answer would otherwise outlast everything.

    Beyond a full engine so many are kept ready that no slot stays empty: eight times what finishes in a step. Not many
    more, since what one worker holds back no other can take.
    """
    capacity, shard = engine.capacity, work.shard
    if shard is not None and task.provider is None:  # an API's answers come no quicker where they are fewer
        limit = work.shards.outlook.batch_limit(capacity, shard)
        if limit < capacity:
            return limit
    expected_tokens = (shard.task if shard else task.benchmarks[0]).expected_tokens
    return capacity + min(capacity, max(capacity // 16, 1, int(8 * capacity / expected_tokens)))


def _key(request: Request) -> Key:
    return request.benchmark, request.index, request.repeat
