"""The table of latencies: accuracy, cost and seconds of an answer side by side."""

from typing import Any

from scoring.number_formats import decimals, percent, plain, usd
from scoring.table_formats import UNKNOWN, Column, Table, known_columns

_KINDS = ("reference", "router", "model")
_ON_FRONT = {True: "yes", False: "no", None: UNKNOWN}


def latency_table(result: dict[str, Any]) -> Table:
    """References, then each router at its headline trade-off and single models, the most accurate first."""
    headline = {row["name"]: row["trade_off"] for row in result["routers"]}
    rows = [
        row for row in result["latency"]["rows"] if row["kind"] != "router" or row["trade_off"] == headline[row["name"]]
    ]
    rows.sort(key=lambda row: (_KINDS.index(row["kind"]), 0 if row["kind"] == "reference" else -row["avg_acc"]))
    columns = (
        Column("", tuple(row["name"] for row in rows), is_text=True),
        Column("Latency s", tuple(decimals(row["latency_s"], 2) for row in rows)),
        Column("AvgAcc", tuple(percent(row["avg_acc"]) for row in rows)),
        Column("Cost USD", tuple(usd(row["cost_usd"]) for row in rows)),
        Column("Trade-off", tuple(plain(row["trade_off"]) for row in rows)),
        Column("Front", tuple(_ON_FRONT[row["is_on_front"]] for row in rows), is_text=True),
    )
    caption = (
        "Mean seconds of an answer, averaged like AvgAcc: time to the first token, then the output tokens at the speed "
        f"that providers state ({result['latency']['source']}). Cost: USD of one test set. Front: no single "
        "model and no trade-off of a router is as good in accuracy, cost and latency and better in one."
    )
    return Table("latency", "Latency", caption, known_columns(columns), tuple(row["kind"] for row in rows))
