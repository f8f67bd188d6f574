"""Import results that the tau2 package has made elsewhere.

python launch/import_tau2.py simulations/airline_gpt-5.json tau2.model=gpt-5
"""

import sys

from configs.schema import Config
from launch.command import Command, run

COMMAND = Command(
    name="import_tau2",
    summary="Import results of τ²-Bench that the tau2 package has saved, a file or a folder of files, into the store.",
    details=(
        "With pool=… the agent has the name and the prices of its model there. Of a folder, the files with a list of\n"
        "simulations count. Afterwards: launch/score.py benchmarks=[tau2]"
    ),
    sections=("store", "data", "pool", "benchmark", "tau2"),
    defaults={"benchmarks": ["tau2"]},
    path="path",
)


def import_path(config: Config, path: str) -> int:
    """Import and say what came in; gives back the exit status."""
    from pathlib import Path

    from jobs.import_tau2 import import_results
    from launch.follow import console
    from launch.planning import layout_of, store_queries
    from scoring.benchmark import BenchmarkError
    from store.errors import StoreError

    if failures := store_queries(config):
        raise BenchmarkError("; ".join(failures.values()))
    place = Path(path).expanduser()
    files = [place]
    if place.is_dir():
        files = sorted(one for one in place.rglob("*.json") if b'"simulations"' in one.read_bytes())
    if not files:
        raise StoreError(f"{place}: no file in it has simulations; expected what `tau2 run` has saved")
    models, n_failed = config.pool.models if config.pool else [], 0
    for file in files:
        try:
            brought = import_results(layout_of(config), file, models, config.tau2.model)
        except StoreError as error:
            if len(files) == 1:
                raise
            n_failed += 1
            console.print(f"[red]failed[/red] {error}", soft_wrap=True, highlight=False)
            continue
        console.print(f"{file}: {brought.model}, {brought.n_new} conversations imported, {brought.n_there} there "
                      f"already, mean reward {brought.mean_reward:.3f}", soft_wrap=True, highlight=False)  # fmt: skip
    return 1 if n_failed else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, import_path, arguments)


if __name__ == "__main__":
    sys.exit(main())
