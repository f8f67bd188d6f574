"""Routers against each other: a matrix of differences in AvgAcc."""

from typing import Any

from scoring.number_formats import signed_percent
from scoring.table_formats import UNKNOWN, Column, Table

MOST_ROUTERS = 15  # a wider matrix is not read; pairs.csv has every pair
LEVEL = 0.05


def pairs_table(result: dict[str, Any]) -> Table:
    """Difference of each of the best contestants to each other, marked where it is no chance.

    Args:
        result: of its keys `routers` and `pairs` are read; `pairs` has a record per pair of contestants, in either
            order: a, b, difference (AvgAcc of a minus that of b, None unknown), p_holm.
    """
    contestants = [row for row in result["routers"] if not row["is_reference"] and row["avg_acc"] is not None]
    contestants.sort(key=lambda row: -row["avg_acc"])
    names = [row["name"] for row in contestants[:MOST_ROUTERS]]
    cells = {}
    for pair in result["pairs"]:
        difference, mark = pair["difference"], _mark(pair["p_holm"])
        cells[pair["a"], pair["b"]] = signed_percent(difference) + mark
        cells[pair["b"], pair["a"]] = signed_percent(None if difference is None else -difference) + mark
    columns = [Column(name, tuple(cells.get((other, name), UNKNOWN) for other in names)) for name in names]
    number = f"The {len(names)} best of {len(contestants)} routers. " if len(contestants) > len(names) else ""
    caption = (
        f"{number}AvgAcc of the row minus that of the column, in points; + is for the row. "
        f"*: p at or below {LEVEL:g} after Holm's correction over all pairs."
    )
    first = Column("", tuple(names), is_text=True)
    kinds = ("router",) * len(names)
    return Table("pairs", "Routers against each other", caption, (first, *columns), kinds, is_wide=True)


def _mark(p_holm: float | None) -> str:
    return "*" if p_holm is not None and p_holm <= LEVEL else ""
