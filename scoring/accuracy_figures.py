"""Figures of accuracy: overall, gains over the references, per benchmark, per domain, by hardness."""

from typing import Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scoring.cells import ordered
from scoring.contenders import BEST_SINGLE, DATASET_ORACLE, ORACLE, RANDOM
from scoring.figure_style import (
    EDGED,
    GREY,
    INK,
    LONG,
    PALETTE,
    PAPER,
    WIDE,
    WIDTH,
    Result,
    contestants,
    drawn_routers,
    legend_below,
    name_rows,
    new_figure,
    router_styles,
    rows_height,
    shortened,
    write_beside,
)
from scoring.number_formats import percent
from scoring.published import categories
from scoring.reduction import HARD

_LINES = {RANDOM: ":", BEST_SINGLE: "-", DATASET_ORACLE: "--", ORACLE: "-."}
_MARKS = {BEST_SINGLE: "o", DATASET_ORACLE: "P", ORACLE: "*"}
_MOST_LEVELS = 17  # of up to 16 models
_CLIPPED = 95  # percentile of the differences to Best Single at which the colours end: a few must not pale the rest


def accuracy_figure(result: Result) -> Figure:
    """AvgAcc of routers and the best single models with intervals, references as lines."""
    routers, models = ordered(result["routers"]), ordered(result["single_models"])[:5]
    rows = [row for row in [*routers, *models] if row["avg_acc"] is not None]
    figure = new_figure(WIDTH, 0.9 + rows_height(len(rows)))
    axes = figure.subplots()
    for y, row in enumerate(rows):
        colour = {"router": PALETTE[0], "reference": PALETTE[2], "model": GREY}[row["kind"]]
        low, high = (100 * end for end in row["avg_acc_interval"])
        value = 100 * row["avg_acc"]
        axes.errorbar(value, y, xerr=[[value - low], [high - value]], fmt="o", color=colour, capsize=3, markersize=5.5)
    name_rows([axes], [row["name"] for row in rows])
    write_beside(axes, [percent(row["avg_acc"]) for row in rows])
    references = {row["name"]: row for row in result["references"]}
    for name, style in _LINES.items():
        value = references[name]["avg_acc"]
        label = f"{name} {percent(value)}"
        axes.axvline(100 * value, color=INK, linestyle=style, linewidth=1, label=label, zorder=0)
    axes.set_xlabel(f"AvgAcc, percent; {100 * result['bootstrap']['level']:g}% intervals over queries")
    figure.legend(loc="outside upper center", ncols=len(_LINES))
    return figure


def gain_figure(result: Result) -> Figure:
    """Gain@R, Gain@B and Gap@O of every contestant, the highest Gain@B first (LLMRouterBench, Fig. 4)."""
    rows = [row for row in contestants(result) if row["gain_at_best_single"] is not None]
    rows.sort(key=lambda row: -row["gain_at_best_single"])
    figure = new_figure(WIDE, 0.9 + rows_height(len(rows)))
    panels = figure.subplots(1, 3, sharey=True)
    name_rows(panels, [row["name"] for row in rows])
    kinds = (
        ("gain_at_random", "Gain@R: over Random"),
        ("gain_at_best_single", "Gain@B: over Best Single"),
        ("gap_at_oracle", "Gap@O: below the Oracle, less is better"),
    )
    for axes, (key, title) in zip(panels, kinds, strict=True):
        value = 100 * np.array([row[key] for row in rows], dtype=float)
        colour = np.where(value < 0, PALETTE[1], PALETTE[0]) if key != "gap_at_oracle" else GREY
        axes.barh(range(len(rows)), value, color=colour, height=0.7)
        axes.axvline(0, color=INK, linewidth=0.8)
        write_beside(axes, ["–" if np.isnan(number) else f"{round(number, 1) + 0.0:.1f}" for number in value])
        axes.set_title(title)
        axes.set_xlabel("percent")
        axes.spines["left"].set_visible(False)
    return figure


def benchmark_figure(result: Result) -> Figure:
    """Accuracy on each benchmark; the colour is the difference to Best Single."""
    references = [row for row in result["references"] if row["name"] != "Best Single (on train)"]
    rows = [*references, *ordered(result["routers"])]
    accuracy = 100 * np.array([row["accuracy"] for row in rows], dtype=float)
    n_rows, n_benchmarks = accuracy.shape
    best = next(i for i, row in enumerate(rows) if row["name"] == BEST_SINGLE)
    difference = accuracy - accuracy[best]
    compared = np.abs(difference[[i for i, row in enumerate(rows) if row["name"] not in (ORACLE, BEST_SINGLE)]])
    limit = max(1.0, float(np.nanpercentile(compared, _CLIPPED)))
    figure = new_figure(max(WIDTH, 2.2 + 0.52 * n_benchmarks), 1.7 + rows_height(n_rows))
    axes = figure.subplots()
    scale = Normalize(-limit, limit)
    image = axes.pcolormesh(difference, cmap="PuOr_r", norm=scale, edgecolor=PAPER, linewidth=0.8)
    luminance = image.to_rgba(difference)[..., :3] @ np.array([0.2126, 0.7152, 0.0722])
    for y, x in np.ndindex(accuracy.shape):
        if not np.isnan(accuracy[y, x]):
            ink = "#ffffff" if luminance[y, x] < 0.5 else "#1b1b1b"
            axes.text(x + 0.5, y + 0.5, f"{accuracy[y, x]:.1f}", ha="center", va="center", fontsize=7.5, color=ink)
    axes.invert_yaxis()
    axes.axhline(len(references), color=PAPER, linewidth=5)
    axes.set_yticks(np.arange(n_rows) + 0.5, [shortened(row["name"]) for row in rows])
    axes.set_xticks(np.arange(n_benchmarks) + 0.5, list(map(shortened, result["benchmarks"])))
    axes.tick_params(length=0)
    axes.tick_params(axis="x", rotation=50, labeltop=n_rows > LONG)
    for tick in axes.xaxis.get_major_ticks():
        tick.label1.set(ha="right", va="center", rotation_mode="anchor")
        tick.label2.set(ha="left", va="center", rotation_mode="anchor")
    axes.spines[:].set_visible(False)
    width = 3.2 / figure.get_figwidth()
    bar = figure.colorbar(image, ax=axes, location="top", shrink=width, aspect=22, pad=0.02, extend="both")
    bar.set_label("points above Best Single")
    bar.outline.set_visible(False)  # type: ignore[operator]
    return figure


