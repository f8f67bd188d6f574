"""From an evaluation to its figures: `reduce` gives one plain JSON-able result, which tables and figures only format.

Published definitions, and where this deviates on purpose: Random is the exact expectation; the Oracle uses the score
itself; a missing pair is left out instead of counting 0 for free; a row that lacks a benchmark has no AvgAcc instead
of an average over fewer. The result says so itself, in its notes.
"""

from typing import Any

import numpy as np

from scoring.bootstrap import deviations, influence, percentile_interval
from scoring.contenders import (
    BEST_SINGLE,
    ORACLE,
    RANDOM,
    Contender,
    accuracy_and_cost,
    collected_contenders,
    figures_over_all_queries,
    model_contenders,
    reference_contenders,
    router_contender,
)
from scoring.evaluation import Evaluation, RouterRun, check, scored_queries
from scoring.metrics import Floats, entropy_bits, gain, gap, group_mean, n_right
from scoring.pool_size import pool_size_figures
from scoring.significance import bootstrap_p, holm
from scoring.trade_offs import trade_off_figures

__all__ = ["Evaluation", "RouterRun", "reduce"]

LEVEL, BOOTSTRAP_SEED = 0.95, 0
HARD = (1, 3)  # a query is hard if one to three models score on it; queries without any are nobody's to win


def reduce(evaluation: Evaluation, *, n_resamples: int = 1000) -> dict[str, Any]:
    """All figures of one setting.

    Args:
        evaluation: what was scored and chosen.
        n_resamples: bootstrap resamples behind each interval.

    Returns:
        Plain JSON values. Accuracies and gains are fractions, costs USD summed over a test set and averaged over
        seeds, times seconds, None where something is unknown or undefined. Lists per benchmark and per model follow
        `benchmarks` and `models`. Keys:

        - setting, models, benchmarks, seeds, provenance: as given. n_queries; n_test: per seed. has_cost.
        - bootstrap: n_resamples, level, seed of the intervals.
        - references, single_models, routers: lists of rows. Each row has name, kind ("reference", "model",
          "router"), models (behind a reference), accuracy (per benchmark), avg_acc, avg_acc_sd (over seeds),
          avg_acc_interval, pooled_acc (over queries), difference (to Best Single), difference_interval,
          is_distinguishable (that interval leaves out 0), p_value (two-sided, that the difference is 0, from the
          same resamples), gain_at_random, gain_at_best_single, gap_at_oracle, cost_usd, cost_usd_per_benchmark,
          n_missing and n_unknown_cost (chosen pairs over all seeds).
          A router's row has besides: is_reference, p_holm (p_value after Holm's correction over the contestants; None
          for references), trade_off (its headline), n_trade_offs, perf_gain, perf_gain_trade_off, cost_save,
          cost_save_trade_off, pareto_dist, fit_s, route_s, share (of the queries, per model), entropy_bits; the last
          four are unknown for a router that was collected.
        - all_queries: random, best_single, best_single_model, best_single_cost_usd, dataset_oracle, oracle,
          oracle_cheapest_best_cost_usd, total_cost_usd over training and test queries together; n_queries (per
          benchmark), accuracy and cost_usd_per_benchmark (per model and benchmark).
        - points: name, kind, trade_off, avg_acc, cost_usd, is_on_frontier, distance of every complete single model
          and every trade-off of every contestant.
        - hardness: n_queries with 0, 1, … all models right (mean over seeds), n_hard and share_hard (1 to 3 right),
          rows: name, kind, accuracy by number of right models, hard_accuracy.
        - pool_size: Oracle AvgAcc over pools of k models: k, selected (the k best models in hindsight), random_mean,
          random_low, random_high (of all pools of k; quantiles of n_samples random ones), greedy (grown on training
          queries); n_samples, quantiles. Missing pairs count 0 there. See `pool_size_figures`.
        - notes: sentences that belong beside the figures.

    Raises:
        ValueError: the parts do not fit together, or no model has a score in every benchmark.
    """
    check(evaluation)
    data = scored_queries(evaluation)
    models = model_contenders(data)
    references = reference_contenders(data, accuracy_and_cost(data, models)[0].mean(axis=0))
    routers = [router_contender(data, router) for router in data.routers]
    collected = collected_contenders(data)
    rows = _rows(data, [*references, *models, *routers, *collected], n_resamples)
    reference_rows, rest = rows[: len(references)], rows[len(references) :]
    model_rows, router_rows = rest[: len(models)], rest[len(models) :]
    by_name = {row["name"]: row for row in reference_rows}
    points, curves = trade_off_figures(data, model_rows, by_name[BEST_SINGLE], router_rows[len(routers) :])
    runs = [*data.routers, *[None] * len(collected)]
    for run, row, curve in zip(runs, router_rows, curves, strict=True):
        row |= curve | _routing(run, len(data.models))
    tested = [np.nan if row["is_reference"] else row["p_value"] for row in router_rows]
    for row, corrected in zip(router_rows, holm(np.array(tested)), strict=True):
        row["p_holm"] = corrected
    relative_to = {name: np.array(by_name[name]["accuracy"]) for name in (RANDOM, BEST_SINGLE, ORACLE)}
    return _plain(
        {
            "setting": data.setting,
            "models": data.models,
            "benchmarks": data.benchmarks,
            "seeds": data.seeds,
            "n_queries": len(data.benchmark),
            "n_test": [len(test) for test in data.test],
            "has_cost": not np.isnan(data.cost).all(),
            "bootstrap": {"n_resamples": n_resamples, "level": LEVEL, "seed": BOOTSTRAP_SEED},
            "references": reference_rows,
            "single_models": model_rows,
            "routers": router_rows,
            "all_queries": figures_over_all_queries(data),
            "points": points,
            "hardness": _hardness(data, [*references, *routers, *collected]),
            "pool_size": pool_size_figures(data, np.array([row["avg_acc"] for row in model_rows])),
            "notes": _notes(evaluation, data, rows, relative_to),
            "provenance": data.provenance,
        }
    )


