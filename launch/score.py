"""Score the responses in the store.

python launch/score.py benchmarks=[math500,kandk]
python launch/score.py pool=demo score.rescore=[demo_sort]
python launch/score.py benchmarks=[simpleqa] max_cost=5 judges=[mine.yaml]
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from configs.schema import Config
from launch.command import Command, required, run
from store.errors import RouteyardError

if TYPE_CHECKING:
    from jobs.score import ScoreTask

_JUDGES = "judges"  # name of the task that asks them all

COMMAND = Command(
    name="score",
    summary="Score the responses in the store that have no up-to-date score.",
    details="Benchmarks: those named, or those of the pool. A response is never touched. Models that judge are\n"
    "asked over their APIs, by one task for all benchmarks; a reply that was paid for is kept and never paid again.",
    sections=("store", "data", "pool", "benchmark", "judge", "cluster", "score"),
    defaults={"cluster": "inline"},
)


def score_benchmarks(config: Config) -> int:
    """Score every chosen benchmark, one task each, and one for all that are judged; gives back the exit status."""
    from functools import partial

    from jobs.executor import follow, submit
    from jobs.judge import judge
    from jobs.score import needs_scoring, score
    from jobs.score_on_nodes import score_on_nodes
    from launch.follow import console, following, print_failure, print_failures
    from launch.planning import layout_of, run_folder, store_queries
    from scoring.benchmark import find
    from scoring.judged import JudgedBenchmark

    required(config, "benchmark")
    required(config, "cluster")
    assert config.cluster is not None
    cluster, n_nodes = config.cluster, config.score.nodes
    if n_nodes > 1 and cluster.executor != "slurm":
        raise RouteyardError(f"score.nodes={n_nodes} needs SLURM; choose a cluster with executor: slurm")
    lost = store_queries(config)  # a gold answer may have been corrected
    known = set(layout_of(config).benchmarks())
    for name, cause in lost.items():
        if name in known:
            console.print(f"{name}: scored by its queries in the store ({cause})", soft_wrap=True, markup=False)
        else:
            print_failure(f"{name}: {cause}")
    has_failed = not lost.keys() <= known
    tasks = [task for task in _tasks(config) if task.benchmark in known and needs_scoring(task)]
    if not tasks:
        console.print("score: every response has its score")
        return 1 if has_failed else 0
    judged = [task for task in tasks if isinstance(find(task.benchmark, **task.params), JudgedBenchmark)]
    folder = run_folder(config, "score")
    call = partial(score_on_nodes, folder=folder) if n_nodes > 1 else score
    calls: dict[str, Callable[[], Any]] = {task.benchmark: partial(call, task) for task in tasks if task not in judged}
    with following("score") as show:
        submitted = submit(cluster, folder, "routeyard-score", calls, nodes_per_task=n_nodes) if calls else []
        if judged:
            asks = {_JUDGES: partial(judge, judged, max_cost_usd=config.score.max_cost_usd)}
            submitted += submit(cluster, folder, "routeyard-score", asks)
        statuses = follow(cluster, submitted, show)
    results = {status.name: status.result for status in statuses if status.state == "done"}
    summary = results.pop(_JUDGES, None)
    n_scored = sum(sum(result.values()) for result in results.values()) + (summary.n_judged if summary else 0)
    console.print(f"score: {n_scored} responses of {len(tasks)} benchmarks judged")
    has_failed |= print_failures(statuses)
    if summary:
        console.print(f"score: judges' replies for {summary.cost_usd:.4f} USD, {summary.spent_usd:.4f} of it paid now")
        for name, cause in summary.problems.items():
            print_failure(f"{name}: {cause}")
            has_failed = True
    return 1 if has_failed else 0


def _tasks(config: Config) -> "list[ScoreTask]":
    from jobs.score import ScoreTask
    from launch.planning import layout_of

    layout = layout_of(config)
    return [
        ScoreTask(
            root=layout.root, benchmark=name, params=benchmark.params, models=tuple(layout.models(name)),
            profile=config.score.profile, again=name in config.score.rescore,
            judges=tuple(config.judge[judge] for judge in benchmark.judges),
            n_processes=config.score.processes, n_nodes=config.score.nodes,
        )
        for name, benchmark in config.benchmark.items()
    ]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, score_benchmarks, arguments)


if __name__ == "__main__":
    sys.exit(main())
