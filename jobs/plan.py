"""Missing = expected - readable, cut into shards of about equal expected work.

A shard is a fixed range of a benchmark's queries: its borders depend on the benchmark and one number of the
configuration, never on what is there already or on how many workers there are. So every worker derives the same plan
from the store alone, several commands and any number of workers can run at the same time, and nothing has to be handed
around. What is missing inside a shard is looked up when it is claimed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.claims import read_owner
from jobs.liveness import Liveness
from jobs.schedule import shard_order
from store.atomic import TEMPORARY_SUFFIX
from store.layout import Layout
from store.responses import missing_keys

_OWNER = re.compile(r"slurm\.[^.]+\.\d+|local\.[^.]+\.\d+\.\d+")  # as `Attempt.owner`


@dataclass(frozen=True, slots=True)
class BenchmarkTask:
    """What one model is asked of one benchmark.

    Attributes:
        name: the benchmark.
        index: the queries that count, int64 ascending.
        max_tokens: completion tokens at most.
        expected_tokens: of one answer, for planning only.
        digest: of everything that determines a response (`inference.identity`).
    """

    name: str
    index: NDArray[np.int64]
    max_tokens: int
    expected_tokens: float
    digest: str


@dataclass(frozen=True, slots=True)
class Shard:
    """A range of a benchmark's queries with what is missing in it.

    Attributes:
        task: the benchmark.
        name: first and last index, zero-padded; names the claim.
        keys: missing (index, repeat), int64 [n_missing, 2].
    """

    task: BenchmarkTask
    name: str
    keys: NDArray[np.int64]

    @property
    def expected_tokens(self) -> float:
        """Tokens its missing answers are expected to have."""
        return len(self.keys) * self.task.expected_tokens


def missing_shards(
    layout: Layout,
    model: str,
    tasks: Sequence[BenchmarkTask],
    *,
    shard_tokens: float,
    n_repeats: int = 1,
    retry_failed: bool = False,
    damaged: list[str] | None = None,
) -> list[Shard]:
    """Shards of a model with something missing, in the order in which they are claimed.

    Args:
        shard_tokens: expected completion tokens of a whole shard.
        n_repeats: answers per query.
        retry_failed: recorded failures count as missing.
        damaged: collects a line per unreadable part.

    Raises:
        StoreError: responses of another configuration are in the way.
    """
    shards: list[Shard] = []
    for task in tasks:
        keys = missing_keys(
            layout, task.name, model, task.index,
            n_repeats=n_repeats, digest=task.digest, retry_failed=retry_failed, damaged=damaged,
        )  # fmt: skip
        shards += cut(task, keys, shard_tokens, n_repeats)
    return sorted(shards, key=shard_order)


def cut(task: BenchmarkTask, keys: NDArray[np.int64], shard_tokens: float, n_repeats: int) -> list[Shard]:
    """The shards of a benchmark that the missing keys, int64 [n_missing, 2], lie in."""
    n_queries = max(1, int(shard_tokens / (task.expected_tokens * n_repeats)))
    block = np.searchsorted(task.index, keys[:, 0]) // n_queries
    numbers = np.unique(block)
    first, last = (
        task.index[numbers * n_queries],
        task.index[np.minimum((numbers + 1) * n_queries, len(task.index)) - 1],
    )
    return [
        Shard(task, f"{start:07d}-{end:07d}", keys[block == number])
        for number, start, end in zip(numbers, first, last, strict=True)
    ]


def in_ranges(indices: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.bool_]:
    """Which indices lie in the shards of these names, bool [n]."""
    inside = np.zeros(len(indices), bool)
    for name in names:
        first, _, last = name.partition("-")
        inside |= (indices >= int(first)) & (indices <= int(last))
    return inside


def remove_claims(layout: Layout, model: str, benchmark: str) -> None:
    """Remove all claims of a pair that is complete, readable or not: there is nothing left to have a right to."""
    for path in layout.claims(benchmark, model).glob("*.json"):
        path.unlink(missing_ok=True)


def remove_leftovers(layout: Layout, model: str, benchmarks: Sequence[str], liveness: Liveness) -> int:
    """Remove temporary files and claims of workers that are gone: the normal trace of a kill. Gives back how many.

    The owner stands in a temporary file's name and in a claim; only if it certainly no longer runs is either touched.
    """
    removed = 0
    for benchmark in benchmarks:
        for path in layout.responses(benchmark, model).glob(f".*{TEMPORARY_SUFFIX}"):
            owner = _OWNER.search(path.name)
            if owner and liveness.is_dead(owner[0]):
                path.unlink(missing_ok=True)
                removed += 1
        for path in layout.claims(benchmark, model).glob("*.json"):
            holder = read_owner(path)
            if holder is not None and liveness.is_dead(holder):
                path.unlink(missing_ok=True)
                removed += 1
    return removed
