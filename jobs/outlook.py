"""What the store says about a model's missing answers: how long each will be, how many tokens in all, how many workers.

Looked up now and then (0.3 s for 20 models and 15 benchmarks), for what a worker takes up first and how many answers it
works on at once. A wrong guess costs time, never a result.
"""

import time

import numpy as np
from numpy.typing import NDArray

from jobs.claims import live_claims
from jobs.lengths import expected_tokens, tokens_of_queries
from jobs.liveness import Liveness
from jobs.plan import BenchmarkTask, Shard
from jobs.schedule import batch_limit
from jobs.task import CollectTask
from store.errors import StoreError
from store.layout import Layout
from store.responses import read_columns

LOOK_AGAIN_S = 300.0


class Outlook:
    """One worker's view of what is ahead of its model.

    Attributes:
        n_missing: answers that the model lacks, those under way included.
        missing_tokens: that they are expected to have.
        n_workers: that hold claims of the model.
    """

    def __init__(self, task: CollectTask, liveness: Liveness) -> None:
        self.n_missing, self.missing_tokens, self.n_workers = 0, 0.0, 0
        self._task, self._layout, self._liveness = task, Layout(task.root), liveness
        self._expected: dict[str, NDArray[np.float64]] = {}
        self._looked_at = float("-inf")

    def look(self) -> bool:
        """Look into the store, unless that was done a moment ago; gives back whether it was done."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN_S:
            return False
        name, owners, missing = self._task.model.name, set[str](), list[NDArray[np.float64]]()
        for benchmark in self._task.benchmarks:
            owners |= set(live_claims(self._layout.claims(benchmark.name, name), self._liveness.is_dead).values())
            others = [model for model in self._layout.models(benchmark.name) if model != name]
            tokens = np.stack([self._tokens(benchmark, model) for model in (name, *others)])
            expected = expected_tokens(tokens, 0, benchmark.expected_tokens)
            missing.append(expected[np.isnan(tokens[0])])
            self._expected[benchmark.name] = expected
        self.n_missing = self._task.n_repeats * sum(map(len, missing))
        self.missing_tokens = self._task.n_repeats * float(sum(part.sum() for part in missing))
        self.n_workers, self._looked_at = len(owners), time.monotonic()
        return True

    def expected_tokens(self, shard: Shard) -> NDArray[np.float64]:
        """Of each missing answer of a shard, float64 [n_missing]."""
        return self._expected[shard.task.name][np.searchsorted(shard.task.index, shard.keys[:, 0])]

    def batch_limit(self, capacity: int, shard: Shard) -> int:
        """Answers to work on at once while those of a shard begin; see `jobs.schedule`."""
        longest = float(self.expected_tokens(shard).max())
        return batch_limit(capacity, self.n_missing, self.missing_tokens, self.n_workers, longest)

    def _tokens(self, benchmark: BenchmarkTask, model: str) -> NDArray[np.float64]:
        """Tokens of a model's answers, float64 [n_queries]; NaN where it has none or they cannot be read."""
        try:
            table = read_columns(self._layout, benchmark.name, model, ["completion_tokens"], damaged=[])
        except StoreError:  # two configurations in one place: whoever collects that model is told
            return np.full(len(benchmark.index), np.nan)
        return tokens_of_queries(benchmark.index, table["index"], table["completion_tokens"])
