"""The tables of a report: which columns stand in them, and how each number is written.

A table is a list of columns of finished text; `table_formats` turns it into Markdown, LaTeX or terminal output and
the HTML report into sortable ones. Accuracies and gains are percent with two decimals, costs USD. A column in which
nothing is known is left out, so an evaluation without costs has no empty columns.
"""

from collections.abc import Callable
from typing import Any

from rich.console import Console

from scoring.cells import Row, ordered, table, verdict
from scoring.latency_table import latency_table
from scoring.number_formats import p_value, percent, signed_percent, span, usd
from scoring.pairs_table import pairs_table
from scoring.pool_size_table import pool_size_records, pool_size_table
from scoring.record_files import record_files
from scoring.router_tables import router_tables
from scoring.table_formats import Table, print_columns, text_files


def tables(result: dict[str, Any]) -> list[Table]:
    """Summary, router tables, accuracy and cost per benchmark, latency, pairs, pool sizes, references over all queries.

    Costs are there where any is known, pairs where there are two contestants, latency where the result has this key.
    """
    return [
        summary_table(result),
        *router_tables(result),
        accuracy_table(result),
        *([seed_table(result)] if len(result["seeds"]) > 1 else []),
        *([cost_table(result)] if result["has_cost"] else []),
        *([latency_table(result)] if "latency" in result else []),
        *([pairs_table(result)] if result["pairs"] else []),
        pool_size_table(result),
        all_queries_table(result),
    ]


def table_files(result: dict[str, Any]) -> dict[str, bytes]:
    """File name -> content: every table in Markdown and LaTeX, and tidy CSV and Parquet files with full precision."""
    return text_files(tables(result)) | record_files(tidy_rows(result))


def print_tables(result: dict[str, Any], console: Console) -> None:
    """Print the tables so that nothing is cut off at the console's width.

    Columns that do not fit beside each other follow below, under the row names again. A table with a column per
    benchmark is printed only if it fits as a whole; otherwise a line says where it is.
    """
    for one in tables(result):
        print_columns(one, console)
    console.print()
    for note in result["notes"]:
        console.print(f"• {note}", markup=False, highlight=False)


def summary_table(result: dict[str, Any]) -> Table:
    """AvgAcc of everything with its interval, and whether it can be told from Best Single."""
    rows = _everything(result)
    n_seeds, level = len(result["seeds"]), 100 * result["bootstrap"]["level"]
    return table(
        "summary",
        "Accuracy",
        f"AvgAcc in percent: the mean over {len(result['benchmarks'])} benchmarks, averaged over {n_seeds} "
        f"seed{'s' if n_seeds > 1 else ''}. SD: over seeds. Intervals: {level:g}%, paired bootstrap over queries. "
        "p (Holm): of Δ = 0, corrected for the number of contestants; the verdict on a contestant follows it.",
        rows,
        [
            ("AvgAcc", lambda row: percent(row["avg_acc"])),
            ("SD", lambda row: percent(row["avg_acc_sd"])),
            (f"{level:g}% interval", lambda row: span(row["avg_acc_interval"], percent)),
            ("Δ Best Single", lambda row: signed_percent(row["difference"])),
            (f"{level:g}% interval of Δ", lambda row: span(row["difference_interval"], signed_percent)),
            ("p (Holm)", lambda row: p_value(row.get("p_holm"))),
        ],
        [("Verdict", verdict)],
    )


def accuracy_table(result: dict[str, Any]) -> Table:
    """Accuracy of everything on each benchmark."""
    rows = _everything(result)
    columns: list[tuple[str, Callable[[Row], str]]] = [("AvgAcc", lambda row: percent(row["avg_acc"]))]
    for i, benchmark in enumerate(result["benchmarks"]):
        columns.append((benchmark, lambda row, i=i: percent(row["accuracy"][i])))  # type: ignore[misc]
    caption = "Percent on test, averaged over seeds."
    return table("accuracy", "Accuracy per benchmark", caption, rows, columns, is_wide=True)


def seed_table(result: dict[str, Any]) -> Table:
    """AvgAcc of everything under each seed: another split, another fit."""
    rows = _everything(result)
    columns: list[tuple[str, Callable[[Row], str]]] = [("AvgAcc", lambda row: percent(row["avg_acc"]))]
    for i, seed in enumerate(result["seeds"]):
        columns.append((seed_heading(seed), lambda row, i=i: percent(row["avg_acc_by_seed"][i])))  # type: ignore[misc]
    level = 100 * result["bootstrap"]["level"]
    columns.append(
        (f"{level:g}% interval of Δ over seeds", lambda row: span(row["difference_seed_interval"], signed_percent))
    )
    caption = "Percent on test. Δ: to Best Single, Student's interval over seeds, paired."
    return table("seeds", "Accuracy per seed", caption, rows, columns, is_wide=True)


