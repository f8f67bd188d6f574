"""The curves of `scoring.pool_size` as a table, and as records: one row per size of the pool."""

from typing import Any

from scoring.number_formats import percent, span
from scoring.table_formats import Column, Table, known_columns

CURVES = ("selected", "random_mean", "random_low", "random_high", "greedy")


def pool_size_table(result: dict[str, Any]) -> Table:
    """Oracle AvgAcc of pools of 1, 2, … models."""
    figures = result["pool_size"]
    ends = list(zip(figures["random_low"], figures["random_high"], strict=True))
    low, high = (f"{100 * quantile:g}" for quantile in figures["quantiles"])
    columns = (
        Column("Models", tuple(map(str, figures["k"]))),
        Column("Best k, in hindsight", tuple(map(percent, figures["selected"]))),
        Column("Random k, mean", tuple(map(percent, figures["random_mean"]))),
        Column(f"Random k, {low}% to {high}%", tuple(span(list(pair), percent) for pair in ends)),
        Column("Greedy, on training queries", tuple(map(percent, figures["greedy"]))),
    )
    caption = (
        "AvgAcc in percent of an Oracle with k models: those with the highest AvgAcc on test, random ones (mean over "
        f"all pools, quantiles over {figures['n_samples']}), and those that cover most training queries."
    )
    return Table("pool_size", "Pool size", caption, known_columns(columns), ("pool",) * len(figures["k"]))


def pool_size_records(result: dict[str, Any]) -> list[dict[str, Any]]:
    """k and the value of each curve at it."""
    figures = result["pool_size"]
    return [{"k": k} | {curve: figures[curve][i] for curve in CURVES} for i, k in enumerate(figures["k"])]
