"""What the page's plot of cost and accuracy draws: the points of the result, as series with their colour and marker."""

from typing import Any

from scoring.figure_style import GREY, contestants, drawn_routers, router_styles

_HINT = (
    "Point at a mark, or reach it with the tab and arrow keys, to read it. A click on a name shows or hides what "
    "belongs to it."
)


def plot_data(result: dict[str, Any]) -> dict[str, Any] | None:
    """Series of points whose cost is known, as JSON values; None where there is no such point.

    The series are the references, the single models, then the routers. Those of the drawn figure are shown at first,
    in the colours they have there; the others, from the best AvgAcc down, are there to be switched on.
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
    drawn, _ = drawn_routers(result, set(by_router))
    others = [row["name"] for row in contestants(result) if row["name"] in by_router and row["name"] not in drawn]
    styles = router_styles(result)
    series += [
        _series(name, "router", *styles[name], by_router[name], is_hidden=name in others) for name in drawn + others
    ]
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
