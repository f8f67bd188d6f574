"""Tables 1 to 3 of RouterEval, and the scaling curve, as text and as records (arXiv 2503.10657)."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scoring.candidate_groups import GROUPS
from scoring.metrics import Floats
from scoring.record_files import record_files
from scoring.routereval import DATASETS, REFERENCE_P, Figures
from scoring.table_formats import UNKNOWN, Column, Table, text_files

METRICS = ("mu_o", "V_R", "V_B", "E_p")  # in the order of `Figures`
_IN_TABLE_1 = 8  # the first eight datasets; the others are Table 2


class Cell(NamedTuple):
    """Whose figures they are: number of candidates, router, benchmark, candidate group."""

    size: int
    router: str
    benchmark: str
    group: str


def table_files(cells: Mapping[Cell, Figures]) -> dict[str, bytes]:
    """File name -> content of Tables 1 to 3 as text, and as records with the columns of the published ones.

    Table 3 has E_p of every group and, unlike the paper's, of every benchmark that is there, not of MMLU alone.
    """
    names = [name for name in DATASETS if any(cell.benchmark == name for cell in cells)]
    order = list(DATASETS)
    first = [name for name in names if order.index(name) < _IN_TABLE_1]
    tables = [("routereval_table1", first), ("routereval_table2", [name for name in names if name not in first])]
    files: dict[str, bytes] = {}
    for name, benchmarks in tables:
        if benchmarks:
            files |= _files(metric_table(name, cells, benchmarks), _metric_rows(cells, benchmarks))
    rows = [
        {"m": size, "router": router, "dataset": DATASETS[benchmark][0], "candidate_group": group, "metric": "E_p",
         "value": found.e_p}
        for size, router in _row_keys(cells)
        for benchmark in names
        for group in GROUPS
        if (found := cells.get(Cell(size, router, benchmark, group)))
    ]  # fmt: skip
    return files | _files(entropy_table(cells, names), rows)


def metric_table(name: str, cells: Mapping[Cell, Figures], benchmarks: list[str]) -> Table:
    """Table 1 or 2: a row per pool size and router, four columns per benchmark, means over the three groups."""
    keys = _row_keys(cells)
    means = [[mean_over_groups(cells, size, router, benchmark) for size, router in keys] for benchmark in benchmarks]
    columns = [
        Column(f"{DATASETS[benchmark][0]} {metric}", tuple(_decimals(row and row[i]) for row in column))
        for benchmark, column in zip(benchmarks, means, strict=True)
        for i, metric in enumerate(METRICS)
    ]
    caption = f"Means over {', '.join(GROUPS)} candidates, on test. V_B: over the best candidate in hindsight."
    return _table(name, "RouterEval's metrics", caption, keys, columns)


def entropy_table(cells: Mapping[Cell, Figures], benchmarks: list[str]) -> Table:
    """Table 3: E_p of each candidate group."""
    keys = _row_keys(cells)
    columns = [
        Column(
            f"{DATASETS[benchmark][0]} {group}",
            tuple(
                _decimals((found := cells.get(Cell(size, router, benchmark, group))) and found.e_p)
                for size, router in keys
            ),
        )
        for benchmark in benchmarks
        for group in GROUPS
    ]
    caption = "E_p in bits per candidate group: how evenly a router's probability is spread over its candidates."
    return _table("routereval_table3", "RouterEval's classification bias", caption, keys, columns)


def mean_over_groups(cells: Mapping[Cell, Figures], size: int, router: str, benchmark: str) -> Figures | None:
    """Mean of each metric over the three groups, so V_B is a mean of ratios; None unless all three are there."""
    found = [cells.get(Cell(size, router, benchmark, group)) for group in GROUPS]
    known = [row for row in found if row is not None]
    return Figures(*np.mean(known, axis=0).tolist()) if len(known) == len(GROUPS) else None


def scaling_files(curves: Mapping[str, Floats], sizes: Mapping[str, list[int]], p: list[float]) -> dict[str, bytes]:
    """File name -> content of the expected mu_o of r_o(p) by number of candidates.

    Args:
        curves: benchmark -> `scoring.scaling.scaling_curve`, [n_sizes, n_p]. sizes: benchmark -> numbers of candidates.
    """
    rows = [
        {"dataset": DATASETS[name][0], "m": m, "p": probability, "mu_o": value}
        for name, curve in curves.items()
        for m, line in zip(sizes[name], curve.tolist(), strict=True)
        for probability, value in zip(p, line, strict=True)
    ]
    everything = np.concatenate(list(curves.values()))
    labels = tuple(DATASETS[name][0] for name in curves for _ in sizes[name])
    counts = tuple(str(m) for name in curves for m in sizes[name])
    columns = [
        Column(f"p = {probability:g}", tuple(f"{v:.3f}" for v in everything[:, i])) for i, probability in enumerate(p)
    ]
    table = Table(
        "routereval_scaling", "Model-level scaling",
        "Expected mu_o of r_o(p) over all groups of m of the models, all queries: exact, nothing is drawn.",
        (Column("Benchmark", labels, is_text=True), Column("m", counts), *columns), labels,
    )  # fmt: skip
    return _files(table, rows)


def _metric_rows(cells: Mapping[Cell, Figures], benchmarks: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "m": size,
            "router": router,
            "dataset": DATASETS[benchmark][0],
            "metric": metric,
            "value": None if math.isnan(value) else value,
        }
        for size, router in _row_keys(cells)
        for benchmark in benchmarks
        if (found := mean_over_groups(cells, size, router, benchmark))
        for metric, value in zip(METRICS, found, strict=True)
    ]


def _row_keys(cells: Mapping[Cell, Figures]) -> list[tuple[int, str]]:
    """Pool sizes, and in each the references in the paper's order, then the routers as they came."""
    routers = [*REFERENCE_P, *dict.fromkeys(cell.router for cell in cells if cell.router not in REFERENCE_P)]
    there = {(cell.size, cell.router) for cell in cells}
    return [(size, name) for size in sorted({size for size, _ in there}) for name in routers if (size, name) in there]


def _table(name: str, title: str, caption: str, keys: list[tuple[int, str]], columns: list[Column]) -> Table:
    routers = Column("Router", tuple(router for _, router in keys), is_text=True)
    sizes = tuple(str(size) for size, _ in keys)
    return Table(name, title, caption, (routers, Column("m", sizes), *columns), sizes, is_wide=True)


def _files(table: Table, rows: list[dict[str, Any]]) -> dict[str, bytes]:
    return text_files([table]) | record_files({table.name: rows})


def _decimals(value: float | None) -> str:
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.2f}"
