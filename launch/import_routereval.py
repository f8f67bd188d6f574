"""Import RouterEval's scores into the store and choose its candidate groups.

python launch/import_routereval.py routereval_data
python launch/import_routereval.py routereval_data routereval.sizes=[3,5,10] routereval.rule=published
"""

import sys

from configs.schema import Config
from launch.command import Command, run

COMMAND = Command(
    name="import_routereval",
    summary="Import RouterEval's scores of thousands of models, and choose its candidate groups.",
    details="The folder holds the publisher's leaderboard_score and leaderboard_prompt, unpacked. Each group becomes a "
    "setting of its own: setting=<store>/settings/<benchmark>-<group>-<size>.yaml.",
    sections=("store", "routereval"),
    path="folder",
)


def import_folder(config: Config, folder: str) -> int:
    """Import, choose groups, say what came in; gives back the exit status."""
    from pathlib import Path

    from jobs.routereval import make_groups
    from launch.follow import console, print_failure
    from launch.planning import layout_of
    from scoring.candidate_groups import SIZES
    from store.errors import StoreError
    from store.links import write_links
    from store.routereval_import import MatrixResult, import_routereval

    layout, sizes = layout_of(config), sorted(set(config.routereval.sizes))
    if not sizes or not set(sizes) <= set(SIZES):
        raise StoreError(f"routereval.sizes={sizes}: choose some of {', '.join(map(str, SIZES))}")

    def show(result: MatrixResult) -> None:
        if not result.message:
            state = "" if result.is_new else ", already there"
            console.print(f"{result.name}: {result.n_queries:,} queries, {result.n_models:,} models{state}")

    results = import_routereval(Path(folder).expanduser(), layout, show)
    failures = [result.message for result in results if result.message]
    if len(failures) == len(results):
        raise StoreError("; ".join(failures))
    n_groups = 0
    for result in results:
        if not result.message:
            try:
                n_groups += len(make_groups(layout, result.name, sizes, config.routereval.rule))
            except StoreError as error:
                failures.append(str(error))
    write_links(layout)
    for failure in failures:
        print_failure(failure)
    console.print(f"{n_groups} groups; settings in {layout.setting('x').parent}", soft_wrap=True, highlight=False)
    return 1 if failures else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, import_folder, arguments)


if __name__ == "__main__":
    sys.exit(main())
