"""The figures of a report as SVG and PNG, with the same bytes for the same result.

Matplotlib is used through its objects alone, so nothing is left behind in `pyplot`'s global state and no window
system is asked for.
"""

import io
from collections.abc import Callable
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

from scoring.accuracy_figures import accuracy_figure, benchmark_figure, domain_figure, gain_figure, hardness_figure
from scoring.cost_figures import latency_figure, priced, saving_figure, timed, trade_off_figure
from scoring.figure_style import STYLE, contestants, fix_layout
from scoring.pool_figures import choosing, pool_size_figure, share_figure
from scoring.published import categories

Result = dict[str, Any]

CAPTIONS = {
    "accuracy": "Routers (blue), references (green) and the five best single models (grey); lines mark the references.",
    "gains": "Gain over Random and over Best Single, and gap to the Oracle, of every router; losses are orange.",
    "trade_off": "Total cost and accuracy of single models and of every trade-off of every router.",
    "savings": "What trade-offs are worth: PerfGain, CostSave and ParetoDist of every router whose cost is known. A "
    "dash: no trade-off is as accurate as Best Single. Marks at −100% with a number beside them lie further left.",
    "latency": "Accuracy and latency; the larger a mark, the higher the cost. Outlined is the front: no other point is "
    "as good in accuracy, cost and latency and better in one.",
    "benchmarks": "Accuracy per benchmark; the colour is the difference to Best Single.",
    "domains": "AvgAcc over the benchmarks of each domain, as LLMRouterBench groups them. Every domain has a scale of "
    "its own; the line marks Best Single.",
    "hardness": "Test queries by the number of models that are right on them, and the accuracy on each group.",
    "pool_size": "AvgAcc of an Oracle over pools of 1, 2, … models; lines mark Best Single and the best router.",
    "shares": "Which models each router chose.",
}


def figure_files(result: Result) -> dict[str, bytes]:
    """File name -> content of every figure that the result has data for, as .svg and .png."""
    files: dict[str, bytes] = {}
    with matplotlib.style.context(["default", STYLE]):  # whatever a person's own matplotlibrc says
        for name, draw in drawings(result).items():
            figure = draw(result)
            fix_layout(figure)
            for suffix, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
                image = io.BytesIO()
                figure.savefig(image, format=suffix, metadata=metadata)
                files[f"{name}.{suffix}"] = image.getvalue()
    return files


def drawings(result: Result) -> dict[str, Callable[[Result], Figure]]:
    """File stem -> the function that draws it, for the figures that this result has, in the order of the report."""
    pool_size = result.get("pool_size")
    routers = contestants(result)
    listed: tuple[tuple[str, Callable[[Result], Figure], bool], ...] = (
        ("accuracy", accuracy_figure, True),
        ("gains", gain_figure, any(row["gain_at_best_single"] is not None for row in routers)),
        ("trade_off", trade_off_figure, any(point["cost_usd"] is not None for point in result["points"])),
        ("savings", saving_figure, bool(priced(result))),
        ("latency", latency_figure, bool(timed(result))),
        ("benchmarks", benchmark_figure, True),
        ("domains", domain_figure, len(categories(result["benchmarks"])) > 1),
        ("hardness", hardness_figure, True),
        ("pool_size", pool_size_figure, bool(pool_size and len(pool_size["k"]) > 1)),
        ("shares", share_figure, bool(choosing(result))),
    )
    return {name: draw for name, draw, has_data in listed if has_data}
