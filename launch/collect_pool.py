"""Plan what a pool's models still have to answer, submit workers, follow, retry bad nodes, seal, report."""

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from configs.schema import Config
from jobs.attempt import current_attempt
from jobs.bad_nodes import bad_nodes
from jobs.cluster import ClusterSpec
from jobs.collect import collect
from jobs.executor import SubmissionError, TaskStatus, attach, follow, submit
from jobs.liveness import Liveness
from jobs.plan import remove_claims, remove_leftovers
from jobs.progress import Progress, Watch
from jobs.submissions import live_submissions
from jobs.task import CollectTask
from launch.collect_plan import Batch, model_of, plan, print_plan
from launch.command import required
from launch.follow import console, print_failure, print_failures
from launch.planning import collect_tasks, job_name, layout_of, run_folder, store_queries
from launch.progress_table import following_progress, progress_table
from store.errors import StoreError
from store.layout import Layout
from store.links import write_links
from store.seal import seal


def collect_pool(config: Config) -> int:
    """Plan, submit, follow, seal; gives back the exit status."""
    for group in ("pool", "benchmark", "cluster"):
        required(config, group)
    assert config.pool is not None
    assert config.cluster is not None
    layout, watch = layout_of(config), Watch()
    lost = {f"benchmark {name}": cause for name, cause in store_queries(config).items()}
    benchmarks = [name for name in config.benchmark if f"benchmark {name}" not in lost]
    tasks, lost_models = collect_tasks(config, benchmarks)
    lost |= {f"model {name}": cause for name, cause in lost_models.items()}
    state = watch.read(tasks)
    for name, task in tasks.items():
        if task.model.nodes > 1 and config.cluster.executor != "slurm":
            lost[f"model {name}"] = f"it needs {task.model.nodes} nodes; choose a cluster with executor: slurm"
    for name, pairs in state.items():
        if problems := [pair.problem for pair in pairs.values() if pair.problem and not pair.n_answered]:
            lost[f"model {name}"] = problems[0]
    open_tasks = {name: task for name, task in tasks.items() if f"model {name}" not in lost and _missing(state[name])}
    live = [attach(*one) for one in live_submissions(layout, job_name(config))] if open_tasks else []
    batches = plan(open_tasks, state, config.cluster, [model_of(task.name) for task in live])
    if config.collect.dry_run:
        print_plan(config, tasks, state, batches, lost)
        return 1 if lost else 0
    statuses: list[TaskStatus] = []
    if batches or live:
        _remove_leftovers(tasks)
        statuses = _run(config, tasks, batches, live, watch)
    elif not lost:
        console.print(f"collect: every response of pool {config.pool.name} is in the store")
    return _close(tasks, statuses, lost, watch)


def _run(
    config: Config, tasks: dict[str, CollectTask], batches: list[Batch], live: list[TaskStatus], watch: Watch
) -> list[TaskStatus]:
    """Submit the batches and follow them, together with what was submitted before and still runs."""
    assert config.cluster is not None
    cluster, layout, folder = config.cluster, layout_of(config), run_folder(config, "collect")
    if live:
        console.print(f"collect: following {len(live)} workers that are at work already")
    batch_of, retried = {name: batch for batch in batches for name in batch.workers}, set[str]()

    def start(batch: Batch, calls: dict[str, Callable[[], Any]]) -> list[TaskStatus]:
        return submit(
            _without(cluster, bad_nodes(layout)), folder, job_name(config), calls,
            gpus_per_task=batch.n_gpus, nodes_per_task=batch.n_nodes,
        )  # fmt: skip

    statuses = list(live)
    for batch in batches:
        statuses += start(batch, {name: _call(config, tasks, batch, name, folder) for name in batch.workers})

    def retry_elsewhere(current: list[TaskStatus]) -> None:
        """A worker whose node has just been noted as bad is submitted once more, without that node."""
        for task in list(current):
            if task.state != "failed" or task.call is None or task.name in retried:
                continue
            node = next((name for name, causes in bad_nodes(layout).items() if task.cause in causes.values()), None)
            if node is None:
                continue
            retried.add(task.name)
            try:
                current += start(batch_of[task.name], {task.name: task.call})
            except SubmissionError as error:
                task.cause += f" (no other node: {error})"
                continue
            task.state = "retried"
            console.print(f"[yellow]node {node}[/yellow]: {task.cause}; {task.name} is tried on another one",
                          soft_wrap=True, highlight=False)  # fmt: skip

    try:
        with following_progress(tasks, watch) as show:

            def on_poll(current: list[TaskStatus]) -> None:
                retry_elsewhere(current)
                show(current)

            return follow(cluster, statuses, on_poll)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_to_come_back(statuses)) from None


