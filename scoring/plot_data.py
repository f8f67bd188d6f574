"""What the page's plot of cost and accuracy draws: the points of the result, as series with their colour and marker."""

from typing import Any

from scoring.cells import ordered
from scoring.figures import GREY, MARKERS, MOST_LINES, PALETTE

_HINT = (
    "Point at a mark, or reach it with the tab and arrow keys, to read it. A click on a name shows or hides what "
    "belongs to it."
)


def plot_data(result: dict[str, Any]) -> dict[str, Any] | None:
    """Series of points whose cost is known, as JSON values; None where there is no such point.

    The series are the references, the single models, then the routers from the best AvgAcc down. As in the drawn
    figure the best `MOST_LINES` routers are shown at first; the others are there to be switched on.
    """
    points = [point for point in result["points"] if point["cost_usd"] is not None]
    if not points:
        return None
    references = [row for row in result["references"] if row["cost_usd"] is not None and row["avg_acc"] is not None]
    models = [point for point in points if point["kind"] == "model"]
    series = [
        _series("references", "reference", "currentColor", "x", [_point(row) for row in references]),
        _series("single models", "model", GREY, "o", [_point(point) for point in models]),
    ]
    by_router: dict[str, list[dict[str, Any]]] = {}
    for point in points:
        if point["kind"] == "router":
            by_router.setdefault(point["name"], []).append(_point(point))
    names = [row["name"] for row in ordered(result["routers"]) if row["name"] in by_router]
    drawn = [row["name"] for row in result["routers"] if row["name"] in names[:MOST_LINES]]  # these have their colours
    for name in [*drawn, *names[MOST_LINES:]]:
        number = len(series) - 2
        colour = PALETTE[number % len(PALETTE)]
        marker = MARKERS[(number + number // len(PALETTE)) % len(MARKERS)]
        series.append(_series(name, "router", colour, marker, by_router[name], is_hidden=number >= MOST_LINES))
    return {"series": [entry for entry in series if entry["points"]], "hint": _HINT}


def _series(
    name: str, kind: str, colour: str, marker: str, points: list[dict[str, Any]], is_hidden: bool = False
) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "colour": colour, "marker": marker, "isCurve": kind == "router",
        "isHidden": is_hidden, "points": points,
    }  # fmt: skip


def _point(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "tradeOff": row.get("trade_off"),
        "acc": row["avg_acc"],
        "usd": row["cost_usd"],
        "isOnFrontier": bool(row.get("is_on_frontier")),
        "distance": row.get("distance"),
    }
