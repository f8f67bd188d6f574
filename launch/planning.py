"""From the configuration to plain tasks: queries into the store, identities, folders of a run."""

import time
import uuid
from pathlib import Path
from typing import Any

import scoring
from configs.compose import ConfigError, to_yaml
from configs.schema import BenchmarkConfig, Config, SettingConfig
from inference.engine import ModelError
from inference.identity import response_identity, simulation_identity
from inference.tau2_engine import BENCHMARK as TAU2
from jobs.plan import BenchmarkTask
from jobs.setting import Setting
from jobs.task import CollectTask
from jobs.train import TrainTask
from launch.command import required
from launch.samples import selected, selection
from scoring.benchmark import BenchmarkError, find, folders
from store.atomic import write_file
from store.digest import digest_source
from store.errors import StoreError
from store.layout import Layout
from store.matrix import complete_models, match_names
from store.queries import read_query_columns, write_queries


def layout_of(config: Config) -> Layout:
    """The store the configuration names."""
    return Layout(Path(config.store.root).expanduser().absolute())


def store_queries(config: Config) -> dict[str, str]:
    """Bring the queries of the chosen benchmarks into the store; gives back benchmark -> cause of those that failed.

    A benchmark whose files, code and parameters are those of the last time is not read again.
    """
    layout, failures, data_dir = layout_of(config), {}, Path(config.data.dir).expanduser()
    for name, benchmark in config.benchmark.items():
        made_from = _made_from(benchmark, data_dir)
        try:
            if layout.queries(name).exists() and read_query_columns(layout, name, ())[1].get("made_from") == made_from:
                continue
            queries = find(benchmark.name, **benchmark.params).queries(data_dir)
            write_queries(layout, name, queries, {"params": benchmark.params, "made_from": made_from})
        except (BenchmarkError, StoreError, TypeError) as error:
            failures[name] = str(error)
    return failures


def _made_from(benchmark: BenchmarkConfig, data_dir: Path) -> list[Any]:
    """What a benchmark's queries depend on: parameters, code, and size and time of its files."""
    found = (path for folder in folders(data_dir, benchmark.name) for path in folder.rglob("*"))
    files = sorted(path for path in found if path.is_file())
    stats = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    return [benchmark.params, digest_source(Path(scoring.__file__).parent), stats]


def collect_tasks(config: Config, benchmarks: list[str]) -> tuple[dict[str, CollectTask], dict[str, str]]:
    """What the workers of each of the pool's models have to know, by model; and model -> why it cannot be asked.

    Raises:
        StoreError: a sample is larger than its benchmark.
        ConfigError: a model names a provider that the pool does not have, or a list of indices is wrong.
    """
    assert config.pool is not None
    assert config.engine is not None
    layout, options = layout_of(config), config.collect
    index = {name: selected(layout, name, config.benchmark[name]) for name in benchmarks}
    metas_of = {name: read_query_columns(layout, name, ())[1] for name in benchmarks}
    simulator = config.simulator if benchmarks == [TAU2] else None
    tasks, failures = {}, {}
    for model in config.pool.models:
        if model.provider is not None and model.provider not in config.pool.providers:
            valid = ", ".join(config.pool.providers) or "none"
            raise ConfigError(
                f"pool {config.pool.name}: model {model.name} names provider {model.provider!r}; there are: {valid}"
            )
        asked, metas = [], {}
        try:
            for name in benchmarks:
                max_tokens = config.benchmark[name].max_tokens or model.max_tokens or config.sampling.max_tokens
                made_by = model, config.engine, config.sampling, max_tokens
                if simulator:
                    digest, metas[name] = simulation_identity(*made_by, metas_of[name]["digest"], simulator)
                else:
                    digest, metas[name] = response_identity(*made_by, metas_of[name]["prompt_digest"])
                expected_tokens = min(model.length_factor * config.benchmark[name].expected_tokens, float(max_tokens))
                asked.append(BenchmarkTask(name, index[name], max_tokens, expected_tokens, digest))
        except (ModelError, OSError) as error:  # one model's checkpoint that cannot be read
            failures[model.name] = str(error)
            continue
        tasks[model.name] = CollectTask(
            root=layout.root, model=model, engine=config.engine, sampling=config.sampling, benchmarks=tuple(asked),
            metas=metas, provider=config.pool.providers[model.provider] if model.provider else None,
            simulator=simulator,
            n_repeats=options.n_repeats, max_attempts=options.max_attempts, retry_failed=options.retry_failed,
            checkpoint_s=options.checkpoint_s, shard_tokens=options.shard_tokens, load_s=options.load_s,
            drain_s=options.drain_s, full_disk_wait_s=options.full_disk_wait_s,
        )  # fmt: skip
    return tasks, failures


