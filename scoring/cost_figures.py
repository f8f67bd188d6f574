"""Figures of cost: trade-offs against accuracy, what routers gain or save by them, and latency."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scoring.cells import ordered
from scoring.contenders import DATASET_ORACLE, ORACLE, RANDOM
from scoring.figure_style import (
    CARD,
    EDGED,
    GREY,
    INK,
    PALETTE,
    PAPER,
    WIDE,
    WIDTH,
    Result,
    contestants,
    drawn_routers,
    fit_x_scale,
    legend_below,
    name_points,
    name_rows,
    new_figure,
    router_styles,
    rows_height,
    write_beside,
)
from scoring.metrics import Floats
from scoring.number_formats import usd

_MARKS = {RANDOM: "x", DATASET_ORACLE: "+", ORACLE: "*"}
_LEAST = -100.0  # percent of CostSave that the axis shows: a router that pays many times as much stands at its end
_FILLED: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 5, "color": PALETTE[5]}
_OPEN: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 6.5, "color": PALETTE[0],
                         "markerfacecolor": "none", "markeredgewidth": 1.3}  # fmt: skip


def trade_off_figure(result: Result) -> Figure:
    """Cost against accuracy: single models, the routers' trade-off curves, the Pareto frontier."""
    figure = new_figure(WIDTH, 4.6)
    axes = figure.subplots()
    points = [point for point in result["points"] if point["cost_usd"] is not None]
    fit_x_scale(axes, [point["cost_usd"] for point in points])
    frontier = sorted((p["cost_usd"], 100 * p["avg_acc"]) for p in points if p["is_on_frontier"])
    axes.step(*np.transpose(frontier), where="post", color=INK, linewidth=1, linestyle="--", label="Pareto frontier")
    models = ordered(point for point in points if point["kind"] == "model")
    axes.scatter(*_coordinates(models), color=GREY, s=30, label="single models", edgecolors=PAPER, linewidths=0.4)
    names, title = drawn_routers(result, {point["name"] for point in points if point["kind"] == "router"})
    styles = router_styles(result)
    for name in names:
        curve = [point for point in points if point["kind"] == "router" and point["name"] == name]
        colour, marker = styles[name]
        size = 6 if len(curve) > 1 else 7.5
        axes.plot(
            *_coordinates(curve), color=colour, marker=marker, markersize=size, linewidth=1.4, label=name, **EDGED
        )
    references = [row for row in result["references"] if row["name"] in _MARKS and row["cost_usd"] is not None]
    for row in references:
        axes.scatter(*_coordinates([row]), marker=_MARKS[row["name"]], color=INK, s=45)
    axes.set_xlabel("cost of one test set, USD")
    axes.set_ylabel("AvgAcc, percent")
    axes.grid(which="major")
    axes.margins(0.12, 0.08)
    legend_below(figure, title=title)
    named = [*references, *models]
    name_points(axes, [row["name"] for row in named], *_coordinates(named))
    return figure


def priced(result: Result) -> list[dict[str, Any]]:
    """The contestants whose cost is known, the highest PerfGain first."""
    rows = [row for row in contestants(result) if row["cost_usd"] is not None and row["perf_gain"] is not None]
    return sorted(rows, key=lambda row: -row["perf_gain"])


def saving_figure(result: Result) -> Figure:
    """PerfGain, CostSave and ParetoDist of every contestant with a cost (LLMRouterBench, Fig. 7 and 8).

    Open marks: the trade-off is chosen on the test curve, as published. Filled: on validation queries.
    """
    rows = priced(result)
    titles = {"perf_gain": "PerfGain over Best Single", "cost_save": "CostSave against Best Single"}
    known = [key for key in titles if any(row[key] is not None for row in rows)]
    level = 100 * result["bootstrap"]["level"]
    figure = new_figure(WIDE, 0.9 + rows_height(len(rows)))
    panels = figure.subplots(1, len(known) + 1, sharey=True)
    name_rows(panels, [row["name"] for row in rows])
    handles = [Line2D([], [], label="θ chosen on the test curve, as published", **_OPEN)]
    for axes, key in zip(panels, known, strict=False):
        published, validated = _percent(rows, key), _percent(rows, f"{key}_validated")
        _dumbbells(axes, published, validated, _interval(rows, f"{key}_validated_interval"))
        write_beside(axes, ["–" if is_unknown else "" for is_unknown in np.isnan(np.fmax(published, validated))])
        axes.set_title(titles[key])
        axes.set_xlabel("percent")
        if len(handles) == 1 and not np.isnan(validated).all():
            handles.append(Line2D([], [], label=f"θ chosen on validation, {level:g}% interval", **_FILLED))
    distance = np.array([row["pareto_dist"] for row in rows], dtype=float)
    panels[-1].barh(range(len(rows)), distance, color=GREY, height=0.6)
    write_beside(panels[-1], ["–" if np.isnan(value) else f"{value:.3f}" for value in distance])
    panels[-1].set_title("ParetoDist, less is better")
    panels[-1].set_xlabel("scaled distance")
    for axes in panels:
        axes.spines["left"].set_visible(False)
    legend_below(figure, handles)
    return figure


