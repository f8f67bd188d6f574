"""What would be submitted: batches of workers, one job array each, and the plan in words (`dry_run=true`)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from configs.schema import Config
from jobs.cluster import ClusterSpec
from jobs.executor import sbatch_script
from jobs.progress import Progress, expected_s
from jobs.schedule import plan_workers
from jobs.task import CollectTask
from launch.follow import console
from launch.planning import job_name, layout_of

State = dict[str, dict[str, Progress]]  # model -> benchmark -> how far


@dataclass(frozen=True, slots=True)
class Batch:
    """Workers of the same shape, submitted together.

    Attributes:
        workers: task names in array order: the model, `#2` and so on behind a further worker's.
        models: the models these workers may serve.
        n_gpus: of each node of a worker.
        n_nodes: of a worker.
        is_api: one worker that asks all its models' APIs.
    """

    workers: tuple[str, ...]
    models: tuple[str, ...]
    n_gpus: int = 0
    n_nodes: int = 1
    is_api: bool = False


def plan(tasks: dict[str, CollectTask], state: State, cluster: ClusterSpec, at_work: Sequence[str] = ()) -> list[Batch]:
    """Batches for the tasks with something missing.

    Args:
        at_work: the model of each worker that was submitted before and still lives; it needs no second one.
    """
    shapes = sorted({_shape(task) for task in tasks.values()})
    batches = []
    workers: tuple[str, ...]
    for is_api, n_nodes, n_gpus in shapes:
        group = {name: task for name, task in tasks.items() if _shape(task) == (is_api, n_nodes, n_gpus)}
        if is_api:
            workers = () if "api" in at_work else ("api",)
        else:
            workers = _workers(group, state, cluster, Counter(at_work))
        if workers:
            batches.append(Batch(workers, tuple(group), n_gpus, n_nodes, is_api))
    return batches


def _shape(task: CollectTask) -> tuple[bool, int, int]:
    if task.provider is not None:
        return True, 1, 0
    return False, task.model.nodes, task.model.tensor_parallel_size


def _workers(
    tasks: dict[str, CollectTask], state: State, cluster: ClusterSpec, at_work: Counter[str]
) -> tuple[str, ...]:
    seconds = {name: model_s(task, state[name]) for name, task in tasks.items()}
    load_s = next(iter(tasks.values())).load_s
    if cluster.workers_per_model is None:
        models = plan_workers(seconds, cluster.max_parallel, load_s)
    else:
        models = [name for _ in range(cluster.workers_per_model) for name in sorted(seconds, key=lambda m: -seconds[m])]
    number: Counter[str] = Counter()
    names = []
    for model in models:
        number[model] += 1
        if number[model] > at_work[model]:
            names.append(model if number[model] == 1 else f"{model} #{number[model]}")
    return tuple(names)


def model_of(worker: str) -> str:
    """The model in a worker's name."""
    return worker.rpartition(" #")[0] or worker


def model_s(task: CollectTask, pairs: dict[str, Progress]) -> float:
    """Seconds one worker needs for all that a model has missing."""
    return expected_s(task, list(pairs.values()), sum(pair.tokens_expected for pair in pairs.values()))


def print_plan(
    config: Config, tasks: dict[str, CollectTask], state: State, batches: list[Batch], lost: dict[str, str]
) -> None:
    """Per model what is missing and what it will take; then the sbatch scripts to the letter."""
    assert config.cluster is not None
    assert config.pool is not None
    table = Table(box=None, pad_edge=False, title=f"plan: pool {config.pool.name}, cluster {config.cluster.name}",
                  title_justify="left")  # fmt: skip
    for title in ("model", "missing", "of", "expected tokens", "GPU-hours", "USD", "workers"):
        table.add_column(title, justify="left" if title == "model" else "right", no_wrap=title != "model")
    workers = Counter(model_of(worker) for batch in batches for worker in batch.workers)
    totals = [0, 0, 0.0, 0.0, 0.0]
    for name, task in tasks.items():
        pairs = list(state[name].values())
        tokens = sum(pair.tokens_expected for pair in pairs)
        n_gpus = 0 if task.provider else task.model.tensor_parallel_size * task.model.nodes
        hours = n_gpus * (model_s(task, state[name]) + workers[name] * task.load_s * bool(tokens)) / 3600
        price = task.model.price_completion_usd
        usd = tokens * price / 1e6 if task.provider and price is not None else 0.0
        row = [sum(pair.n_missing for pair in pairs), sum(pair.n_expected for pair in pairs), tokens, hours, usd]
        totals = [a + b for a, b in zip(totals, row, strict=True)]
        table.add_row(name, *_cells(row), "api" if task.provider else str(workers[name]))
    table.add_section()
    table.add_row("all", *_cells(totals), str(sum(len(batch.workers) for batch in batches)))
    console.print(table)
    console.print(
        "Expected, not measured: tokens by the mean of the answers in the store, else benchmark.….expected_tokens; "
        "hours by tokens_per_s of the pool, loading included; USD of completion tokens only."
    )
    for batch in batches:
        what = "one job that asks the APIs" if batch.is_api else f"an array of {len(batch.workers)}"
        n_workers = Counter(model_of(worker) for worker in batch.workers)
        words = ", ".join(f"{model} × {number}" if number > 1 else model for model, number in n_workers.items())
        console.print(f"\n{what}: {words}", soft_wrap=True, highlight=False)
        if config.cluster.executor == "slurm":
            folder = layout_of(config).runs / "RUN"  # named when it is submitted
            script = sbatch_script(config.cluster, folder, job_name(config), len(batch.workers),
                                   batch.n_gpus, batch.n_nodes)  # fmt: skip
            console.print(script, soft_wrap=True, highlight=False, markup=False)
    for what, cause in lost.items():
        console.print(f"[red]cannot be collected[/red] {what}: {cause}", soft_wrap=True, highlight=False)


def _cells(row: list[float]) -> list[str]:
    missing, expected, tokens, hours, usd = row
    return [f"{missing:,}", f"{expected:,}", f"{tokens:,.0f}", f"{hours:,.1f}", f"{usd:,.2f}" if usd else ""]
