"""RouterEval's Tables 1 to 3 of the routers that were trained on its candidate groups, and its scaling curve.

python launch/routereval_tables.py
python launch/routereval_tables.py router=[prknn,linear_r,mlc_minilm] routereval.rule=published
"""

import sys

from configs.schema import Config
from launch.command import Command, run

COMMAND = Command(
    name="routereval_tables",
    summary="Tables in RouterEval's layout of the routers that were trained on its candidate groups.",
    details="Oracle, r_o(0.5) and Random, which are exact, stand in them without training.",
    sections=("store", "router", "routereval", "report"),
    defaults={"router": ["linear_r", "mlp_r", "cluster_best", "prknn"]},
)
_CANDIDATES = (1, 2, 3, 5, 10, 30, 100, 300, 1000, 3000)
_P = (0.0, 0.25, 0.5, 0.75, 1.0)


def write_tables(config: Config) -> int:
    """Write the tables and print the narrow ones; gives back the exit status."""
    from pathlib import Path

    from jobs.routereval import group_figures
    from launch.follow import console
    from launch.planning import layout_of
    from scoring.routereval import DATASETS, Figures
    from scoring.routereval_tables import Cell, scaling_files, table_files
    from scoring.scaling import scaling_curve
    from store.atomic import write_file
    from store.errors import StoreError
    from store.score_matrix import read_score_matrix

    layout, rule = layout_of(config), config.routereval.rule
    benchmarks = [name for name in DATASETS if layout.score_matrix(name).exists()]
    cells: dict[Cell, Figures] = {}
    curves, sizes = {}, {}
    for benchmark in benchmarks:
        cells |= group_figures(layout, benchmark, rule, tuple(config.router))
        matrix = read_score_matrix(layout, benchmark)
        sizes[benchmark] = [size for size in _CANDIDATES if size <= len(matrix.models)]
        curves[benchmark] = scaling_curve(matrix, sizes[benchmark], _P)
    if not cells:
        raise StoreError(f"{layout.root} has no candidate groups by rule {rule}; run launch/import_routereval.py first")
    folder = Path(config.report.folder).expanduser().absolute() / (
        "routereval" if rule == "train" else f"routereval-{rule}"
    )
    files = table_files(cells) | scaling_files(curves, sizes, list(_P))
    for name, content in files.items():
        write_file(folder / name, content)
    for name in config.router:
        n_there = sum(cell.router == name for cell in cells)
        n_groups = sum(cell.router == "Oracle" for cell in cells)
        console.print(f"{name}: trained on {n_there} of {n_groups} groups", highlight=False)
    console.print(f"{len(files)} files: {folder}", soft_wrap=True, highlight=False)
    return 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, write_tables, arguments)


if __name__ == "__main__":
    sys.exit(main())
