"""Score the responses in the store.

python launch/score.py benchmarks=[math500,kandk]
python launch/score.py pool=demo score.rescore=[demo_sort]
"""

import sys

from configs.schema import Config
from launch.command import Command, required, run
from store.errors import RouteyardError

COMMAND = Command(
    name="score",
    summary="Score the responses in the store that have no up-to-date score.",
    details="Benchmarks: those named, or those of the pool. A response is never touched.",
    sections=("store", "data", "pool", "benchmark", "cluster", "score"),
    defaults={"cluster": "inline"},
)


def score_benchmarks(config: Config) -> int:
    """Score every chosen benchmark, one task each; gives back the exit status."""
    from functools import partial

    from jobs.executor import follow, submit
    from jobs.score import ScoreTask, needs_scoring, score
    from jobs.score_on_nodes import score_on_nodes
    from launch.follow import console, following, print_failures
    from launch.planning import layout_of, run_folder, store_queries

    required(config, "benchmark")
    required(config, "cluster")
    assert config.cluster is not None
    n_nodes = config.score.nodes
    if n_nodes > 1 and config.cluster.executor != "slurm":
        raise RouteyardError(f"score.nodes={n_nodes} needs SLURM; choose a cluster with executor: slurm")
    layout = layout_of(config)
    store_queries(config)  # a gold answer may have been corrected
    tasks = [
        ScoreTask(
            root=layout.root, benchmark=name, params=benchmark.params, models=tuple(layout.models(name)),
            profile=config.score.profile, again=name in config.score.rescore,
            n_processes=config.score.processes, n_nodes=n_nodes,
        )
        for name, benchmark in config.benchmark.items()
    ]  # fmt: skip
    tasks = [task for task in tasks if needs_scoring(task)]
    if not tasks:
        console.print("score: every response has its score")
        return 0
    folder = run_folder(config, "score")
    call = partial(score_on_nodes, folder=folder) if n_nodes > 1 else score
    calls = {task.benchmark: partial(call, task) for task in tasks}
    with following("score") as show:
        submitted = submit(config.cluster, folder, "routeyard-score", calls, nodes_per_task=n_nodes)
        statuses = follow(config.cluster, submitted, show)
    n_judged = sum(sum(status.result.values()) for status in statuses if status.state == "done")
    console.print(f"score: {n_judged} responses of {len(calls)} benchmarks judged")
    return 1 if print_failures(statuses) else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, score_benchmarks, arguments)


if __name__ == "__main__":
    sys.exit(main())
