"""The typed schema of the configuration: a dataclass per group, with help and limits in the field metadata.

Groups whose options belong to one room are that room's own dataclasses, so that each option is written down once.
No default where a choice changes results; defaults where it changes speed only.
"""

from dataclasses import dataclass, field
from typing import Any

from inference.spec import EncoderSpec, EngineSpec, ModelSpec, ProviderSpec, Sampling
from jobs.cluster import ClusterSpec


@dataclass
class StoreConfig:
    """Where everything is kept."""

    root: str = field(default="results/store", metadata={"help": "folder of the HDF5 store"})


@dataclass
class DataConfig:
    """Where benchmarks' question files are."""

    dir: str = field(default="data", metadata={"help": "folder with one subfolder per benchmark"})


@dataclass
class PoolConfig:
    """A named list of models, and the benchmarks they are asked unless the command says otherwise."""

    name: str = field(metadata={"help": "name of the pool"})
    models: list[ModelSpec] = field(metadata={"help": "the models"})
    benchmarks: list[str] = field(default_factory=list, metadata={"help": "default of benchmarks="})
    providers: dict[str, ProviderSpec] = field(default_factory=dict, metadata={"help": "APIs that its models name"})


@dataclass
class SampleConfig:
    """A seeded sample of a benchmark's queries: `random.Random(seed).sample(rows, size)`, sorted."""

    size: int = field(metadata={"min": 1})
    seed: int = 42


@dataclass
class BenchmarkConfig:
    """One benchmark of `scoring/benchmarks`."""

    name: str = field(metadata={"help": "file name in scoring/benchmarks"})
    params: dict[str, Any] = field(default_factory=dict, metadata={"help": "keyword arguments of its class"})
    max_tokens: int | None = field(default=None, metadata={"help": "null: sampling.max_tokens", "min": 1})
    expected_tokens: float = field(
        default=500.0, metadata={"help": "of one answer; only for cutting and ordering the work", "min": 1.0}
    )
    sample: SampleConfig | None = field(default=None, metadata={"help": "use a sample; null: every query"})
    judges: list[str] = field(
        default_factory=list, metadata={"help": "entries of the group judge, where other models judge its responses"}
    )


@dataclass
class CollectConfig:
    """How collecting goes about it."""

    n_repeats: int = field(default=1, metadata={"help": "answers per query", "min": 1})
    max_attempts: int = field(default=10, metadata={"help": "tries before a failure is recorded", "min": 1})
    retry_failed: bool = field(default=False, metadata={"help": "take recorded failures up (short: retry_failed=)"})
    checkpoint_s: float = field(default=60.0, metadata={"help": "work at risk between two commits", "min": 0.1})
    shard_tokens: float = field(
        default=25_000.0, metadata={"help": "expected tokens of a shard, the unit of work", "min": 1.0}
    )
    load_s: float = field(
        default=120.0, metadata={"help": "expected until a worker's model serves; only for planning", "min": 0.0}
    )
    drain_s: float = field(
        default=60.0, metadata={"help": "after SLURM's warning, how long running requests may finish", "min": 0.0}
    )
    full_disk_wait_s: float = field(
        default=600.0, metadata={"help": "how long a worker that is done waits for room on a full disk", "min": 0.0}
    )
    max_cost_usd: float | None = field(
        default=None, metadata={"help": "paid to APIs in this run at most (short: max_cost=)", "min": 0.0}
    )
    dry_run: bool = field(default=False, metadata={"help": "print the plan and the sbatch scripts (short: dry_run=)"})


@dataclass
class ScoreConfig:
    """How responses are judged."""

    profile: str = field(
        default="robust",
        metadata={"help": "robust: as the authors mean; compat: as published", "choices": ["robust", "compat"]},
    )
    rescore: list[str] = field(default_factory=list, metadata={"help": "benchmarks to score anew"})
    processes: int | None = field(
        default=None, metadata={"help": "that judge, on each node; null: one per core of the task", "min": 1}
    )
    nodes: int = field(default=1, metadata={"help": "of a benchmark's SLURM task, joined by Ray", "min": 1})


@dataclass
class SettingConfig:
    """What is compared: models on benchmarks, over seeds."""

    name: str = field(metadata={"help": "name of the setting"})
    benchmarks: list[str] = field(metadata={"help": "names or patterns of benchmarks in the store"})
    models: list[str] | None = field(
        default=None, metadata={"help": "names or patterns; null: every model that has all the benchmarks"}
    )
    routers: list[str] = field(default_factory=list, metadata={"help": "default of router="})
    seeds: list[int] = field(default_factory=lambda: [42, 999, 2024, 2025, 3407])
    train_share: float = field(default=0.7, metadata={"min": 0.05, "max": 0.95})
    split_rule: str = field(
        default="independent",
        metadata={"help": "reference: one random stream over all benchmarks, as the published tables",
                  "choices": ["independent", "reference"]},
    )  # fmt: skip


@dataclass
class RouterConfig:
    """One router of `routers`."""

    name: str = field(metadata={"help": "file name in routers"})
    params: dict[str, Any] = field(default_factory=dict, metadata={"help": "keyword arguments of its class"})


@dataclass
class ReportConfig:
    """The reduction's outputs."""

    folder: str = field(default="results/report", metadata={"help": "the report goes to <folder>/<setting>"})
    n_resamples: int = field(default=1000, metadata={"help": "bootstrap resamples", "min": 10})


@dataclass
class ImportConfig:
    """Import and export of published releases."""

    n_processes: int | None = field(default=None, metadata={"help": "null: one per core", "min": 1})


@dataclass
class VerifyConfig:
    """Reading every byte of the store."""

    quarantine: bool = field(default=False, metadata={"help": "set damaged files aside; their rows are made again"})
    time_limit_s: float = field(default=60.0, metadata={"help": "per file", "min": 0.1})


@dataclass
class Config:
    """Everything. A command uses the groups it names in its help and accepts the others."""

    store: StoreConfig = field(default_factory=StoreConfig)
    data: DataConfig = field(default_factory=DataConfig)
    pool: PoolConfig | None = None
    benchmark: dict[str, BenchmarkConfig] = field(default_factory=dict)
    engine: EngineSpec | None = None
    sampling: Sampling = field(default_factory=Sampling)
    cluster: ClusterSpec | None = None
    collect: CollectConfig = field(default_factory=CollectConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    encoder: EncoderSpec | None = None
    setting: SettingConfig | None = None
    router: dict[str, RouterConfig] = field(default_factory=dict)
    report: ReportConfig = field(default_factory=ReportConfig)
    release: ImportConfig = field(default_factory=ImportConfig)
    verify: VerifyConfig = field(default_factory=VerifyConfig)
