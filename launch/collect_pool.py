"""Plan what a pool's models still have to answer, submit one worker or more per model, follow, seal, report."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rich.table import Table

from configs.schema import Config
from jobs.attempt import current_attempt
from jobs.collect import CollectTask, collect, open_shards
from jobs.executor import TaskStatus, run_tasks
from jobs.liveness import Liveness
from jobs.plan import remove_leftovers
from launch.command import required
from launch.follow import console, following, print_failures
from launch.planning import collect_task, layout_of, run_folder, store_queries
from store.errors import StoreError
from store.layout import Layout
from store.links import write_links
from store.responses import missing_keys, read_columns
from store.seal import seal


def collect_pool(config: Config) -> int:
    """Plan, submit, follow, seal; gives back the exit status."""
    for group in ("pool", "benchmark", "cluster"):
        required(config, group)
    assert config.pool is not None
    assert config.cluster is not None
    lost_benchmarks = store_queries(config)
    benchmarks = [name for name in config.benchmark if name not in lost_benchmarks]
    tasks = {model.name: collect_task(config, model, benchmarks) for model in config.pool.models}
    calls: dict[str, Callable[[], Any]] = {}
    liveness = Liveness()
    for name, task in tasks.items():
        remove_leftovers(layout_of(config), name, benchmarks, liveness)
        n_workers = min(config.cluster.workers_per_model, len(open_shards(task)))
        calls |= {_task_name(name, worker, n_workers): partial(collect, task) for worker in range(n_workers)}
    statuses: list[TaskStatus] = []
    if calls:
        folder = run_folder(config, "collect")
        gpus = max(model.tensor_parallel_size for model in config.pool.models)
        with following("collect", lambda status: _progress(tasks[_model_name(status.name)])) as show:
            statuses = run_tasks(
                config.cluster, folder, f"routeyard-{config.pool.name}", calls, gpus_per_task=gpus, on_poll=show
            )
    else:
        console.print(f"collect: every response of pool {config.pool.name} is in the store")
    return _close(tasks, statuses, lost_benchmarks)


def _close(tasks: dict[str, CollectTask], statuses: list[TaskStatus], lost_benchmarks: dict[str, str]) -> int:
    """Seal what is complete, print what is there, what is missing and why."""
    table = Table(box=None, pad_edge=False)
    for title in ("model", "benchmark", "answered", "failed", "missing"):
        table.add_column(title, justify="left" if title in ("model", "benchmark") else "right")
    n_missing = 0
    for name, task in tasks.items():
        layout = Layout(task.root)
        for benchmark in task.benchmarks:
            failed = read_columns(layout, benchmark.name, name, [], damaged=[])["failed"]
            gaps = len(
                missing_keys(layout, benchmark.name, name, benchmark.index, n_repeats=task.n_repeats, damaged=[])
            )
            n_missing += gaps
            if not gaps and not any(status.state == "running" for status in statuses):
                _seal(layout, benchmark.name, name)
            n_failed = int(failed.sum())
            table.add_row(
                name, benchmark.name, str(len(failed) - n_failed),
                f"[yellow]{n_failed}[/yellow]" if n_failed else "0", f"[red]{gaps}[/red]" if gaps else "0",
            )  # fmt: skip
    if statuses or n_missing:
        console.print(table)
    liveness = Liveness()
    for name, task in tasks.items():
        remove_leftovers(Layout(task.root), name, [benchmark.name for benchmark in task.benchmarks], liveness)
    if tasks:
        write_links(Layout(next(iter(tasks.values())).root))
    any_failed = print_failures(statuses)
    for benchmark_name, cause in lost_benchmarks.items():
        console.print(f"[red]failed[/red] benchmark {benchmark_name}: {cause}", soft_wrap=True, highlight=False)
    if n_missing and not any_failed:
        console.print(f"{n_missing} responses are missing; type the same command again to go on")
    return 1 if n_missing or any_failed or lost_benchmarks else 0


def _seal(layout: Layout, benchmark: str, model: str) -> None:
    try:
        seal(layout, benchmark, model, current_attempt().writer)
    except StoreError as error:  # a damaged part is reported; its pair simply stays unsealed
        console.print(f"[yellow]not sealed[/yellow] {error}", soft_wrap=True, highlight=False)


def _progress(task: CollectTask) -> str:
    missing = sum(len(shard.keys) for shard in open_shards(task))
    expected = sum(len(benchmark.index) for benchmark in task.benchmarks) * task.n_repeats
    return f"{expected - missing} of {expected} stored"


def _task_name(model: str, worker: int, n_workers: int) -> str:
    return model if n_workers == 1 else f"{model} #{worker + 1}"


def _model_name(task_name: str) -> str:
    return task_name.rpartition(" #")[0] or task_name
