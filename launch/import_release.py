"""Import a published release (LLMRouterBench layout) into the store.

python launch/import_release.py bench-release.tar.gz store.root=results/store
"""

import sys

from configs.schema import Config
from launch.command import Command, run

COMMAND = Command(
    name="import_release",
    summary="Import a published release, a folder or a .tar.gz, into the store.",
    details="<dataset>/<split>/<model>/<run>-<YYYYmmdd_HHMMSS>.json; of several runs of a model the newest counts.",
    sections=("store", "release"),
    path="path",
)


def import_path(config: Config, path: str) -> int:
    """Import and say what came in; gives back the exit status."""
    from pathlib import Path

    from launch.follow import console
    from launch.import_summary import print_summary
    from launch.planning import layout_of
    from store.errors import StoreError
    from store.links import write_links
    from store.release_import import RunResult, import_release

    n_done = 0
    with console.status("importing") as status:

        def show(result: RunResult) -> None:
            nonlocal n_done
            n_done += 1
            status.update(f"importing: {n_done} files, last {result.source}")

        report = import_release(Path(path), layout_of(config), n_processes=config.release.n_processes, on_result=show)
    write_links(layout_of(config))
    print_summary(report)
    if report.broken:
        raise StoreError(report.broken)
    return 1 if report.count("failed") else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, import_path, arguments)


if __name__ == "__main__":
    sys.exit(main())
