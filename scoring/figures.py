"""The figures of a report as SVG and PNG, with the same bytes for the same result.

Matplotlib is used through its objects alone, so nothing is left behind in `pyplot`'s global state and no window
system is asked for. The colours are Okabe and Ito's, which colour-blind readers can tell apart; where one repeats, a
hatch or a marker tells more. Ink and paper are two fixed colours that nothing else uses, so that the HTML report can
put the page's own in their place.
"""

import io
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from scoring.cells import ordered
from scoring.number_formats import percent

Result = dict[str, Any]

INK, PAPER = "#101214", "#fdfdfe"
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c7aa9")
GREY = "#8a8f98"
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "////", "....", "xxxx")
MOST_LINES = 12  # more are a tangle: the routers with the best AvgAcc are drawn, the tables have all
MIN_SHARE = 0.05  # models that get less of a router's queries are drawn together as "others"
_CARD = {"boxstyle": "square,pad=0.1", "facecolor": PAPER, "alpha": 0.7, "linewidth": 0}  # legible on lines

_STYLE = {
    "svg.hashsalt": "figures",
    "svg.fonttype": "path",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.parse_math": False,  # a model's name may hold dollar signs
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titleweight": "bold",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GREY,
    "grid.alpha": 0.35,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
}


def figure_files(result: Result) -> dict[str, bytes]:
    """File name -> content of every figure that the result has data for, as .svg and .png.

    Accuracy with intervals, accuracy per benchmark, accuracy by hardness; routing shares where there are routers;
    cost and accuracy where costs are known.
    """
    files: dict[str, bytes] = {}
    with matplotlib.style.context(["default", _STYLE]):  # whatever a person's own matplotlibrc says
        for name, draw in drawings(result).items():
            figure = draw(result)
            _fix_layout(figure)
            for suffix, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
                image = io.BytesIO()
                figure.savefig(image, format=suffix, dpi=160, metadata=metadata)
                files[f"{name}.{suffix}"] = image.getvalue()
    return files


def _choosing(result: Result) -> list[dict[str, Any]]:
    """The routers of which it is known what they chose: not those that were collected."""
    return [row for row in ordered(result["routers"]) if row["share"][0] is not None]


def drawings(result: Result) -> dict[str, Callable[[Result], Figure]]:
    """File stem -> the function that draws it, for the figures that this result has, in the order of the report."""
    has_points = any(point["cost_usd"] is not None for point in result["points"])
    return {
        "accuracy": accuracy_figure,
        **({"trade_off": trade_off_figure} if has_points else {}),
        "benchmarks": benchmark_figure,
        "hardness": hardness_figure,
        **({"shares": share_figure} if _choosing(result) else {}),
    }


def accuracy_figure(result: Result) -> Figure:
    """AvgAcc of routers and the best single models with intervals, references as lines."""
    routers, models = ordered(result["routers"]), ordered(result["single_models"])[:5]
    rows = [row for row in [*routers, *models] if row["avg_acc"] is not None][::-1]
    figure, axes = _axes(8.2, 1.3 + 0.3 * len(rows))
    for y, row in enumerate(rows):
        colour = {"router": PALETTE[0], "reference": PALETTE[2], "model": GREY}[row["kind"]]
        low, high = (100 * end for end in row["avg_acc_interval"])
        value = 100 * row["avg_acc"]
        axes.errorbar(value, y, xerr=[[value - low], [high - value]], fmt="o", color=colour, capsize=3, markersize=6)
        axes.annotate(
            percent(row["avg_acc"]),
            (high, y),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            bbox=_CARD,
        )
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    styles = (("Random", ":"), ("Best Single", "-"), ("Dataset Oracle", "--"), ("Oracle", "-."))
    references = {row["name"]: row for row in result["references"]}
    for name, style in styles:
        axes.axvline(100 * references[name]["avg_acc"], color=INK, linestyle=style, linewidth=1, label=name, zorder=0)
    axes.set_xlabel(f"AvgAcc, percent; {100 * result['bootstrap']['level']:g}% intervals over queries")
    axes.grid(axis="x")
    axes.margins(x=0.08)
    figure.legend(loc="outside upper center", ncols=len(styles))
    return figure