def setting_of(config: Config) -> Setting:
    """The setting with its names looked up in the store.

    Raises:
        StoreError: a pattern matches nothing, no model has all the benchmarks, a sample is larger than its benchmark.
        ConfigError: a list of indices is wrong.
    """
    required(config, "setting")
    required(config, "encoder")
    assert config.setting is not None
    assert config.encoder is not None
    layout, options = layout_of(config), config.setting
    benchmarks = match_names(options.benchmarks, layout.benchmarks(), "benchmark")
    everywhere = sorted({model for benchmark in benchmarks for model in layout.models(benchmark)})
    models = complete_models(layout, benchmarks)
    if options.models is not None:
        models = match_names(options.models, everywhere, "model")
    collected: tuple[str, ...] = ()
    if options.collected_routers:
        collected = match_names(options.collected_routers, everywhere, "model")
        models = tuple(model for model in models if model not in collected)
    if not models:
        raise StoreError(f"no model has all of the benchmarks {', '.join(benchmarks)}; name models or fewer benchmarks")
    groups = list(benchmarks) if options.left_out == ["each"] else options.left_out
    left_out = tuple(match_names([group], benchmarks, "benchmark") for group in groups)
    named = [name for group in left_out for name in group]
    if len(set(named)) < len(named) or (len(left_out) == 1 and len(named) == len(benchmarks)):
        raise ConfigError(
            f"setting.left_out={options.left_out}: a benchmark may stand in one group, and every group must leave "
            f"something to train on; the benchmarks are {', '.join(benchmarks)}"
        )
    return Setting(
        root=layout.root, name=_setting_name(options), benchmarks=benchmarks, models=models,
        selection=selection(config, layout, benchmarks), encoder=config.encoder.name,
        train_share=options.train_share, split_rule=options.split_rule, left_out=left_out,
        new_models=match_names(options.new_models, models, "model") if options.new_models else (),
        n_shots=options.n_shots, collected=collected,
    )  # fmt: skip


def _setting_name(options: SettingConfig) -> str:
    """The name in the store and of the report: what is left out is part of it, so that neither overwrites the other."""
    name = options.name
    if options.left_out:
        name += f"-without-{'+'.join(options.left_out)}"
    if options.new_models:
        name += f"-new-{'+'.join(options.new_models)}-after-{options.n_shots}"
    return name


def train_tasks(config: Config, setting: Setting) -> dict[str, TrainTask]:
    """Name -> what to train, for every chosen router."""
    assert config.setting is not None
    seeds = tuple(config.setting.seeds)
    return {
        name: TrainTask(setting=setting, name=name, router=entry.router or name, params=entry.params, seeds=seeds)
        for name, entry in config.router.items()
    }


def job_name(config: Config) -> str:
    """Of everything that is submitted to collect a pool: by it status, cancel and a second collect find it again."""
    assert config.pool is not None
    return f"routeyard-{config.pool.name}"


def run_folder(config: Config, step: str) -> Path:
    """A new folder for the pickles and logs of a submission, with the configuration that made it."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{step}-{uuid.uuid4().hex[:4]}"
    folder = layout_of(config).runs / name
    write_file(folder / "config.yaml", to_yaml(config).encode())
    return folder
