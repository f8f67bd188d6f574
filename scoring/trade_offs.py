"""What a router's trade-offs add up to: its curve, what it gains and saves, and its place beside the frontier."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scoring.curves import aiq, distance_to_hull, exceeds_models, hypervolume
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
from scoring.strong_weak import apgr, cpt, pgr


class Curve(NamedTuple):
    """A router's points.

    Attributes:
        name: of the router. trade_off: [n_trade_offs]. headline: number of the one that stands for it in tables.
        avg_acc: averaged over seeds, [n_trade_offs]. cost_usd: of one test set, [n_trade_offs], NaN unknown.
    """

    name: str
    trade_off: Floats
    headline: int
    avg_acc: Floats
    cost_usd: Floats


def curve_of(data: Evaluation, router: RouterRun) -> Curve:
    """AvgAcc and total USD of each trade-off, averaged over seeds."""
    accuracy, cost, n_benchmarks = [], [], len(data.benchmarks)
    for rows, choice, calls in zip(data.test, router.choice, router.calls, strict=True):
        group = data.benchmark[rows]
        accuracy.append(group_mean(take_choice(data.score[rows], choice), group, n_benchmarks))
        cost.append(group_sum(choice_cost(data.cost[rows], choice, calls), group, n_benchmarks).sum(axis=1))
    avg_acc = np.mean(accuracy, axis=0).mean(axis=1)
    return Curve(router.name, router.trade_off, router.headline, avg_acc, np.mean(cost, axis=0))


def point_curve(row: dict[str, Any]) -> Curve:
    """The one point of a router that was collected. row: with name, avg_acc and cost_usd."""
    return Curve(row["name"], np.array([np.nan]), 0, np.array([row["avg_acc"]]), np.array([row["cost_usd"]]))


def curve_points(models: list[dict[str, Any]], curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """The points of the accuracy-cost plane.

    Args:
        models: rows of the single models; avg_acc and cost_usd are read. curves: of the contestants.

    Returns:
        Single models and every trade-off, each with name, kind, trade_off, avg_acc, cost_usd, is_on_frontier and
        distance; the last two are None where a cost is unknown. Those without AvgAcc are left out.
    """
    points = [_point(row["name"], "model", np.nan, row["avg_acc"], row["cost_usd"]) for row in models]
    for curve in curves:
        places = zip(curve.trade_off, curve.avg_acc, curve.cost_usd, strict=True)
        points += [_point(curve.name, "router", *at) for at in places]
    points = [point for point in points if not np.isnan(point["avg_acc"])]
    _place(points)
    return points


def curve_figures(
    curve: Curve, models: list[dict[str, Any]], best_single: dict[str, Any], points: list[dict[str, Any]]
) -> dict[str, Any]:
    """What one curve is worth.

    Args:
        models: rows of the single models. best_single: the row of Best Single in hindsight.
        points: from `curve_points`; those of a router that is not among them have no distance.

    Returns:
        trade_off (the headline's), n_trade_offs; perf_gain and cost_save as published, with perf_gain_trade_off and
        cost_save_trade_off where they were taken; pareto_dist, hull_dist; aiq, hypervolume, is_above_models.
    """
    best = perf_gain(curve.avg_acc, best_single["avg_acc"])
    published = cost_save(curve.avg_acc, curve.cost_usd, best_single["avg_acc"], best_single["cost_usd"])
    own = [p["distance"] for p in points if p["kind"] == "router" and p["name"] == curve.name]
    return {
        "trade_off": curve.trade_off[curve.headline],
        "n_trade_offs": len(curve.trade_off),
        "perf_gain": best.value,
        "perf_gain_trade_off": _at(curve.trade_off, best.configuration),
        "cost_save": published.value,
        "cost_save_trade_off": _at(curve.trade_off, published.configuration),
        "pareto_dist": np.nan if not own or None in own else np.mean(own),
    } | _against_models(curve, models)


def saver(curve: Curve, router: RouterRun | None, best_single: dict[str, Any], number: int) -> int:
    """θ† chosen on validation: the cheapest trade-off that was as good as Best Single there; -1 where none was.

    With one configuration nothing is chosen, so it is as published: that one if it is as good on test.

    Args:
        router: None for one that was collected. best_single: the row of Best Single. number: of that model.
    """
    if len(curve.trade_off) == 1:
        return cost_save(curve.avg_acc, curve.cost_usd, best_single["avg_acc"], best_single["cost_usd"]).configuration
    if router is None or router.validation is None:
        return -1
    found = router.validation
    return cost_save(found.avg_acc, found.cost_usd, found.model_avg_acc[number], 1.0).configuration


def strong_weak_figures(data: Evaluation, router: RouterRun, curve: Curve, model_avg_acc: Floats) -> dict[str, Any]:
    """APGR and CPT of a router that chooses between two models throughout and has a trade-off, else unknown.

    Args:
        model_avg_acc: of the single models, [n_models].

    Returns:
        apgr, cpt_50, cpt_80; see `scoring.strong_weak`.
    """
    unknown = {"apgr": np.nan, "cpt_50": np.nan, "cpt_80": np.nan}
    chosen = np.unique(np.concatenate([np.unique(choice) for choice in router.choice]))
    if len(chosen) != 2 or len(router.trade_off) == 1 or any(calls is not None for calls in router.calls):
        return unknown
    weak, strong = chosen[np.argsort(model_avg_acc[chosen], kind="stable")]
    share = np.mean([(choice == strong).mean(axis=1) for choice in router.choice], axis=0)
    recovered = pgr(curve.avg_acc, model_avg_acc[weak], model_avg_acc[strong])
    return {"apgr": apgr(share, recovered), "cpt_50": cpt(share, recovered, 0.5), "cpt_80": cpt(share, recovered, 0.8)}


def _against_models(curve: Curve, models: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures that look at the single models with a known cost and nothing else."""
    place = np.array([(row["avg_acc"], row["cost_usd"]) for row in models], np.float64)
    accuracy, cost = place[~np.isnan(place).any(axis=1)].T
    unknown = {"hull_dist": np.nan, "aiq": np.nan, "hypervolume": np.nan, "is_above_models": None}
    if not len(cost) or np.isnan(curve.avg_acc).any() or np.isnan(curve.cost_usd).any():
        return unknown
    return {
        "hull_dist": np.mean(distance_to_hull(curve.avg_acc, curve.cost_usd, accuracy, cost)),
        "aiq": aiq(curve.avg_acc, curve.cost_usd, accuracy, cost),
        "hypervolume": hypervolume(curve.avg_acc, curve.cost_usd, cost.min(), cost.max()),
        "is_above_models": exceeds_models(curve.avg_acc, curve.cost_usd, accuracy, cost),
    }


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
