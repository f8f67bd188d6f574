"""How far a model's answers to a benchmark are, from the store and the claims alone: at any time, from any node."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs.claims import live_claims
from jobs.liveness import Liveness
from jobs.plan import BenchmarkTask, in_ranges
from jobs.task import CollectTask
from store.errors import StoreError
from store.layout import Layout
from store.responses import gaps, read_columns

_RECENT_S = 300.0  # five commits
_ENOUGH_ANSWERS = 20  # to believe their mean length more than the configuration


@dataclass(frozen=True, slots=True)
class Progress:
    """One (model, benchmark) pair.

    Attributes:
        n_expected: keys that are asked for.
        n_answered, n_failed: rows that are there; what a `retry_failed` run takes up again counts as missing.
        n_missing: keys without a row.
        n_claimed: of those, the ones that an owner works on.
        owners: of the claims on its shards, those that live: who works on it.
        tokens_expected: completion tokens that the missing answers will have, by the mean of those that are there.
        tokens_unclaimed: those of them that nobody has claimed.
        rate: completion tokens per second over the last five minutes, 0 where nothing came in.
        problem: why its rows cannot be used, "" if they can.
    """

    n_expected: int
    n_answered: int = 0
    n_failed: int = 0
    n_missing: int = 0
    n_claimed: int = 0
    owners: frozenset[str] = frozenset()
    tokens_expected: float = 0.0
    tokens_unclaimed: float = 0.0
    rate: float = 0.0
    problem: str = ""


def progress(task: CollectTask, benchmark: BenchmarkTask, liveness: Liveness) -> Progress:
    """How far one benchmark of a task is."""
    layout, damaged = Layout(task.root), list[str]()
    n_expected = len(benchmark.index) * task.n_repeats
    claims = live_claims(layout.claims(benchmark.name, task.model.name), liveness.is_dead)
    owners = frozenset(claims.values())
    try:
        table = read_columns(
            layout, benchmark.name, task.model.name, ["completion_tokens"], digest=benchmark.digest, damaged=damaged
        )
    except StoreError as error:
        return Progress(n_expected, n_missing=n_expected, owners=owners, problem=str(error))
    missing = gaps(table, benchmark.index, n_repeats=task.n_repeats, retry_failed=task.retry_failed)
    tokens = table["completion_tokens"][~table["failed"]]
    n_failed = len(table["failed"]) - len(tokens)
    mean = float(tokens.mean()) if len(tokens) >= _ENOUGH_ANSWERS else benchmark.expected_tokens
    n_claimed = int(np.count_nonzero(in_ranges(missing[:, 0], list(claims))))
    return Progress(
        n_expected, len(tokens), n_failed, len(missing), n_claimed, owners, len(missing) * mean,
        (len(missing) - n_claimed) * mean, _rate(table), "; ".join(damaged),
    )  # fmt: skip


def progress_of(task: CollectTask, liveness: Liveness) -> dict[str, Progress]:
    """Benchmark -> progress, for all of a task's benchmarks."""
    return {benchmark.name: progress(task, benchmark, liveness) for benchmark in task.benchmarks}


def expected_s(task: CollectTask, pairs: Sequence[Progress], tokens: float) -> float:
    """Seconds that one worker of a task's model needs for so many tokens, loading excluded.

    The speed is the measured one per worker where somebody is at work, else the model's `tokens_per_s`.
    """
    rate, n_workers = sum(pair.rate for pair in pairs), len(frozenset().union(*(pair.owners for pair in pairs)))
    speed = rate / n_workers if rate and n_workers else task.model.tokens_per_s
    return tokens / speed


class Watch:
    """Progress of many pairs, read again only where files came or went."""

    def __init__(self) -> None:
        self._liveness = Liveness()
        self._known: dict[tuple[str, str], tuple[Any, Progress]] = {}

    def read(self, tasks: Mapping[str, CollectTask]) -> dict[str, dict[str, Progress]]:
        """Model -> benchmark -> progress now."""
        return {
            name: {benchmark.name: self._pair(task, benchmark) for benchmark in task.benchmarks}
            for name, task in tasks.items()
        }

    def _pair(self, task: CollectTask, benchmark: BenchmarkTask) -> Progress:
        layout, key = Layout(task.root), (task.model.name, benchmark.name)
        folders = (layout.responses(benchmark.name, task.model.name), layout.claims(benchmark.name, task.model.name))
        mark = [folder.stat().st_mtime_ns if folder.exists() else 0 for folder in folders]
        known = self._known.get(key)
        if known is None or known[0] != mark or known[1].rate or known[1].owners:  # these two are of now
            self._known[key] = known = (mark, progress(task, benchmark, self._liveness))
        return known[1]


def _rate(table: dict[str, Any]) -> float:
    recent = table["finished_at"] > time.time() - _RECENT_S
    if np.count_nonzero(recent) < 2:
        return 0.0
    times = table["finished_at"][recent]
    return float(np.maximum(table["completion_tokens"][recent], 0).sum() / max(np.ptp(times), 1.0))
