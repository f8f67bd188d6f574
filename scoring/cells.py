"""How rows are ordered and named, and a table of them."""

from collections.abc import Callable, Iterable
from typing import Any

from scoring.number_formats import plain, signed_percent
from scoring.table_formats import UNKNOWN, Column, Table, known_columns

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
    """Whether it can be told from Best Single, in a word."""
    if row["is_distinguishable"] is None:
        return UNKNOWN
    if row["is_distinguishable"]:
        return "better" if row["difference"] > 0 else "worse"
    return "same" if row["difference_interval"] == [0.0, 0.0] else "undecided"


def chosen_at(row: Row, metric: str) -> str:
    """A metric in percent and in brackets the trade-off that it was taken at, where the router has any."""
    value, trade_off = row.get(metric), row.get(f"{metric}_trade_off")
    return signed_percent(value) + ("" if value is None or trade_off is None else f" ({plain(trade_off)})")


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
    names = Column("", tuple(label(row) for row in rows), is_text=True)
    return Table(name, title, caption, known_columns((names, *columns)), tuple(row["kind"] for row in rows), is_wide)
