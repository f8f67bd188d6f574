"""Tables in the layout of LLMRouterBench (arXiv 2601.07206): Tables 4 to 6 and 11 to 13, and Table 10 of several runs.

Benchmarks have the paper's short names and stand under its categories. As there, the best and the second best single
model of a column are marked, and nothing else: routers are compared in the tables of `scoring.tables`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scoring.cells import Row, label, ordered
from scoring.number_formats import percent, plain, usd
from scoring.published import CATEGORIES, SETTINGS, canonical, published_setting
from scoring.table_formats import UNKNOWN, Column, Table, text_files

Result = dict[str, Any]


def paper_table_files(result: Result) -> dict[str, bytes]:
    """File name -> content: `paper_tables`, and `encoder_table` of a key `encoders`, in Markdown and LaTeX."""
    tables = paper_tables(result) + ([encoder_table(result["encoders"])] if "encoders" in result else [])
    return text_files(tables)


def paper_tables(result: Result) -> list[Table]:
    """Single models over all queries, then everything on the test split; accuracy, and cost where any is known.

    Args:
        result: from `scoring.reduction.reduce`.
    """
    every, models = result["all_queries"], result["models"]
    single = [{"name": name, "kind": "model", "models": []} for name in models]
    all_accuracy = [row | {"cells": cells} for row, cells in zip(single, every["accuracy"], strict=True)]
    all_cost = [row | {"cells": cells} for row, cells in zip(single, every["cost_usd_per_benchmark"], strict=True)]
    tested = result["single_models"] + result["references"] + ordered(result["routers"])
    accuracy = [row | {"cells": row["accuracy"]} for row in tested]
    cost = [row | {"cells": row["cost_usd_per_benchmark"]} for row in tested]
    n_seeds = len(result["seeds"])
    on_test = f"on the test split, mean of {n_seeds} seed{'s' if n_seeds > 1 else ''}"
    tables = [
        _table(result, "paper_models", "Accuracy of single models", "Percent over all queries.", all_accuracy, percent),
        _table(
            result, "paper_test", "Accuracy on test", f"Percent {on_test}.", accuracy, percent, ("Avg", _with_spread)
        ),
    ]
    if result["has_cost"]:
        caption = f"USD {on_test}. The routers' own computation is not in it."
        tables += [
            _table(result, "paper_models_cost", "Cost of single models", "USD over all queries.", all_cost, usd,
                   ("Total", _total), is_cost=True),
            _table(result, "paper_test_cost", "Cost on test", caption, cost, usd, ("Total", _total), is_cost=True),
        ]  # fmt: skip
    return tables


def encoder_figures(results: Sequence[Result]) -> list[dict[str, Any]]:
    """AvgAcc of the routers of runs that differ in the encoder only, as Table 10.

    Args:
        results: from `scoring.reduction.reduce`, one per encoder.

    Returns:
        Plain JSON values, per encoder: encoder, and routers: rows with name, avg_acc, avg_acc_sd.

    Raises:
        ValueError: they differ in more than the encoder, or two have the same; the message says in what.
    """
    encoders = [str(result["provenance"].get("encoder")) for result in results]
    for key in ("models", "benchmarks", "seeds", "n_test"):
        for encoder, result in zip(encoders, results, strict=True):
            if list(result[key]) != list(results[0][key]):
                raise ValueError(f"the reports of {encoders[0]} and {encoder} have other {key}: they do not compare")
    if len(set(encoders)) < len(encoders):
        raise ValueError(f"each report must have an encoder of its own, these have {', '.join(encoders)}")
    columns = ("name", "avg_acc", "avg_acc_sd")
    return [
        {
            "encoder": encoder,
            "routers": [{key: row[key] for key in columns} for row in result["routers"] if not row["is_reference"]],
        }
        for encoder, result in zip(encoders, results, strict=True)
    ]


def encoder_table(encoders: list[dict[str, Any]]) -> Table:
    """A row per router, a column per encoder, from `encoder_figures`."""
    by_name = [{row["name"]: row for row in entry["routers"]} for entry in encoders]
    names = list(dict.fromkeys(name for rows in by_name for name in rows))
    columns = [
        Column(entry["encoder"], tuple(_with_spread(rows.get(name)) for name in names))
        for entry, rows in zip(encoders, by_name, strict=True)
    ]
    caption = "AvgAcc in percent on test ± deviation over seeds, by the encoder of the queries."
    routers = Column("", tuple(names), is_text=True)
    return Table("paper_encoders", "Encoders", caption, (routers, *columns), ("router",) * len(names))


def marks(cells: Sequence[str], *, lowest: bool = False) -> tuple[str, ...]:
    """ "best" and "second" for the cells that say the highest (or lowest) number and the next one, "" for the others.

    Equal cells share a mark, so two may be best and one second. A deviation behind ± does not count.
    """
    number = np.array([np.nan if cell == UNKNOWN else float(cell.split(" ")[0]) for cell in cells])
    best = np.unique(number[~np.isnan(number)])
    best = (best if lowest else best[::-1])[:2]
    names = dict(zip(best.tolist(), ("best", "second"), strict=False))
    return tuple(names.get(value, "") for value in number.tolist())


def _table(
    result: Result,
    name: str,
    title: str,
    caption: str,
    rows: list[Row],
    write: Callable[[float | None], str],
    over_all: tuple[str, Callable[[Row], str]] | None = None,
    is_cost: bool = False,
) -> Table:
    """A row per entry, a column per benchmark in the paper's order, and a last one over all of them."""
    n_models = len(result["models"])  # they come first
    columns = [
        _column(heading, [write(row["cells"][i]) for row in rows], n_models, is_cost, category)
        for i, heading, category in _headings(result["benchmarks"])
    ]
    if over_all is not None:
        columns.append(_column(over_all[0], [over_all[1](row) for row in rows], n_models, is_cost))
    names = Column("", tuple(map(_name, rows)), is_text=True)
    caption += " Bold and underlined: the best and the second best single model."
    return Table(name, title, caption, (names, *columns), tuple(row["kind"] for row in rows), is_wide=True)