def benchmark_figure(result: Result) -> Figure:
    """Accuracy on each benchmark; the colour is the difference to Best Single."""
    references = [row for row in result["references"] if row["name"] != "Best Single (on train)"]
    rows = [*references, *ordered(result["routers"])]
    accuracy = 100 * np.array([row["accuracy"] for row in rows], dtype=float)
    best = next(i for i, row in enumerate(rows) if row["name"] == "Best Single")
    difference = accuracy - accuracy[best]
    limit = max(1.0, float(np.nanmax(np.abs(difference[[i for i, r in enumerate(rows) if r["name"] != "Oracle"]]))))
    figure, axes = _axes(2.8 + 0.52 * accuracy.shape[1], 1.9 + 0.3 * len(rows))
    image = axes.pcolormesh(difference, cmap="PuOr_r", vmin=-limit, vmax=limit, edgecolor=PAPER, linewidth=0.8)
    luminance = image.to_rgba(difference)[..., :3] @ np.array([0.2126, 0.7152, 0.0722])
    for y, x in np.ndindex(accuracy.shape):
        if not np.isnan(accuracy[y, x]):
            ink = "#ffffff" if luminance[y, x] < 0.5 else "#1b1b1b"
            axes.text(x + 0.5, y + 0.5, f"{accuracy[y, x]:.1f}", ha="center", va="center", fontsize=7.5, color=ink)
    axes.invert_yaxis()
    axes.set_yticks(np.arange(len(rows)) + 0.5, [row["name"] for row in rows])
    turned: dict[str, Any] = {"rotation": 50, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(np.arange(accuracy.shape[1]) + 0.5, result["benchmarks"], **turned)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.9, pad=0.01, aspect=25)
    bar.set_label("points above Best Single")
    bar.outline.set_visible(False)  # type: ignore[operator]
    return figure


def trade_off_figure(result: Result) -> Figure:
    """Cost against accuracy: single models, the routers' trade-off curves, the Pareto frontier."""
    figure, axes = _axes(8.2, 5.2)
    points = [point for point in result["points"] if point["cost_usd"] is not None]
    cost = np.array([point["cost_usd"] for point in points])
    if cost.min() > 0 and cost.max() > 10 * cost.min():
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    frontier = sorted((p["cost_usd"], 100 * p["avg_acc"]) for p in points if p["is_on_frontier"])
    axes.step(*np.transpose(frontier), where="post", color=INK, linewidth=1, linestyle="--", label="Pareto frontier")
    models = [point for point in points if point["kind"] == "model"]
    x, y = _coordinates(models)
    axes.scatter(x, y, color=GREY, s=28, label="single models")
    names, title = _lines(result, {point["name"] for point in points if point["kind"] == "router"})
    for name, (colour, marker) in zip(names, _line_styles(), strict=False):
        curve = [point for point in points if point["kind"] == "router" and point["name"] == name]
        x, y = _coordinates(curve)
        axes.plot(x, y, color=colour, marker=marker, markersize=5 if len(curve) > 1 else 8, linewidth=1.4, label=name)
    marks = {"Random": "x", "Dataset Oracle": "+", "Oracle": "*"}
    references = [row for row in result["references"] if row["name"] in marks and row["cost_usd"] is not None]
    for row in references:
        axes.scatter(*_coordinates([row]), marker=marks[row["name"]], color=INK, s=45)
    axes.set_xlabel("cost of one test set, USD")
    axes.set_ylabel("AvgAcc, percent")
    axes.grid(which="major")
    axes.margins(0.08)
    figure.legend(loc="outside lower center", ncols=3, title=title)
    _name_points(axes, figure, [*references, *ordered(models)])
    return figure


def hardness_figure(result: Result) -> Figure:
    """How many queries k models answer, and the accuracy of routers and references on them."""
    n_queries = np.array(result["hardness"]["n_queries"])
    names, title = _lines(result, {row["name"] for row in result["hardness"]["rows"] if row["kind"] == "router"})
    shown = {"Random", "Best Single", *names}
    rows = [row for row in result["hardness"]["rows"] if row["name"] in shown]
    figure, (top, bottom) = _two_axes(8.2, 5.6)
    top.bar(range(len(n_queries)), n_queries, color=GREY, width=0.8)
    top.bar(range(1, min(4, len(n_queries))), n_queries[1:4], color=PALETTE[1], width=0.8)
    top.set_ylabel("queries")
    n_hard, share = result["hardness"]["n_hard"], result["hardness"]["share_hard"]
    top.set_title(f"1 to 3 right: {n_hard:.0f} queries, {100 * share:.1f}%", fontsize=9.5, fontweight="normal")
    styles = _line_styles()
    for row in rows:
        accuracy = 100 * np.array(row["accuracy"], dtype=float)
        seen = np.flatnonzero(~np.isnan(accuracy))
        if row["kind"] == "router":
            colour, marker = next(styles)
            bottom.plot(seen, accuracy[seen], color=colour, marker=marker, markersize=5, label=row["name"])
        else:
            style = ":" if row["name"] == "Random" else "-"
            bottom.plot(seen, accuracy[seen], color=INK, linestyle=style, linewidth=1, label=row["name"])
    bottom.set_xlabel("number of models that are right")
    bottom.set_ylabel("accuracy, percent")
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (top, bottom):
        axes.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=3, title=title)
    return figure


