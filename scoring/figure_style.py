"""How the figures of a report look: colours, type, rows of names, legends, and names beside points.

The colours are Okabe and Ito's, which colour-blind readers can tell apart; where one repeats, a hatch or a marker
tells more. Ink and paper are two fixed colours that nothing else uses, so that the HTML report can put the page's own
in their place. Text is not hinted: its width is then the same in every format, and what fits in one fits in all.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from scoring.cells import ordered

Result = dict[str, Any]

INK, PAPER = "#101214", "#fdfdfe"
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c7aa9")
GREY = "#8a8f98"
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "////", "....", "xxxx")
MOST_LINES = 12  # more are a tangle: the routers with the best AvgAcc are drawn, the tables have all
WIDTH, WIDE = 8.2, 10.8  # inches
LONG = 20  # rows; beyond them rows are lower, and the scale stands above them too
CARD: dict[str, Any] = {"boxstyle": "square,pad=0.05", "facecolor": PAPER, "alpha": 0.85, "linewidth": 0}  # under text
EDGED: dict[str, Any] = {"markeredgecolor": PAPER, "markeredgewidth": 0.4}  # marks that overlap can be told apart

STYLE = {
    "svg.hashsalt": "figures",
    "svg.fonttype": "path",
    "figure.dpi": 160,
    "text.hinting": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.parse_math": False,  # a model's name may hold dollar signs
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titleweight": "normal",
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.title_fontsize": 8.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GREY,
    "grid.alpha": 0.35,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches whose parts make room for each other."""
    return Figure(figsize=(width, height), layout="constrained")


def fix_layout(figure: Figure) -> None:
    """Compute the layout now and keep it, instead of anew for each file format."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def shortened(name: str, most: int = 40) -> str:
    """A name of at most so many characters, its middle left out if need be."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[len(name) + 1 - (most - most // 2) :]}"


def contestants(result: Result) -> list[dict[str, Any]]:
    """The rows of the routers that are no references, from the best AvgAcc down."""
    return [row for row in ordered(result["routers"]) if row["kind"] == "router"]