def _column(title: str, cells: list[str], n_marked: int, is_cost: bool = False, group: str = "") -> Column:
    own = marks(cells[:n_marked], lowest=is_cost)
    return Column(title, tuple(cells), marks=own + ("",) * (len(cells) - n_marked), group=group)


def _headings(benchmarks: list[str]) -> list[tuple[int, str, str]]:
    """Number, short name and category of each benchmark, in the order of the paper's tables, unknown ones last."""
    known = {key: (short, category) for category, names in CATEGORIES.items() for key, short in names.items()}
    own = [canonical(name) for name in benchmarks]
    orders = [published_setting(name).benchmarks for name in SETTINGS]
    order = next((order for order in orders if set(own) & set(known) <= set(order)), tuple(known))
    place = [order.index(key) if key in order else len(order) for key in own]
    number = sorted(range(len(own)), key=lambda i: place[i])
    return [(i, *known.get(own[i], (benchmarks[i], ""))) for i in number]


def _name(row: Row) -> str:
    """A row's name, with the trade-off that a router's row was taken at."""
    trade_off = row.get("trade_off")
    return label(row) if trade_off is None else f"{row['name']} ({plain(trade_off)})"


def _with_spread(row: Row | None) -> str:
    if row is None or row["avg_acc"] is None:
        return UNKNOWN
    spread = row["avg_acc_sd"]
    return percent(row["avg_acc"]) + ("" if spread is None else f" ± {percent(spread)}")


def _total(row: Row) -> str:
    """The sum of what is known of every benchmark, unknown if one is."""
    return UNKNOWN if None in row["cells"] else usd(sum(row["cells"]))
