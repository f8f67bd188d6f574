"""The tables of a report: which columns stand in them, and how each number is written.

A table is a list of columns of finished text; `table_formats` turns it into Markdown, LaTeX or terminal output and
the HTML report into sortable ones. Accuracies and gains are percent with two decimals, costs USD. A column in which
nothing is known is left out, so an evaluation without costs has no empty columns.
"""

from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console

from scoring.latency_table import latency_table
from scoring.number_formats import decimals, percent, plain, seconds, signed_percent, span, usd
from scoring.pairs_table import pair_records, pairs_table
from scoring.pool_size_table import pool_size_records, pool_size_table
from scoring.record_files import record_files
from scoring.table_formats import UNKNOWN, Column, Table, known_columns, print_columns, text_files

Row = dict[str, Any]


def tables(result: dict[str, Any]) -> list[Table]:
    """Summary, metrics, accuracy and cost per benchmark, latency, pairs, pool sizes, references over all queries.

    Costs are there where any is known, latency and pairs where the result has these keys.
    """
    return [
        summary_table(result),
        metrics_table(result),
        accuracy_table(result),
        *([cost_table(result)] if result["has_cost"] else []),
        *([latency_table(result)] if "latency" in result else []),
        *([pairs_table(result)] if "pairs" in result else []),
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
    for table in tables(result):
        print_columns(table, console)
    console.print()
    for note in result["notes"]:
        console.print(f"• {note}", markup=False, highlight=False)


def summary_table(result: dict[str, Any]) -> Table:
    """AvgAcc of everything with its interval, and whether it can be told from Best Single."""
    rows = ordered(result["references"]) + ordered(result["routers"]) + ordered(result["single_models"])
    n_seeds, level = len(result["seeds"]), 100 * result["bootstrap"]["level"]
    return _table(
        "summary",
        "Accuracy",
        f"AvgAcc in percent: the mean over {len(result['benchmarks'])} benchmarks, averaged over {n_seeds} "
        f"seed{'s' if n_seeds > 1 else ''}. SD: over seeds. Intervals: {level:g}%, paired bootstrap over queries. "
        "p (Holm): of Δ = 0 from the same resamples, corrected for the number of contestants.",
        rows,
        [
            ("AvgAcc", lambda row: percent(row["avg_acc"])),
            ("SD", lambda row: percent(row["avg_acc_sd"])),
            (f"{level:g}% interval", lambda row: span(row["avg_acc_interval"], percent)),
            ("Δ Best Single", lambda row: signed_percent(row["difference"])),
            (f"{level:g}% interval of Δ", lambda row: span(row["difference_interval"], signed_percent)),
            ("p (Holm)", lambda row: decimals(row.get("p_holm"), 3)),
        ],
        [("Verdict", verdict)],
    )


def metrics_table(result: dict[str, Any]) -> Table:
    """The metrics of references and routers."""
    hard = {(row["kind"], row["name"]): row["hard_accuracy"] for row in result["hardness"]["rows"]}
    return _table(
        "metrics",
        "Metrics",
        "Percent unless a unit is given. Cost: USD of one test set. Times: means over seeds.",
        ordered(result["references"]) + ordered(result["routers"]),
        [
            ("Gain@R", lambda row: signed_percent(row["gain_at_random"])),
            ("Gain@B", lambda row: signed_percent(row["gain_at_best_single"])),
            ("Gap@O", lambda row: percent(row["gap_at_oracle"])),
            ("Pooled", lambda row: percent(row["pooled_acc"])),
            ("1–3 right", lambda row: percent(hard[row["kind"], row["name"]])),
            ("Cost USD", lambda row: usd(row["cost_usd"])),
            ("Trade-off", lambda row: plain(row.get("trade_off"))),
            ("PerfGain (θ*)", lambda row: chosen_at(row, "perf_gain")),
            ("CostSave (θ†)", lambda row: chosen_at(row, "cost_save")),
            ("ParetoDist", lambda row: decimals(row.get("pareto_dist"), 4)),
            ("Entropy bits", lambda row: decimals(row.get("entropy_bits"), 2)),
            ("Fit s", lambda row: seconds(row.get("fit_s"))),
            ("Route s", lambda row: seconds(row.get("route_s"))),
        ],
    )


def accuracy_table(result: dict[str, Any]) -> Table:
    """Accuracy of everything on each benchmark."""
    rows = ordered(result["references"]) + ordered(result["routers"]) + ordered(result["single_models"])
    columns: list[tuple[str, Callable[[Row], str]]] = [("AvgAcc", lambda row: percent(row["avg_acc"]))]
    for i, benchmark in enumerate(result["benchmarks"]):
        columns.append((benchmark, lambda row, i=i: percent(row["accuracy"][i])))  # type: ignore[misc]
    caption = "Percent on test, averaged over seeds."
    return _table("accuracy", "Accuracy per benchmark", caption, rows, columns, is_wide=True)


def cost_table(result: dict[str, Any]) -> Table:
    """Cost of everything on each benchmark."""
    rows = ordered(result["references"]) + ordered(result["routers"]) + ordered(result["single_models"])
    columns: list[tuple[str, Callable[[Row], str]]] = [("Total", lambda row: usd(row["cost_usd"]))]
    for i, benchmark in enumerate(result["benchmarks"]):
        columns.append((benchmark, lambda row, i=i: usd(row["cost_usd_per_benchmark"][i])))  # type: ignore[misc]
    caption = "USD of one test set, averaged over seeds. The routers' own computation is not in it."
    return _table("cost", "Cost per benchmark", caption, rows, columns, is_wide=True)


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
    return _table(
        "all_queries",
        "All queries",
        "Training and test queries together: AvgAcc in percent, cost in USD.",
        rows,
        [("AvgAcc", lambda row: percent(row["accuracy"])), ("Cost USD", lambda row: usd(row["cost"]))],
    )


def tidy_rows(result: dict[str, Any]) -> dict[str, list[Row]]:
    """File stem -> records with one observation each; fractions and USD with full precision, None unknown."""
    everything = result["references"] + result["routers"] + result["single_models"]
    scalars = {key: None for row in everything for key, value in row.items() if not isinstance(value, list)}
    ends = ("avg_acc_interval", "difference_interval")
    return {
        "rows": [
            {key: row.get(key) for key in scalars}
            | {f"{key}_{end}": row[key][i] for key in ends for i, end in enumerate(("low", "high"))}
            for row in everything
        ],
        "per_benchmark": [
            {"kind": row["kind"], "name": row["name"], "benchmark": b, "accuracy": accuracy, "cost_usd": cost}
            for row in everything
            for b, accuracy, cost in zip(
                result["benchmarks"], row["accuracy"], row["cost_usd_per_benchmark"], strict=True
            )
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
        **({"pairs": pair_records(result)} if "pairs" in result else {}),
        **({"latency": result["latency"]["rows"]} if "latency" in result else {}),
    }


def ordered(rows: Iterable[Row]) -> list[Row]:
    """References in their own order, contestants from the best AvgAcc down, those without one last."""
    return sorted(
        rows,
        key=lambda row: (row["kind"] != "reference", 0 if row["kind"] == "reference" else -(row["avg_acc"] or 0.0)),
    )


def label(row: Row) -> str:
    """A row's name, with the model behind it where it is one and the same throughout."""
    models = set(row["models"])
    return f"{row['name']}: {models.pop()}" if len(models) == 1 else row["name"]


def verdict(row: Row) -> str:
    """What the interval of the difference to Best Single says in a word."""
    if row["is_distinguishable"] is None:
        return UNKNOWN
    if row["is_distinguishable"]:
        return "better" if row["difference"] > 0 else "worse"
    return "same" if row["difference_interval"] == [0.0, 0.0] else "undecided"


def chosen_at(row: Row, metric: str) -> str:
    """A metric in percent and in brackets the trade-off that it was taken at, where the router has any."""
    value, trade_off = row.get(metric), row.get(f"{metric}_trade_off")
    return signed_percent(value) + ("" if value is None or trade_off is None else f" ({plain(trade_off)})")


def _table(
    name: str,
    title: str,
    caption: str,
    rows: list[Row],
    numbers: list[tuple[str, Callable[[Row], str]]],
    words: list[tuple[str, Callable[[Row], str]]] | None = None,
    is_wide: bool = False,
) -> Table:
    columns = [Column(heading, tuple(write(row) for row in rows)) for heading, write in numbers]
    columns += [Column(heading, tuple(write(row) for row in rows), is_text=True) for heading, write in words or []]
    names = Column("", tuple(label(row) for row in rows), is_text=True)
    return Table(name, title, caption, known_columns((names, *columns)), tuple(row["kind"] for row in rows), is_wide)
