"""The typed schema of the configuration: a dataclass per group, with help and limits in the field metadata.

Groups whose options belong to one room are that room's own dataclasses, so that each option is written down once.
No default where a choice changes results; defaults where it changes speed only.
"""

from dataclasses import dataclass, field
from typing import Any

from inference.spec import EncoderSpec, EngineSpec, JudgeSpec, ModelSpec, ProviderSpec, Sampling, SimulatorSpec
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
    """Which of a benchmark's queries count, for every command and model alike: a seeded draw, or a list of indices.

    The draw is `random.Random(seed).sample(range(n), size)` over the n rows in the order of their indices. Python
    does not promise the outcome for ever, so a test holds it: a version that draws otherwise would not go unnoticed.
    A list is the way to a sub-sample that somebody published; it goes before a draw.
    """

    size: int | None = field(default=None, metadata={"help": "how many are drawn", "min": 1})
    seed: int = field(default=42, metadata={"help": "of the draw"})
    index: str | None = field(default=None, metadata={"help": "file with one index a line, or a JSON list of them"})


@dataclass
class BenchmarkConfig:
    """One benchmark of `scoring/benchmarks`."""

    name: str = field(metadata={"help": "file name in scoring/benchmarks"})
    params: dict[str, Any] = field(default_factory=dict, metadata={"help": "keyword arguments of its class"})
    max_tokens: int | None = field(default=None, metadata={"help": "null: sampling.max_tokens", "min": 1})
    expected_tokens: float = field(
        default=500.0, metadata={"help": "of one answer; only for cutting and ordering the work", "min": 1.0}
    )
    sample: SampleConfig | None = field(
        default=None,
        metadata={"help": "{size: 1000, seed: 42} draws with random.Random(seed).sample; {index: FILE} takes the "
                          "indices in a file, one a line or a JSON list; null: every query"},
    )  # fmt: skip
    judges: list[str] = field(
        default_factory=list,
        metadata={"help": "entries of the group judge, or paths of YAMLs, where other models judge its responses"},
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
        default=None,
        metadata={"help": "paid to APIs in this run at most (short: max_cost=, for each step)", "min": 0.0},
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
    max_cost_usd: float | None = field(
        default=None,
        metadata={"help": "paid to judges in this run at most (short: max_cost=, for each step)", "min": 0.0},
    )


@dataclass
class GradeConfig:
    """How the official harness of SWE-Bench is run, and which reports of it are brought in."""

    reports: list[str] = field(default_factory=list, metadata={"help": "files of the harness, graded elsewhere"})
    model: str | None = field(
        default=None, metadata={"help": "whose patches the reports are about; null: as their names say"}
    )
    python: str | None = field(
        default=None, metadata={"help": "interpreter that has the package swebench; null: this one"}
    )
    dataset: str = field(
        default="SWE-bench/SWE-bench_Verified", metadata={"help": "name or file from which the harness has the tests"}
    )
    max_workers: int = field(default=4, metadata={"help": "containers at the same time", "min": 1})
    timeout_s: int = field(default=1800, metadata={"help": "for the tests of one instance", "min": 1})


@dataclass
class SettingConfig:
    """What is compared: models on benchmarks, over seeds."""

    name: str = field(metadata={"help": "name of the setting"})
    benchmarks: list[str] = field(metadata={"help": "names or patterns of benchmarks in the store"})
    models: list[str] | None = field(
        default=None, metadata={"help": "names or patterns; null: every model that has all the benchmarks"}
    )
    collected_routers: list[str] = field(
        default_factory=list,
        metadata={"help": "names or patterns of models that choose a model themselves (openrouter-auto): they stand "
                          "among the routers and are no part of the pool"},
    )  # fmt: skip
    routers: list[str] = field(default_factory=list, metadata={"help": "default of router="})
    seeds: list[int] = field(default_factory=lambda: [42, 999, 2024, 2025, 3407])
    train_share: float = field(default=0.7, metadata={"min": 0.05, "max": 0.95})
    split_rule: str = field(
        default="independent",
        metadata={"help": "reference: one random stream over all benchmarks, as the published tables; given: the "
                          "benchmarks' own split, the same for every seed",
                  "choices": ["independent", "reference", "given"]},
    )  # fmt: skip
    left_out: list[str] = field(
        default_factory=list,
        metadata={"help": "unseen benchmarks: patterns; the benchmarks of each are routed by routers that were trained "
                          "without them; [each]: every benchmark in turn"},
    )  # fmt: skip
    new_models: list[str] = field(
        default_factory=list, metadata={"help": "names or patterns of models with few known scores (cold start)"}
    )
    n_shots: int = field(default=0, metadata={"help": "training queries on which the new models are known", "min": 0})


@dataclass
class RouterConfig:
    """One router of `routers` with its parameters; several entries may use the same router."""

    name: str = field(metadata={"help": "name in the store and in every table"})
    router: str = field(default="", metadata={"help": "file name in routers; empty: the same as name"})
    params: dict[str, Any] = field(default_factory=dict, metadata={"help": "keyword arguments of its class"})


@dataclass
class TrainConfig:
    """Jobs of the routers that read the text; the others need one core."""

    nodes: int = field(default=1, metadata={"help": "of the job of a router and a seed", "min": 1})
    ranks_per_node: int | None = field(
        default=None, metadata={"help": "tasks of such a job on each node; null: one per GPU", "min": 1}
    )
    dry_run: bool = field(default=False, metadata={"help": "print the plan and the sbatch script (short: dry_run=)"})


@dataclass
class RouteConfig:
    """Asking a router about one prompt."""

    trade_off: float | None = field(
        default=None, metadata={"help": "value of the router's tunable parameter; null: the last of its grid"}
    )


@dataclass
class ReportConfig:
    """The reduction's outputs."""

    folder: str = field(default="results/report", metadata={"help": "the report goes to <folder>/<setting>"})
    n_resamples: int = field(default=1000, metadata={"help": "bootstrap resamples", "min": 10})
    usd_per_hour: float | None = field(
        default=None, metadata={"help": "price of the machine that routes, for the routers' own cost", "min": 0}
    )
    prompt_characters: int = field(
        default=160, metadata={"help": "how much of each prompt queries.html shows; 0: nothing", "min": 0}
    )
    compare: str | None = field(
        default=None,
        metadata={"help": "published: LLMRouterBench's figures beside the measured ones (short: compare=)",
                  "choices": ["published"]},
    )  # fmt: skip
    latency: str | None = field(
        default=None,
        metadata={"help": "CSV of providers' figures with columns model, ttft_s, tokens_per_s, date: adds latencies"},
    )
    encoders: list[str] = field(
        default_factory=list,
        metadata={"help": "folders of reports on the same data with other encoders: a table of them all"},
    )


@dataclass
class ImportConfig:
    """Import and export of published releases."""

    n_processes: int | None = field(default=None, metadata={"help": "null: one per core", "min": 1})


@dataclass
class RouterEvalConfig:
    """Candidate groups out of RouterEval's thousands of models."""

    sizes: list[int] = field(
        default_factory=lambda: [3, 5], metadata={"help": "models of a group: 3, 5, 10, 100, 1000"}
    )
    rule: str = field(
        default="train",
        metadata={"help": "queries that choose the groups; published: all, those of the test too",
                  "choices": ["train", "published"]},
    )  # fmt: skip


@dataclass
class Tau2Config:
    """Import of results that the tau2 package has saved."""

    model: str | None = field(
        default=None, metadata={"help": "name of the agent in the store; null: as the file or the pool says"}
    )


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
    judge: dict[str, JudgeSpec] = field(default_factory=dict)
    engine: EngineSpec | None = None
    sampling: Sampling = field(default_factory=Sampling)
    simulator: SimulatorSpec | None = None
    cluster: ClusterSpec | None = None
    collect: CollectConfig = field(default_factory=CollectConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    grade: GradeConfig = field(default_factory=GradeConfig)
    encoder: EncoderSpec | None = None
    setting: SettingConfig | None = None
    router: dict[str, RouterConfig] = field(default_factory=dict)
    train: TrainConfig = field(default_factory=TrainConfig)
    route: RouteConfig = field(default_factory=RouteConfig)
    report: ReportConfig = field(default_factory=ReportConfig)
    release: ImportConfig = field(default_factory=ImportConfig)
    routereval: RouterEvalConfig = field(default_factory=RouterEvalConfig)
    tau2: Tau2Config = field(default_factory=Tau2Config)
    verify: VerifyConfig = field(default_factory=VerifyConfig)
