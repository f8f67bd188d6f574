"""How rows are ordered and named and their figures written: the cells of every table."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from scoring.table_formats import UNKNOWN, Column, Table

Row = dict[str, Any]


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


def percent(fraction: float | None) -> str:
    return UNKNOWN if fraction is None else f"{100 * fraction + 0.0:.2f}"


def signed_percent(fraction: float | None) -> str:
    return UNKNOWN if fraction is None else f"{100 * fraction + 0.0:+.2f}"


def span(ends: list[float | None], write: Callable[[float | None], str]) -> str:
    return UNKNOWN if ends[0] is None else f"[{write(ends[0])}, {write(ends[1])}]"


def decimals(number: float | None, n_decimals: int) -> str:
    return UNKNOWN if number is None else f"{number:.{n_decimals}f}"


def seconds(duration: float | None) -> str:
    return decimals(duration, 0 if (duration or 0) >= 100 else 1 if (duration or 0) >= 1 else 3)


def usd(amount: float | None) -> str:
    """Two decimals from a dollar on, three significant digits below."""
    if amount is None:
        return UNKNOWN
    return f"{amount:.2f}" if amount >= 1 or amount == 0 else plain(amount)


def plain(number: float | None) -> str:
    """Three significant digits without an exponent and without trailing zeros."""
    return UNKNOWN if number is None else np.format_float_positional(number, 3, fractional=False, trim="-")


def table(
    name: str,
    title: str,
    caption: str,
    rows: list[Row],
    numbers: list[tuple[str, Callable[[Row], str]]],
    words: list[tuple[str, Callable[[Row], str]]] | None = None,
    is_wide: bool = False,
) -> Table:
    """A table of rows: a column for each heading and how it is written, without those in which nothing is known."""
    columns = [Column(heading, tuple(write(row) for row in rows)) for heading, write in numbers]
    columns += [Column(heading, tuple(write(row) for row in rows), is_text=True) for heading, write in words or []]
    known = [column for column in columns if any(cell != UNKNOWN for cell in column.cells)]
    names = Column("", tuple(label(row) for row in rows), is_text=True)
    return Table(name, title, caption, (names, *known), tuple(row["kind"] for row in rows), is_wide)