def share_figure(result: Result) -> Figure:
    """Which models each router chose, at its headline trade-off."""
    rows = _choosing(result)[::-1]
    share = np.array([row["share"] for row in rows])
    shown = [m for m in np.argsort(-share.sum(axis=0), kind="stable") if (share[:, m] >= MIN_SHARE).any()]
    figure, axes = _axes(8.2, 1.2 + 0.36 * len(rows) + 0.2 * ((len(shown) + 3) // 3))
    others = np.where(share < MIN_SHARE, share, 0.0).sum(axis=1)
    left = np.zeros(len(rows))
    patches = []
    for number, model in enumerate(shown):
        width = np.where(share[:, model] >= MIN_SHARE, share[:, model], 0.0)
        colour, hatch = PALETTE[number % len(PALETTE)], HATCHES[number // len(PALETTE) % len(HATCHES)]
        axes.barh(
            range(len(rows)), 100 * width, left=100 * left, color=colour, hatch=hatch, edgecolor=PAPER, height=0.74
        )
        patches.append(Patch(facecolor=colour, hatch=hatch, edgecolor=PAPER, label=result["models"][model]))
        left += width
    axes.barh(range(len(rows)), 100 * others, left=100 * left, color=GREY, edgecolor=PAPER, height=0.74)
    patches.append(Patch(facecolor=GREY, edgecolor=PAPER, label=f"others (under {100 * MIN_SHARE:g}% each)"))
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of test queries, percent")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(handles=patches, loc="outside lower center", ncols=3)
    return figure


def _lines(result: Result, names: set[str]) -> tuple[list[str], str | None]:
    """The routers that get a line, of those named, in the order of the result; and the legend's title if not all do."""
    best = [row["name"] for row in ordered(result["routers"]) if row["name"] in names][:MOST_LINES]
    drawn = [row["name"] for row in result["routers"] if row["name"] in best]
    return drawn, f"the {MOST_LINES} best of {len(names)} routers" if len(names) > MOST_LINES else None


def _line_styles() -> Iterator[tuple[str, str]]:
    """Colour and marker of one contestant after the other; the pairs repeat after 49."""
    for i in count():
        yield PALETTE[i % len(PALETTE)], MARKERS[(i + i // len(PALETTE)) % len(MARKERS)]


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _two_axes(width: float, height: float) -> tuple[Figure, tuple[Axes, Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.7))


def _coordinates(rows: list[dict[str, Any]]) -> tuple[list[float], list[float]]:
    return [row["cost_usd"] for row in rows], [100 * row["avg_acc"] for row in rows]


def _fix_layout(figure: Figure) -> None:
    """Compute the layout now and keep it, instead of anew for each file format."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def _name_points(axes: Axes, figure: Figure, rows: list[dict[str, Any]]) -> None:
    """Write each point's name beside it where the fewest curves cross it, or not at all where it would cover a name."""
    _fix_layout(figure)  # where the points are must be known to tell what overlaps
    curves = [line.get_path().transformed(line.get_transform()) for line in axes.lines]
    points = axes.transData.transform(np.transpose(_coordinates(rows)))
    taken = [Bbox.from_extents(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    for row, x, y in zip(rows, *_coordinates(rows), strict=True):
        places: list[tuple[int, Annotation]] = []
        for dx, dy, side in ((7, -3, "left"), (-7, -3, "right"), (0, 6, "center"), (0, -12, "center")):
            name = axes.annotate(row["name"], (x, y), (dx, dy), textcoords="offset points", ha=side, fontsize=7.5)
            box = name.get_window_extent()
            if axes.bbox.x0 < box.x0 and box.x1 < figure.bbox.x1 and not any(map(box.overlaps, taken)):
                places.append((sum(curve.intersects_bbox(box, filled=False) for curve in curves), name))
            else:
                name.remove()
        best = min(places, key=lambda place: place[0], default=None)
        for place in places:
            if place is best:
                taken.append(place[1].get_window_extent())
            else:
                place[1].remove()