def _call(config: Config, tasks: dict[str, CollectTask], batch: Batch, worker: str, folder: Path) -> Callable[[], Any]:
    group = tuple(tasks[name] for name in batch.models)
    if batch.is_api:
        from jobs.collect_api import collect_api

        return partial(collect_api, group, max_cost_usd=config.collect.max_cost_usd)
    if batch.n_nodes > 1:
        from jobs.collect_on_nodes import collect_on_nodes

        return partial(collect_on_nodes, tasks[model_of(worker)], folder)
    return partial(collect, group, model_of(worker))


def _without(cluster: ClusterSpec, nodes: Collection[str]) -> ClusterSpec:
    """The cluster without some of its nodes."""
    if not nodes or cluster.executor != "slurm":
        return cluster
    exclude = ",".join(filter(None, [cluster.slurm.get("exclude"), *nodes]))
    return replace(cluster, slurm={**cluster.slurm, "exclude": exclude})


def _how_to_come_back(statuses: list[TaskStatus]) -> str:
    """For `launch.command`, which knows the words that were typed."""
    n_open = sum(task.is_open and bool(task.job_id) for task in statuses)
    n_waiting = sum(task.is_open and not task.job_id for task in statuses)
    return (
        f"detached: {n_open} workers go on{f', {n_waiting} were not started' if n_waiting else ''}\n"
        f"  how far they are:    python launch/status.py {{words}}\n"
        f"  follow them again:   the same command\n"
        f"  end them:            python launch/cancel.py {{words}}"
    )


def _close(tasks: dict[str, CollectTask], statuses: list[TaskStatus], lost: dict[str, str], watch: Watch) -> int:
    """Seal what is complete, print what is there, what is missing and why."""
    state = watch.read(tasks)
    for name, task in tasks.items():
        for benchmark in task.benchmarks:
            pair = state[name][benchmark.name]
            if not pair.n_missing and not pair.problem:
                _seal(Layout(task.root), benchmark.name, name)
                remove_claims(Layout(task.root), name, benchmark.name)
    n_missing = sum(_missing(pairs) for pairs in state.values())
    if statuses or n_missing:
        console.print(progress_table(tasks, state, []))
    _remove_leftovers(tasks)
    if tasks:
        write_links(Layout(next(iter(tasks.values())).root))
    any_failed = print_failures(statuses)
    for what, cause in lost.items():
        print_failure(f"{what}: {cause}")
    if n_missing and not any_failed:
        console.print(f"{n_missing} responses are missing; type the same command again to go on")
    return 1 if n_missing or any_failed or lost else 0


def _seal(layout: Layout, benchmark: str, model: str) -> None:
    try:
        seal(layout, benchmark, model, current_attempt().writer)
    except StoreError as error:  # a damaged part is reported; its pair simply stays unsealed
        console.print(f"[yellow]not sealed[/yellow] {error}", soft_wrap=True, highlight=False)


def _remove_leftovers(tasks: dict[str, CollectTask]) -> None:
    liveness = Liveness()
    for name, task in tasks.items():
        remove_leftovers(Layout(task.root), name, [benchmark.name for benchmark in task.benchmarks], liveness)


def _missing(pairs: dict[str, Progress]) -> int:
    return sum(pair.n_missing for pair in pairs.values())
