"""What a router's trade-offs add up to: its curve, PerfGain, CostSave, the Pareto frontier and ParetoDist."""

from typing import Any

import numpy as np

from scoring.evaluation import Evaluation, RouterRun
from scoring.metrics import (
    Floats,
    choice_cost,
    cost_save,
    distance_to_frontier,
    group_mean,
    group_sum,
    pareto_frontier,
    perf_gain,
    take_choice,
)


def trade_off_figures(
    data: Evaluation, models: list[dict[str, Any]], best_single: dict[str, Any], collected: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The points of the accuracy-cost plane, and what each router's curve is worth.

    Args:
        models: rows of the single models, best_single: the row of Best Single in hindsight; avg_acc and cost_usd
            are read.
        collected: rows of the routers that were collected, a single point each.

    Returns:
        Points: single models and every trade-off of every contestant, each with name, kind, trade_off, avg_acc,
        cost_usd, is_on_frontier and distance; the last two are None where a cost is unknown. Rows without AvgAcc
        are left out.
        Curves: per router, the collected ones last, trade_off, n_trade_offs, perf_gain, perf_gain_trade_off,
        cost_save, cost_save_trade_off, pareto_dist.
    """
    points = [_point(row["name"], "model", np.nan, row["avg_acc"], row["cost_usd"]) for row in models]
    contestants = [(router.name, router.trade_off, router.headline, *_curve(data, router)) for router in data.routers]
    contestants += [
        (row["name"], np.array([np.nan]), 0, np.array([row["avg_acc"]]), np.array([row["cost_usd"]]))
        for row in collected
    ]
    told = {router.name for router in data.routers if router.is_reference}
    curves = []
    for name, trade_off, headline, accuracy, cost in contestants:
        if name not in told:
            points += [_point(name, "router", *at) for at in zip(trade_off, accuracy, cost, strict=True)]
        best = perf_gain(accuracy, best_single["avg_acc"])
        saver = cost_save(accuracy, cost, best_single["avg_acc"], best_single["cost_usd"])
        curves.append(
            {
                "trade_off": trade_off[headline],
                "n_trade_offs": len(trade_off),
                "perf_gain": best.value,
                "perf_gain_trade_off": _at(trade_off, best.configuration),
                "cost_save": saver.value,
                "cost_save_trade_off": _at(trade_off, saver.configuration),
            }
        )
    points = [point for point in points if not np.isnan(point["avg_acc"])]
    _place(points)
    for (name, *_), curve in zip(contestants, curves, strict=True):
        own = [p["distance"] for p in points if p["kind"] == "router" and p["name"] == name]
        curve["pareto_dist"] = np.nan if not own or None in own else np.mean(own)
    return points, curves


def _curve(data: Evaluation, router: RouterRun) -> tuple[Floats, Floats]:
    """AvgAcc and total USD of each trade-off, averaged over seeds, each [n_trade_offs]."""
    accuracy, cost, n_benchmarks = [], [], len(data.benchmarks)
    for rows, choice, calls in zip(data.test, router.choice, router.calls, strict=True):
        group = data.benchmark[rows]
        accuracy.append(group_mean(take_choice(data.score[rows], choice), group, n_benchmarks))
        cost.append(group_sum(choice_cost(data.cost[rows], choice, calls), group, n_benchmarks).sum(axis=1))
    return np.mean(accuracy, axis=0).mean(axis=1), np.mean(cost, axis=0)


def _point(name: str, kind: str, trade_off: float, accuracy: float, cost: float) -> dict[str, Any]:
    return {"name": name, "kind": kind, "trade_off": trade_off, "avg_acc": accuracy, "cost_usd": cost}


def _place(points: list[dict[str, Any]]) -> None:
    """Set is_on_frontier and distance among the points whose cost is known."""
    known = [point for point in points if not np.isnan(point["cost_usd"])]
    for point in points:
        point |= {"is_on_frontier": None, "distance": None}
    if not known:
        return
    accuracy = np.array([point["avg_acc"] for point in known])
    cost = np.array([point["cost_usd"] for point in known])
    placed = zip(known, pareto_frontier(accuracy, cost), distance_to_frontier(accuracy, cost), strict=True)
    for point, is_on_frontier, distance in placed:
        point |= {"is_on_frontier": bool(is_on_frontier), "distance": float(distance)}


def _at(trade_off: Floats, configuration: int) -> float:
    return float(trade_off[configuration]) if configuration >= 0 else np.nan