def seed_heading(seed: int) -> str:
    """What stands over the column of a seed."""
    return f"seed {seed}"


def cost_table(result: dict[str, Any]) -> Table:
    """Cost of everything on each benchmark."""
    rows = _everything(result)
    columns: list[tuple[str, Callable[[Row], str]]] = [("Total", lambda row: usd(row["cost_usd"]))]
    for i, benchmark in enumerate(result["benchmarks"]):
        columns.append((benchmark, lambda row, i=i: usd(row["cost_usd_per_benchmark"][i])))  # type: ignore[misc]
    caption = "USD of one test set, averaged over seeds. The routers' own computation is not in it."
    return table("cost", "Cost per benchmark", caption, rows, columns, is_wide=True)


def all_queries_table(result: dict[str, Any]) -> Table:
    """The references over training and test queries together."""
    every = result["all_queries"]
    rows: list[Row] = [
        {"name": name, "kind": "reference", "models": models, "accuracy": every.get(key), "cost": every.get(cost)}
        for name, models, key, cost in (
            ("Random", (), "random", ""),
            ("Best Single", (every["best_single_model"],), "best_single", "best_single_cost_usd"),
            ("Dataset Oracle", (), "dataset_oracle", ""),
            ("Oracle", (), "oracle", "oracle_cheapest_best_cost_usd"),
            ("Every model on every query", (), "", "total_cost_usd"),
        )
    ]
    return table(
        "all_queries",
        "All queries",
        "Training and test queries together: AvgAcc in percent, cost in USD.",
        rows,
        [("AvgAcc", lambda row: percent(row["accuracy"])), ("Cost USD", lambda row: usd(row["cost"]))],
    )


def tidy_rows(result: dict[str, Any]) -> dict[str, list[Row]]:
    """File stem -> records with one observation each; fractions and USD with full precision, None unknown."""
    everything = result["references"] + result["routers"] + result["single_models"]
    keys = {key: None for row in everything for key, value in row.items() if _is_tidy(key, value)}
    return {
        "rows": [_tidy({key: row.get(key) for key in keys}) for row in everything],
        "pairs": [_tidy(pair) for pair in result["pairs"]],
        "per_benchmark": [
            {"kind": row["kind"], "name": row["name"], "benchmark": b, "accuracy": accuracy, "cost_usd": cost}
            for row in everything
            for b, accuracy, cost in zip(
                result["benchmarks"], row["accuracy"], row["cost_usd_per_benchmark"], strict=True
            )
        ],
        "per_seed": [
            {"kind": row["kind"], "name": row["name"], "seed": seed, "avg_acc": avg_acc}
            for row in everything
            for seed, avg_acc in zip(result["seeds"], row["avg_acc_by_seed"], strict=True)
        ],
        "trade_offs": result["points"],
        "hardness": [
            {"kind": row["kind"], "name": row["name"], "n_right": k, "n_queries": n, "accuracy": accuracy}
            for row in result["hardness"]["rows"]
            for k, (n, accuracy) in enumerate(zip(result["hardness"]["n_queries"], row["accuracy"], strict=True))
        ],
        "shares": [
            {"router": row["name"], "model": model, "share": share}
            for row in result["routers"]
            for model, share in zip(result["models"], row["share"], strict=True)
        ],
        "pool_size": pool_size_records(result),
        **({"latency": result["latency"]["rows"]} if "latency" in result else {}),
    }


def _everything(result: dict[str, Any]) -> list[Row]:
    """References, routers, single models, each kind in its order."""
    return [row for kind in ("references", "routers", "single_models") for row in ordered(result[kind])]


def _is_tidy(key: str, value: Any) -> bool:
    return not isinstance(value, list) or key.endswith("_interval")


def _tidy(row: Row) -> Row:
    """The row with its intervals as two fields each."""
    tidy: Row = {}
    for key, value in row.items():
        if key.endswith("_interval"):
            tidy[f"{key}_low"], tidy[f"{key}_high"] = value or (None, None)
        else:
            tidy[key] = value
    return tidy