def domain_figure(result: Result) -> Figure:
    """AvgAcc over the benchmarks of each of the paper's categories: who is good where (LLMRouterBench, Fig. 3)."""
    domains = categories(result["benchmarks"])
    names, title = drawn_routers(result, {row["name"] for row in contestants(result)})
    references = [row for row in result["references"] if row["name"] in _MARKS]
    rows = references + [row for row in contestants(result) if row["name"] in names]
    styles = {name: (INK, mark) for name, mark in _MARKS.items()} | router_styles(result)
    figure = new_figure(WIDE, 1.1 + rows_height(len(rows)))
    panels = figure.subplots(1, len(domains), sharey=True, squeeze=False)[0]
    name_rows(panels, [row["name"] for row in rows])
    for axes, (domain, numbers) in zip(panels, domains.items(), strict=True):
        accuracy = 100 * np.array([[row["accuracy"][i] for i in numbers] for row in rows], dtype=float).mean(axis=1)
        for y, (row, value) in enumerate(zip(rows, accuracy, strict=True)):
            colour, marker = styles[row["name"]]
            axes.plot(value, y, color=colour, marker=marker, markersize=6.5)
            if row["name"] == BEST_SINGLE:
                axes.axvline(value, color=INK, linewidth=0.8, zorder=0)
        low, high = np.nanmin(accuracy), np.nanmax(accuracy)
        room = max(1.0, high - low)
        axes.set_xlim(low - 0.12 * room, high + 0.12 * room)
        write_beside(axes, ["–" if np.isnan(value) else f"{value:.1f}" for value in accuracy])
        axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        axes.axhline(len(references) - 0.5, color=GREY, linewidth=0.6)
        axes.set_title(domain.replace(" ", "\n"), fontsize=8.5)
    figure.supxlabel("AvgAcc, percent" + (f"; {title}" if title else ""), fontsize=9.5)
    return figure


def _levels(n_levels: int) -> list[NDArray[np.int64]]:
    """Numbers of right models, each alone or, where they are many, 0, the hard ones, and ten more groups."""
    numbers = np.arange(n_levels)
    if n_levels <= _MOST_LEVELS:
        return list(numbers[:, None])
    return [numbers[: HARD[0]], numbers[HARD[0] : HARD[1] + 1], *np.array_split(numbers[HARD[1] + 1 :], 10)]


def _mean(accuracy: NDArray[np.float64], n_queries: NDArray[np.float64]) -> float:
    """Over the queries of a group of levels; NaN where it has none."""
    known = ~np.isnan(accuracy) & (n_queries > 0)
    return float(np.average(accuracy[known], weights=n_queries[known])) if known.any() else float("nan")


def hardness_figure(result: Result) -> Figure:
    """How many queries k models answer, and the accuracy of routers and references on them (LLMRouterBench, Fig. 5)."""
    parts = _levels(len(result["hardness"]["n_queries"]))
    n_queries = np.array(result["hardness"]["n_queries"])
    names, title = drawn_routers(result, {row["name"] for row in result["hardness"]["rows"] if row["kind"] == "router"})
    shown = {RANDOM, BEST_SINGLE, *names}
    rows: list[dict[str, Any]] = [row for row in result["hardness"]["rows"] if row["name"] in shown]
    figure = new_figure(WIDTH, 5.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2.2))
    colours = [PALETTE[1] if HARD[0] <= part[0] <= HARD[1] else GREY for part in parts]
    top.bar(range(len(parts)), [n_queries[part].sum() for part in parts], color=colours, width=0.8)
    top.set_ylabel("queries")
    n_hard, share = result["hardness"]["n_hard"], result["hardness"]["share_hard"]
    top.set_title(f"1 to 3 right: {n_hard:.0f} queries, {100 * share:.1f}%")
    styles = router_styles(result)
    for row in rows:
        by_level = np.array(row["accuracy"], dtype=float)
        accuracy = 100 * np.array([_mean(by_level[part], n_queries[part]) for part in parts])
        seen = np.flatnonzero(~np.isnan(accuracy))
        if row["kind"] == "router":
            colour, marker = styles[row["name"]]
            bottom.plot(seen, accuracy[seen], color=colour, marker=marker, markersize=6, label=row["name"], **EDGED)
        else:
            style = _LINES[row["name"]]
            bottom.plot(seen, accuracy[seen], color=INK, linestyle=style, linewidth=1, label=row["name"])
    bottom.set_xlabel("number of models that are right")
    bottom.set_ylabel("accuracy, percent")
    bottom.set_xticks(
        range(len(parts)), [str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts]
    )
    for axes in (top, bottom):
        axes.grid(axis="y")
    legend_below(figure, title=title)
    return figure
