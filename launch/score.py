"""Score the responses in the store.

python launch/score.py benchmarks=[math500,kandk]
python launch/score.py pool=demo score.rescore=[demo_sort]
"""

import sys

from configs.schema import Config
from launch.command import Command, required, run

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
    from pathlib import Path

    from jobs.executor import run_tasks
    from jobs.score import ScoreTask, needs_scoring, score
    from launch.follow import console, following, print_failures
    from launch.planning import layout_of, run_folder, store_queries

    required(config, "benchmark")
    required(config, "cluster")
    assert config.cluster is not None
    layout, calls = layout_of(config), {}
    store_queries(config)  # a gold answer may have been corrected
    for name, benchmark in config.benchmark.items():
        task = ScoreTask(
            root=layout.root, benchmark=name, params=benchmark.params, models=tuple(layout.models(name)),
            profile=config.score.profile, again=name in config.score.rescore,
        )  # fmt: skip
        if needs_scoring(task):
            calls[name] = partial(score, task)
    if not calls:
        console.print("score: every response has its score")
        return 0
    folder: Path = run_folder(config, "score")
    with following("score") as show:
        statuses = run_tasks(config.cluster, folder, "routeyard-score", calls, on_poll=show)
    n_judged = sum(sum(status.result.values()) for status in statuses if status.state == "done")
    console.print(f"score: {n_judged} responses of {len(calls)} benchmarks judged")
    return 1 if print_failures(statuses) else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, score_benchmarks, arguments)


if __name__ == "__main__":
    sys.exit(main())
