"""What a worker can still claim of its model, and the requests of what it has claimed."""

import errno
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from inference.engine import Request
from jobs.claims import Claims
from jobs.outlook import Outlook
from jobs.plan import BenchmarkTask, Shard, missing_shards
from jobs.schedule import shard_order
from jobs.task import CollectTask
from store.errors import StoreError
from store.layout import Layout
from store.queries import read_queries
from store.records import Message

log = logging.getLogger("routeyard.collect")


def open_shards(
    task: CollectTask, benchmarks: Sequence[BenchmarkTask] | None = None, damaged: list[str] | None = None
) -> list[Shard]:
    """What is missing of a task, or of some of its benchmarks; see `jobs.plan.missing_shards`."""
    return missing_shards(
        Layout(task.root), task.model.name, task.benchmarks if benchmarks is None else benchmarks,
        shard_tokens=task.shard_tokens, n_repeats=task.n_repeats, retry_failed=task.retry_failed,
        damaged=[] if damaged is None else damaged,
    )  # fmt: skip


class Shards:
    """The open shards of one model, claimed one by one.

    Attributes:
        outlook: how long the answers of what is open are expected to be.
        disk_is_full: the last claim could not be written; what is open stays open.
    """

    def __init__(self, task: CollectTask, claims: Claims, outlook: Outlook) -> None:
        self.outlook, self.disk_is_full, self._full_since = outlook, False, 0.0
        self._task, self._layout, self._claims = task, Layout(task.root), claims
        self._taken: set[tuple[str, str]] = set()
        self._messages: dict[str, dict[int, tuple[Message, ...]]] = {}
        self._open = self._missing()

    def claim(self) -> Shard | None:
        """The next free shard with what is missing in it now; None when there is none for us, or `disk_is_full`. Those
        with the longest expected answer come first.

        Raises:
            StoreError: the disk has been full for too long.
        """
        if self._open and self.outlook.look():
            self._open.sort(key=lambda shard: shard_order(shard, self.outlook.expected_tokens(shard)))
        while self._open:
            shard = self._open[0]
            identity = (shard.task.name, shard.name)
            path = self._layout.claims(shard.task.name, self._task.model.name) / f"{shard.name}.json"
            try:
                is_ours = identity not in self._taken and self._claims.take(path)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                self._note_full_disk(path)
                return None
            self.disk_is_full = False
            self._open.pop(0)
            if not is_ours:
                continue
            self._taken.add(identity)
            # Somebody may have finished it between our plan and our claim.
            fresh = {(other.task.name, other.name): other for other in self._missing([shard.task])}.get(identity)
            if fresh is not None:
                return fresh
            self._claims.free(path)
        return None

    def _note_full_disk(self, path: Path) -> None:
        if not self.disk_is_full:
            self.disk_is_full, self._full_since = True, time.monotonic()
        if time.monotonic() - self._full_since > self._task.full_disk_wait_s:
            raise StoreError(f"{path}: no claim can be written, the store's disk is full. Free some space and type the "
                             "same command again.")  # fmt: skip
        time.sleep(min(1.0, self._task.full_disk_wait_s))

    def requests(self, shard: Shard) -> Iterator[Request]:
        """The requests of a shard, the longest expected answers first."""
        name = shard.task.name
        if name not in self._messages:
            self._messages[name] = {query.index: query.messages for query in read_queries(self._layout, name)}
        longest_first = np.argsort(-self.outlook.expected_tokens(shard), kind="stable")
        for index, repeat in shard.keys[longest_first].tolist():
            yield Request(name, index, repeat, self._messages[name][index], shard.task.max_tokens)

    def _missing(self, tasks: list[BenchmarkTask] | None = None) -> list[Shard]:
        damaged: list[str] = []
        shards = open_shards(self._task, tasks, damaged)
        for line in damaged:
            log.warning("%s", line)
        return shards
