"""What a router's row has beside everybody's figures: its curve, what it saves, and its single decisions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.bootstrap import influence
from scoring.contenders import BEST_SINGLE, Contender, accuracy_and_cost, router_contender, stacked
from scoring.decisions import COLLECTED, decision_figures
from scoring.evaluation import Evaluation
from scoring.trade_offs import curve_figures, curve_of, curve_points, point_curve, saver, strong_weak_figures
from scoring.uncertainty import Quantity, minus, over, total


def router_figures(
    data: Evaluation,
    contenders: list[Contender],
    rows: list[dict[str, Any]],
    quantities: dict[str, Quantity],
    *,
    usd_per_hour: float | None,
) -> tuple[list[dict[str, Any]], dict[str, Quantity]]:
    """Completes the rows of the routers, in place.

    Args:
        contenders: references, single models, routers, collected routers, each in the order of the evaluation.
        rows, quantities: of the same, from `contender_figures`.
        usd_per_hour: price of the machine that routes, None if unknown.

    Returns:
        The points of the accuracy-cost plane, and the quantities perf_gain_validated, cost_save_validated and
        saver_difference of the routers, collected ones last. The rows of the routers get is_reference; what
        `trade_offs.curve_figures`, `trade_offs.strong_weak_figures` and `decisions.decision_figures` say; and with θ
        chosen on validation perf_gain_validated (θ* is the headline), cost_save_validated (θ†),
        cost_save_validated_trade_off, and saver_difference (AvgAcc at θ† minus Best Single's, on test). Contenders that
        were collected have one configuration: nothing was chosen, and what depends on choices is unknown.
    """
    n_collected = len(data.collected)
    first = len(contenders) - n_collected - len(data.routers)
    routers, router_rows = contenders[first : len(contenders) - n_collected], rows[first:]
    model_rows = rows[first - len(data.models) : first]
    best = next(i for i, row in enumerate(rows) if row["name"] == BEST_SINGLE)
    curves = [curve_of(data, router) for router in data.routers]
    curves += [point_curve(row) for row in router_rows[len(routers) :]]
    told = {router.name for router in data.routers if router.is_reference}
    points = curve_points(model_rows, [curve for curve in curves if curve.name not in told])
    model_avg_acc = np.array([row["avg_acc"] for row in model_rows])
    for curve, row in zip(curves, router_rows, strict=True):
        row |= {"is_reference": curve.name in told} | curve_figures(curve, model_rows, rows[best], points)
        row |= COLLECTED | {"share": np.full(len(data.models), np.nan)}
    for router, contender, curve, row in zip(data.routers, routers, curves, router_rows, strict=False):
        row |= strong_weak_figures(data, router, curve, model_avg_acc)
        row |= decision_figures(data, router, contender, usd_per_hour)
    if not router_rows:
        return points, {}
    best_model = data.models.index(rows[best]["models"][0])
    runs = [*data.routers, *[None] * n_collected]
    at = [saver(curve, router, rows[best], best_model) for router, curve in zip(runs, curves, strict=True)]
    savers = [router_contender(data, router, max(0, chosen)) for router, chosen in zip(data.routers, at, strict=False)]
    found = _validated(data, savers + contenders[first + len(routers) :], np.array(at) >= 0, quantities, best)
    for i, (row, curve, chosen) in enumerate(zip(router_rows, curves, at, strict=True)):
        row |= {name: quantity.estimate[i] for name, quantity in found.items()}
        row["cost_save_validated_trade_off"] = curve.trade_off[chosen] if chosen >= 0 else np.nan
    return points, found


def _validated(
    data: Evaluation, savers: list[Contender], is_saver: NDArray[np.bool_], quantities: dict[str, Quantity], best: int
) -> dict[str, Quantity]:
    """The quantities of θ* (the headlines) and θ†, both chosen on validation.

    Args:
        savers: every router at θ†, in the order of the last contenders of `quantities`. is_saver: False where there
            is no θ†, [n_routers]. best: number of Best Single among the contenders.
    """
    n_contenders, n_benchmarks = len(quantities["avg_acc"].estimate), len(data.benchmarks)
    headlines = quantities["avg_acc"].of(range(n_contenders - len(savers), n_contenders))
    best_acc, best_cost = quantities["avg_acc"].of([best]), quantities["cost_usd"].of([best])
    accuracy = accuracy_and_cost(data, savers)[0].mean(axis=0)
    moved = influence(stacked(savers, "score"), data.test, data.benchmark, n_benchmarks)
    gained = over(headlines, best_acc)
    spent = over(total(stacked(savers, "cost"), data.test, data.benchmark, n_benchmarks), best_cost)
    difference = minus(Quantity(accuracy.mean(axis=1), moved), best_acc)
    return {
        "perf_gain_validated": Quantity(gained.estimate - 1.0, gained.influence),
        "cost_save_validated": Quantity(np.where(is_saver, 1.0 - spent.estimate, np.nan), -spent.influence),
        "saver_difference": Quantity(np.where(is_saver, difference.estimate, np.nan), difference.influence),
    }