def _rows(data: Evaluation, contenders: list[Contender], n_resamples: int) -> list[dict[str, Any]]:
    """A row for each contender: accuracy, interval, gains, cost."""
    accuracy, cost = accuracy_and_cost(data, contenders)  # [n_seeds, n_contenders, n_benchmarks]
    number = {contender.name: i for i, contender in reversed(list(enumerate(contenders)))}  # references come first
    mean = accuracy.mean(axis=0)
    avg = mean.mean(axis=1)
    best = number[BEST_SINGLE]
    n_test = np.stack([np.bincount(data.benchmark[rows], minlength=len(data.benchmarks)) for rows in data.test])
    pooled = ((accuracy * n_test[:, None, :]).sum(axis=2) / n_test.sum(axis=1)[:, None]).mean(axis=0)
    spread = accuracy.mean(axis=2).std(axis=0, ddof=1) if len(data.seeds) > 1 else np.full(len(contenders), np.nan)
    deviation = _deviations(data, contenders, n_resamples)
    interval = percentile_interval(avg, deviation, LEVEL)
    difference = avg - avg[best]
    paired = deviation - deviation[:, [best]]
    difference_interval = percentile_interval(difference, paired, LEVEL)
    columns: dict[str, Any] = {
        "accuracy": mean,
        "avg_acc": avg,
        "avg_acc_sd": spread,
        "avg_acc_interval": _stable(interval),
        "pooled_acc": pooled,
        "difference": difference,
        "difference_interval": _stable(difference_interval),
        "is_distinguishable": [
            None if np.isnan(low) else bool(low > 0 or high < 0) for low, high in difference_interval
        ],
        "p_value": bootstrap_p(difference, paired),
        "gain_at_random": gain(mean, mean[number[RANDOM]], data.benchmarks).mean,
        "gain_at_best_single": gain(mean, mean[best], data.benchmarks).mean,
        "gap_at_oracle": gap(mean, mean[number[ORACLE]], data.benchmarks).mean,
        "cost_usd": cost.sum(axis=2).mean(axis=0),
        "cost_usd_per_benchmark": cost.mean(axis=0),
        "n_missing": np.array([sum(int(np.isnan(x).sum()) for x in c.score) for c in contenders]),
        "n_unknown_cost": np.array([sum(int(np.isnan(x).sum()) for x in c.cost) for c in contenders]),
    }
    return [
        {"name": c.name, "kind": c.kind, "models": c.models} | {key: values[i] for key, values in columns.items()}
        for i, c in enumerate(contenders)
    ]


