"""Figures of the pool: how far it carries as it grows, and which of its models the routers choose."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scoring.cells import ordered
from scoring.contenders import BEST_SINGLE
from scoring.figure_style import (
    EDGED,
    GREY,
    HATCHES,
    INK,
    PALETTE,
    PAPER,
    WIDTH,
    Result,
    contestants,
    legend_below,
    name_rows,
    new_figure,
    rows_height,
)
from scoring.number_formats import percent
from scoring.routing_quality import OTHERS, merge_small_shares

MIN_SHARE = 0.05  # models that get less of a router's queries are drawn together as "others"


def pool_size_figure(result: Result) -> Figure:
    """Oracle AvgAcc of pools of k models, selected, grown or random (LLMRouterBench, Fig. 6)."""
    curves = result["pool_size"]
    k = curves["k"]
    figure = new_figure(WIDTH, 4.2)
    axes = figure.subplots()
    low, high, mean, selected, greedy = (
        100 * np.array(curves[key], dtype=float)
        for key in ("random_low", "random_high", "random_mean", "selected", "greedy")
    )
    between = "–".join(f"{100 * quantile:g}" for quantile in curves["quantiles"])
    axes.fill_between(k, low, high, color=GREY, alpha=0.25, linewidth=0, label=f"random: {between}% of pools")
    axes.plot(k, mean, color=GREY, marker="^", markersize=5.5, label="random: mean of all pools", **EDGED)
    axes.plot(
        k, selected, color=PALETTE[0], marker="o", markersize=5.5, label="the k best models, in hindsight", **EDGED
    )
    if not np.isnan(greedy).any():
        label = "grown on training queries"
        axes.plot(k, greedy, color=PALETTE[1], marker="s", markersize=5.5, linestyle="--", label=label, **EDGED)
    axes.plot(k[-1], selected[-1], color=INK, marker="*", markersize=12, linestyle="", label="Oracle, all models")
    lines = [(row, "-") for row in result["references"] if row["name"] == BEST_SINGLE]
    lines += [(row, "-.") for row in contestants(result)[:1] if row["avg_acc"] is not None]
    for row, style in lines:
        label = f"{row['name']} {percent(row['avg_acc'])}"
        axes.axhline(100 * row["avg_acc"], color=INK, linestyle=style, linewidth=1, label=label, zorder=0)
    axes.set_xlabel("number of models in the pool")
    axes.set_ylabel("AvgAcc, percent")
    axes.set_xlim(left=0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    legend_below(figure)
    return figure


def choosing(result: Result) -> list[dict[str, Any]]:
    """The routers of which it is known what they chose: not those that were collected."""
    return [row for row in ordered(result["routers"]) if row["share"][0] is not None]


def share_figure(result: Result) -> Figure:
    """Which models each router chose, at its headline trade-off (LLMRouterBench, Fig. 10)."""
    rows = choosing(result)
    total = np.array([row["share"] for row in rows]).sum(axis=0)
    merged = [merge_small_shares(result["models"], np.array(row["share"]), MIN_SHARE) for row in rows]
    named = [result["models"][m] for m in np.argsort(-total, kind="stable")]
    looks: dict[str, dict[str, Any]] = {
        name: {"facecolor": PALETTE[i % len(PALETTE)], "hatch": HATCHES[i // len(PALETTE) % len(HATCHES)]}
        for i, name in enumerate(name for name in named if any(name in shares for shares in merged))
    }
    figure = new_figure(WIDTH, 0.7 + rows_height(len(rows)))
    axes = figure.subplots()
    left = np.zeros(len(rows))
    for name, look in (looks | {OTHERS: {"facecolor": GREY}}).items():
        width = np.array([shares.get(name, 0.0) for shares in merged])
        if not width.any():
            continue  # no router has others
        label = f"{name} (under {100 * MIN_SHARE:g}% each)" if name == OTHERS else name
        axes.barh(range(len(rows)), 100 * width, left=100 * left, edgecolor=PAPER, height=0.74, label=label, **look)
        left += width
    name_rows([axes], [row["name"] for row in rows])
    axes.grid(visible=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of test queries, percent")
    axes.spines["left"].set_visible(False)
    legend_below(figure)
    return figure
