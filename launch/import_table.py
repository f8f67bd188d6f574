"""Import tables of per-query results (Parquet or CSV) into the store.

python launch/import_table.py results_of_others store.root=results/store
"""

import sys

from configs.schema import Config
from launch.command import Command, run

COMMAND = Command(
    name="import_table",
    summary="Import tables of per-query results, a folder of Parquet or CSV files, into the store.",
    details="<benchmark>/queries.parquet: index, query; <benchmark>/results.parquet: model, index, score, and where "
    "known cost (USD), prompt_tokens, completion_tokens, latency_s, raw_output, prediction, error, repeat.",
    sections=("store",),
    path="path",
)


def import_path(config: Config, path: str) -> int:
    """Import and say what came in; gives back the exit status."""
    from pathlib import Path

    from rich.markup import escape

    from launch.follow import console
    from launch.planning import layout_of
    from store.links import write_links
    from store.table_import import TableResult, import_tables

    def show(result: TableResult) -> None:
        words = f"{result.benchmark}: {result.n_queries:,} queries, {result.n_models} models ({result.n_new} new), " \
                f"{result.n_results:,} results"  # fmt: skip
        if result.failed:
            words = f"[red]failed[/red] {escape(result.message)}"
        console.print(words, soft_wrap=True, highlight=False)

    results = import_tables(Path(path).expanduser(), layout_of(config), show)
    write_links(layout_of(config))
    return 1 if any(result.failed for result in results) else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, import_path, arguments)


if __name__ == "__main__":
    sys.exit(main())