def _dumbbells(axes: Axes, published: Floats, validated: Floats, interval: Floats) -> None:
    """Two marks a row and a line between them, percent, [n_rows]; what the axis cannot show has its number.

    Args:
        interval: of the validated ones, [n_rows, 2]; NaN where unknown.
    """
    rows = np.arange(len(published))
    axes.hlines(rows, *np.maximum(interval, _LEAST).T, color=_FILLED["color"], linewidth=4, alpha=0.3)
    shown, honest = np.maximum(published, _LEAST), np.maximum(validated, _LEAST)
    both = ~np.isnan(shown + honest)
    axes.hlines(rows[both], shown[both], honest[both], color=GREY, linewidth=1.2)
    axes.plot(honest, rows, **_FILLED)
    axes.plot(shown, rows, **_OPEN)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=0)
    least = np.fmin(published, validated)
    for y in np.flatnonzero(least < _LEAST):
        axes.annotate(
            f"{least[y]:.0f}", (_LEAST, y), (7, 0), textcoords="offset points", va="center_baseline", fontsize=7.5,
            bbox=CARD,
        )  # fmt: skip


def _percent(rows: list[dict[str, Any]], key: str) -> Floats:
    return 100 * np.array([row.get(key) for row in rows], dtype=float)


def _interval(rows: list[dict[str, Any]], key: str) -> Floats:
    return 100 * np.array([row.get(key) or (None, None) for row in rows], dtype=float)


def timed(result: Result) -> list[dict[str, Any]]:
    """The points whose accuracy, cost and latency are known; none where the result has no latencies."""
    rows = (result.get("latency") or {"rows": []})["rows"]
    return [row for row in rows if None not in (row["avg_acc"], row["cost_usd"], row["latency_s"])]


def latency_figure(result: Result) -> Figure:
    """Accuracy against latency, a mark as large as its cost; the accuracy-cost-latency front is outlined and named.

    Of routers beyond the best only the points on the front are drawn, in grey (LLMRouterBench, Fig. 9).
    """
    rows = timed(result)
    names, title = drawn_routers(result, {row["name"] for row in rows if row["kind"] == "router"})
    looks = {name: (*look, name) for name, look in router_styles(result).items() if name in names}
    area = _areas([row["cost_usd"] for row in rows])
    figure = new_figure(WIDTH, 4.8)
    axes = figure.subplots()
    fit_x_scale(axes, [row["latency_s"] for row in rows])
    labels = {}
    for row in sorted(rows, key=lambda row: -row["cost_usd"]):  # small marks lie on large ones
        if row["kind"] == "reference":
            axes.scatter(row["latency_s"], 100 * row["avg_acc"], s=45, color=INK, marker=_MARKS.get(row["name"], "o"),
                         zorder=3)  # fmt: skip
            continue
        other = (GREY, "o", "single models") if row["kind"] == "model" else (GREY, "d", "other routers on the front")
        colour, marker, label = looks.get(row["name"], other) if row["kind"] == "router" else other
        if marker == "d" and not row["is_on_front"]:
            continue
        edge, width = (INK, 1.3) if row["is_on_front"] else (PAPER, 0.6)
        axes.scatter(row["latency_s"], 100 * row["avg_acc"], s=area(row["cost_usd"]), facecolor=colour, marker=marker,
                     edgecolor=edge, linewidth=width)  # fmt: skip
        labels[label] = Line2D([], [], linestyle="", marker=marker, color=colour, markersize=6.5, label=label)
    axes.set_xlabel(f"latency, mean seconds of a query ({result['latency']['source']})")
    axes.set_ylabel("AvgAcc, percent")
    axes.grid(which="major")
    axes.margins(0.12, 0.08)
    handles = [labels[label] for label in ("single models", *names, "other routers on the front") if label in labels]
    circle: dict[str, Any] = {"linestyle": "", "marker": "o", "markerfacecolor": "none", "markeredgecolor": INK}
    handles.append(Line2D([], [], markersize=6.5, markeredgewidth=1.3, label="on the front", **circle))
    for cost in np.quantile([row["cost_usd"] for row in rows], [0, 1]):
        handles.append(Line2D([], [], markersize=area(cost) ** 0.5, label=f"{usd(cost)} USD", **circle))
    legend_below(figure, handles, title)
    named = {row["name"]: row for row in rows if row["kind"] == "reference"}
    for row in sorted(rows, key=lambda row: -row["avg_acc"]):  # a router's name stands once, at its best point
        if row["is_on_front"]:
            named.setdefault(row["name"], row)
    x, y = [row["latency_s"] for row in named.values()], [100 * row["avg_acc"] for row in named.values()]
    name_points(axes, list(named), x, y, gap=9)
    return figure


def _areas(costs: list[float]) -> Callable[[float], float]:
    """From USD to the area of a mark in square points, by the logarithm of the cost."""
    low, high = np.log(max(min(costs), 1e-12)), np.log(max(max(costs), 1e-12))
    return lambda cost: 20 + 130 * float((np.log(max(cost, 1e-12)) - low) / (high - low or 1))


def _coordinates(rows: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    return [row["cost_usd"] for row in rows], [100 * row["avg_acc"] for row in rows]