def router_styles(result: Result) -> dict[str, tuple[str, str]]:
    """Colour and marker of each contestant, the same in every figure of a report; the pairs repeat after 49.

    The first pairs go to the best `MOST_LINES` in the order of the result, so that they have most colours.
    """
    names = [row["name"] for row in contestants(result)]
    first = set(names[:MOST_LINES])
    listed = [row["name"] for row in result["routers"] if row["name"] in first] + names[MOST_LINES:]
    return {
        name: (PALETTE[i % len(PALETTE)], MARKERS[(i + i // len(PALETTE)) % len(MARKERS)])
        for i, name in enumerate(dict.fromkeys(listed))
    }


def drawn_routers(result: Result, names: set[str]) -> tuple[list[str], str | None]:
    """The routers that are drawn, of those named, in the order of the result; and the legend's title if not all are."""
    best = [row["name"] for row in contestants(result) if row["name"] in names][:MOST_LINES]
    drawn = [row["name"] for row in result["routers"] if row["name"] in best]
    return drawn, f"the {MOST_LINES} best of {len(names)} routers" if len(names) > MOST_LINES else None


def rows_height(n_rows: int) -> float:
    """Inches that so many rows need."""
    return n_rows * (0.3 if n_rows <= LONG else 0.21)


def name_rows(panels: Sequence[Axes], names: Sequence[str]) -> None:
    """Rows 0, 1, … from above with their names at the first panel; a long list has its scale above it too."""
    panels[0].set_yticks(range(len(names)), [shortened(name) for name in names])
    for axes in panels:
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        if len(names) > LONG:
            axes.tick_params(axis="x", top=True, labeltop=True)


def write_beside(axes: Axes, texts: Iterable[str]) -> None:
    """A text at the right end of each row, all in one column."""
    for y, text in enumerate(texts):
        axes.annotate(
            text, (1, y), (4, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            va="center_baseline", fontsize=8,
        )  # fmt: skip


def fit_x_scale(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic x axis where the values are positive and span more than a factor of ten."""
    low, high = min(values), max(values)
    if low > 0 and high > 10 * low:
        named = "25" if high < 100 * low else ""  # few powers of ten are in a short range
        axes.set_xscale("log")
        axes.tick_params(axis="x", which="minor", pad=5)  # as far below the axis as the major ones
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in named else ""))


def legend_below(figure: Figure, handles: Sequence[Any] | None = None, title: str | None = None) -> None:
    """A legend in as many columns as fit side by side; the figure grows by its height."""
    given = {} if handles is None else {"handles": handles}
    for n_columns in (5, 4, 3, 2, 1):
        legend = figure.legend(loc="outside lower center", ncols=n_columns, title=title, **given)
        for text in legend.get_texts():
            text.set_text(shortened(text.get_text()))
        box = legend.get_window_extent()
        if box.width < figure.bbox.width or n_columns == 1:
            figure.set_figheight(figure.get_figheight() + box.height / figure.dpi)
            return
        legend.remove()


# right of a point, left of it, above, below, and between: in gaps
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.9), (-0.7, 0.9), (0.7, -0.9), (-0.7, -0.9))


def name_points(axes: Axes, names: Sequence[str], x: Sequence[float], y: Sequence[float], gap: float = 5) -> None:
    """Write each name beside its point where it crosses least, or not at all where it would cover a mark or a name.

    Args:
        names, x, y: of equal length, the most important first; x and y in data units. gap: points between a point's
            middle and its name, more than half a mark's size.
    """
    if not names:
        return
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    fix_layout(figure)  # where the points are must be known to tell what overlaps
    unit = figure.dpi / 72
    curves = [line.get_path().transformed(line.get_transform()) for line in axes.lines]
    marks = [line.get_transform().transform(line.get_xydata()) for line in axes.lines if line.get_marker() != "None"]
    marks += [axes.transData.transform(points.get_offsets()) for points in axes.collections]
    marked = np.concatenate([np.reshape(mark, (-1, 2)) for mark in marks])
    room = Bbox.from_extents(axes.bbox.x0, axes.bbox.y0, figure.bbox.x1, figure.bbox.y1).padded(-3 * unit)
    points = axes.transData.transform(np.transpose([x, y]))
    taken = [Bbox.from_extents(*(point - 3 * unit), *(point + 3 * unit)) for point in points]
    for name, place, at in zip(names, zip(x, y, strict=True), points, strict=True):
        text = axes.annotate(
            shortened(name), place, (0, 0), textcoords="offset points", va="bottom", fontsize=7.5, bbox=CARD
        )
        size = np.array(text.get_window_extent().size)
        others = marked[np.abs(marked - at).max(axis=1) > unit]
        found = []
        for side in _SIDES:
            low = at + np.array(side) * gap * unit - size * (1 - np.sign(side)) / 2
            box = Bbox.from_extents(*low, *(low + size))
            is_free = _holds(room, box) and not _n_within(box.padded(0.6 * gap * unit), others)
            if is_free and not any(map(box.overlaps, taken)):
                crossed = sum(path.intersects_bbox(box, filled=False) for path in curves)
                found.append((2 * crossed + _n_within(box.padded(gap * unit), others), box))
        if found:
            _, box = min(found, key=lambda choice: choice[0])
            taken.append(box.padded(1.5 * unit))
            text.set_position(((box.x0 - at[0]) / unit, (box.y0 - at[1]) / unit))
        else:
            text.remove()


def _holds(outer: Bbox, inner: Bbox) -> bool:
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and inner.x1 <= outer.x1 and inner.y1 <= outer.y1


def _n_within(box: Bbox, points: np.ndarray) -> int:
    return int(((points > box.min) & (points < box.max)).all(axis=1).sum())
