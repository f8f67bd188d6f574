"""Everything a collecting worker needs to know about one model; plain data, so that it can be pickled into a job."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.spec import EngineSpec, ModelSpec, ProviderSpec, Sampling, SimulatorSpec
from jobs.plan import BenchmarkTask


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectTask:
    """One model and what it is asked.

    Attributes:
        root: of the store.
        model, engine, sampling: what answers, and how.
        provider: of a model that answers over an API; None: the engine runs it.
        simulator: who it talks with, where what it is asked are conversations of τ²-Bench.
        benchmarks: what it is asked.
        metas: benchmark -> readable parts of its digest, for the files.
        n_repeats: answers per query.
        max_attempts: tries of a request before its failure is recorded.
        retry_failed: take recorded failures up again.
        checkpoint_s: at most this much work is done again after a kill.
        shard_tokens: expected tokens of a shard.
        load_s: expected time until a worker's model serves, for deciding whether one more worker pays.
        drain_s: after a warning, how long requests in flight may still finish.
        full_disk_wait_s: how long a worker that is done waits for room on the disk before it gives up.
    """

    root: Path
    model: ModelSpec
    engine: EngineSpec
    sampling: Sampling
    benchmarks: tuple[BenchmarkTask, ...]
    metas: dict[str, dict[str, Any]]
    provider: ProviderSpec | None = None
    simulator: SimulatorSpec | None = None
    n_repeats: int = 1
    max_attempts: int = 10
    retry_failed: bool = False
    checkpoint_s: float = 60.0
    shard_tokens: float = 25_000.0
    load_s: float = 120.0
    drain_s: float = 60.0
    full_disk_wait_s: float = 600.0