def _deviations(data: Evaluation, contenders: list[Contender], n_resamples: int) -> Floats:
    """Movement of each contender's AvgAcc in each resample of the tested queries, [n_resamples, n_contenders]."""
    value = [np.stack([c.score[seed] for c in contenders]) for seed in range(len(data.seeds))]
    effect = influence(value, data.test, data.benchmark, len(data.benchmarks))
    tested = np.unique(np.concatenate(data.test))
    return deviations(effect[tested], data.benchmark[tested], n_resamples=n_resamples, seed=BOOTSTRAP_SEED)


def _stable(interval: Floats) -> Floats:
    """The interval to nine decimals: further ones depend on the machine's matrix product, not on the data."""
    return np.round(interval, 9)


def _routing(router: RouterRun | None, n_models: int) -> dict[str, Any]:
    """Which models the headline trade-off chose, over the test queries of all seeds, and how long it took.

    None is a router that was collected: it chose among models of its own.
    """
    if router is None:
        unknown = {"share": np.full(n_models, np.nan), "entropy_bits": np.nan, "fit_s": np.nan, "route_s": np.nan}
        return {"is_reference": False} | unknown
    chosen = np.concatenate([choice[router.headline] for choice in router.choice])
    share = np.bincount(chosen, minlength=n_models) / max(1, len(chosen))
    return {
        "is_reference": router.is_reference,
        "share": share,
        "entropy_bits": entropy_bits(share),
        "fit_s": np.mean(router.fit_s),
        "route_s": np.mean(router.route_s),
    }


def _hardness(data: Evaluation, contenders: list[Contender]) -> dict[str, Any]:
    """Accuracy by the number of models that are right, pooled over the test queries of all seeds."""
    n_seeds, n_levels = len(data.seeds), len(data.models) + 1
    right = np.concatenate([n_right(data.score[rows]) for rows in data.test])
    is_hard = (right >= HARD[0]) & (right <= HARD[1])
    value = np.stack([np.concatenate(c.score) for c in contenders])
    accuracy, hard_accuracy = group_mean(value, right, n_levels), group_mean(value, is_hard.astype(np.int64), 2)[:, 1]
    return {
        "n_queries": np.bincount(right, minlength=n_levels) / n_seeds,
        "n_hard": is_hard.sum() / n_seeds,
        "share_hard": is_hard.mean(),
        "rows": [
            {"name": c.name, "kind": c.kind, "accuracy": accuracy[i], "hard_accuracy": hard_accuracy[i]}
            for i, c in enumerate(contenders)
        ],
    }


def _notes(
    given: Evaluation, data: Evaluation, rows: list[dict[str, Any]], relative_to: dict[str, Floats]
) -> list[str]:
    """What a reader must know beside the figures."""
    notes = [
        "PerfGain and CostSave take θ* and θ† from the seed-averaged test curve, as published; chosen beforehand "
        "they would be lower.",
        "Intervals resample queries and keep the routers as they were fitted; the deviation over seeds contains "
        "both splits and fits.",
    ]
    for metric, name in (("Gain@R", RANDOM), ("Gain@B", BEST_SINGLE), ("Gap@O", ORACLE)):
        undefined = gain(relative_to[name], relative_to[name], data.benchmarks).undefined
        if undefined:
            notes.append(f"{metric} leaves out {', '.join(undefined)}: the accuracy of {name} is 0 there.")
    n_dropped = sum(len(before) - len(after) for before, after in zip(given.test, data.test, strict=True))
    if n_dropped:
        notes.append(f"{n_dropped} test queries, counted once per seed, have no score of any model and are left out.")
    for row in rows:
        absent = [data.benchmarks[i] for i in np.flatnonzero(np.isnan(row["accuracy"]))]
        if absent:
            notes.append(f"{row['name']} has no score in {', '.join(absent)}, hence no AvgAcc and no rank.")
        elif row["n_missing"]:
            notes.append(f"{row['name']}: {row['n_missing']} pairs without a score, over all seeds, are left out.")
        if row["n_unknown_cost"] and not np.isnan(data.cost).all():
            notes.append(f"{row['name']}: the cost of {row['n_unknown_cost']} pairs is unknown, hence no total.")
    return notes


def _plain(value: Any) -> Any:
    """The same in JSON's own types: lists, numbers, None for NaN."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    return None if isinstance(value, float) and np.isnan(value) else value
