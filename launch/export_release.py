"""Export the store, or some of its benchmarks, to the layout of a published release.

python launch/export_release.py exported store.root=results/store
"""

import sys

from configs.schema import Config
from launch.command import Command, run

COMMAND = Command(
    name="export_release",
    summary="Export scored responses as <folder>/results/bench/<dataset>/<split>/<model>/<run>.json.",
    details="Benchmarks: those named, or all in the store.",
    sections=("store", "benchmark"),
    path="folder",
)


def export_folder(config: Config, folder: str) -> int:
    """Export every pair that has scores; gives back the exit status."""
    from pathlib import Path

    from launch.follow import console, print_failure
    from launch.planning import layout_of
    from store.errors import StoreError
    from store.release_export import export_pair

    layout, n_written, failures = layout_of(config), 0, []
    for benchmark in list(config.benchmark) or layout.benchmarks():
        for model in layout.models(benchmark):
            try:
                export_pair(layout, benchmark, model, Path(folder))
                n_written += 1
            except StoreError as error:
                failures.append(str(error))
    for failure in failures:
        print_failure(failure)
    console.print(f"{n_written} runs written to {Path(folder) / 'results' / 'bench'}", soft_wrap=True, highlight=False)
    return 1 if failures else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, export_folder, arguments)


if __name__ == "__main__":
    sys.exit(main())
