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
    """Shards of a model with something missing, the most work first.

    Args:
        shard_tokens: expected completion tokens of a whole shard.
        n_repeats: answers per query.
        retry_failed: recorded failures count as missing.
        damaged: collects a line per unreadable part.

    Raises:
        StoreError: responses of another configuration are in the way.
    """
    shards = []
    for task in tasks:
        keys = missing_keys(
            layout, task.name, model, task.index,
            n_repeats=n_repeats, digest=task.digest, retry_failed=retry_failed, damaged=damaged,
        )  # fmt: skip
        if not len(keys):
            continue
        n_queries = max(1, int(shard_tokens / (task.expected_tokens * n_repeats)))
        block = np.searchsorted(task.index, keys[:, 0]) // n_queries
        for number in np.unique(block):
            first, last = task.index[number * n_queries], task.index[number * n_queries : (number + 1) * n_queries][-1]
            shards.append(Shard(task, f"{first:07d}-{last:07d}", keys[block == number]))
    return sorted(shards, key=lambda shard: (-shard.expected_tokens, shard.task.name, shard.name))


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
