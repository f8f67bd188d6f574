"""How far a collection is, at any time and from any node.

python launch/status.py pool=small
"""

import sys

from configs.schema import Config
from launch.command import Command, default_engine, run

COMMAND = Command(
    name="status",
    summary="How far a collection is: answered, failed, running, missing, tokens/s, jobs with their nodes and logs.",
    details="Give it the same words as collect. It reads the store, the claims and SLURM's queue, and changes nothing.",
    sections=("store", "pool", "benchmark", "engine", "sampling", "simulator", "collect"),
    defaults={"engine": default_engine()},
)


def show_status(config: Config) -> int:
    """Print the tables; exit status 0 if everything is answered, 1 if something is missing."""
    from launch.passes import passes

    return max(_show(part) for part in passes(config))


def _show(config: Config) -> int:
    from jobs.executor import attach
    from jobs.progress import Watch
    from jobs.submissions import live_submissions
    from launch.command import required
    from launch.follow import console, print_failure
    from launch.planning import collect_tasks, job_name, layout_of
    from launch.progress_table import progress_table
    from store.errors import RouteyardError

    for group in ("pool", "benchmark"):
        required(config, group)
    layout = layout_of(config)
    known = layout.benchmarks()
    benchmarks = [name for name in config.benchmark if name in known]
    if not benchmarks:
        raise RouteyardError(f"{layout.root} has none of the benchmarks {', '.join(config.benchmark)}: not begun yet")
    tasks, lost = collect_tasks(config, benchmarks)
    state = Watch().read(tasks)
    statuses = []
    try:
        statuses = [attach(*one) for one in live_submissions(layout, job_name(config))]
    except RouteyardError as error:
        console.print(f"[yellow]{error}[/yellow]")
    console.print(progress_table(tasks, state, statuses))
    for task in statuses:
        console.print(f"{task.state} {task.name} ({task.job_id}): {task.log}", soft_wrap=True, highlight=False)
    for pairs in state.values():
        for pair in pairs.values():
            if pair.problem:
                console.print(f"[red]{pair.problem}[/red]", soft_wrap=True, highlight=False)
    for name, cause in lost.items():
        print_failure(f"model {name}: {cause}")
    not_begun = sorted(set(config.benchmark) - set(benchmarks))
    if not_begun:
        console.print(f"not begun: {', '.join(not_begun)}")
    is_complete = (
        not lost and not not_begun and not any(p.n_missing for pairs in state.values() for p in pairs.values())
    )
    return 0 if is_complete else 1


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, show_status, arguments)


if __name__ == "__main__":
    sys.exit(main())
