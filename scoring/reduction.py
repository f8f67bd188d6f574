"""From an evaluation to its figures: `reduce` gives one plain JSON-able result, which tables and figures only format.

Published definitions, and where this deviates on purpose: Random is the exact expectation; the Oracle uses the score
itself; a missing pair is left out instead of counting 0 for free; a row that lacks a benchmark has no AvgAcc instead
of an average over fewer. The result says so itself, in its notes.
"""

from typing import Any

import numpy as np

from scoring.contender_figures import contender_figures
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
from scoring.metrics import Floats, gain, group_mean, n_right
from scoring.pairs import pair_figures
from scoring.pool_size import pool_size_figures
from scoring.router_figures import router_figures
from scoring.significance import holm
from scoring.uncertainty import LEVEL, Quantity, intervals, rounded

__all__ = ["Evaluation", "RouterRun", "reduce"]

BOOTSTRAP_SEED = 0
HARD = (1, 3)  # a query is hard if one to three models score on it; queries without any are nobody's to win


def reduce(evaluation: Evaluation, *, n_resamples: int = 1000, usd_per_hour: float | None = None) -> dict[str, Any]:
    """All figures of one setting.

    Args:
        evaluation: what was scored and chosen.
        n_resamples: bootstrap resamples behind each interval.
        usd_per_hour: price of the machine that routes, for the routers' own cost; None: unknown.

    Returns:
        Plain JSON values. Accuracies and gains are fractions, costs USD summed over a test set and averaged over
        seeds, times seconds, None where something is unknown or undefined. Lists per benchmark and per model follow
        `benchmarks` and `models`. X_interval is the interval of X, [low, high]. Keys:

        - setting, models, benchmarks, seeds, provenance: as given. n_queries; n_test: per seed. has_cost.
        - bootstrap: n_resamples, level, seed of the intervals.
        - references, single_models, routers: lists of rows. Each has name, kind ("reference", "model", "router"),
          models (behind a reference) and what `scoring.contender_figures.contender_figures` says; avg_acc_interval,
          difference_interval, gain_at_random_interval, gain_at_best_single_interval, gap_at_oracle_interval,
          cost_usd_interval, is_distinguishable from Best Single (a contestant where p_holm is at most 0.05, all others
          where the interval of the difference leaves out 0).
          A router's row has besides: is_reference, p_holm (p_value after Holm's correction over the contestants; None
          for references), what `scoring.router_figures.router_figures` says, perf_gain_validated_interval,
          cost_save_validated_interval, saver_difference_interval.
        - pairs: contestants against each other, see `scoring.pairs.pair_figures`.
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
    contenders = [*references, *models, *routers, *collected]
    rows, quantities = contender_figures(data, contenders)
    first = len(references) + len(models)  # of the routers
    reference_rows, model_rows, router_rows = rows[: len(references)], rows[len(references) : first], rows[first:]
    points, of_routers = router_figures(data, contenders, rows, quantities, usd_per_hour=usd_per_hour)
    _set_intervals(data, rows, router_rows, quantities, of_routers, n_resamples)
    contests = [first + i for i, row in enumerate(router_rows) if not row["is_reference"]]
    tested = [np.nan if row["is_reference"] else row["p_value"] for row in router_rows]
    for row, corrected in zip(router_rows, rounded(holm(np.array(tested))), strict=True):
        row["p_holm"] = corrected
        if not row["is_reference"]:  # the best of many is better by chance more often than one that stands alone
            row["is_distinguishable"] = None if np.isnan(corrected) else bool(corrected <= 1 - LEVEL)
    by_name = {row["name"]: row for row in reference_rows}
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
            "pairs": pair_figures([rows[i]["name"] for i in contests], quantities["avg_acc"].of(contests)),
            "all_queries": figures_over_all_queries(data),
            "points": points,
            "hardness": _hardness(data, [*references, *routers, *collected]),
            "pool_size": pool_size_figures(data, np.array([row["avg_acc"] for row in model_rows])),
            "notes": _notes(evaluation, data, rows, relative_to),
            "provenance": data.provenance,
        }
    )


def _set_intervals(
    data: Evaluation,
    rows: list[dict[str, Any]],
    router_rows: list[dict[str, Any]],
    quantities: dict[str, Quantity],
    of_routers: dict[str, Quantity],
    n_resamples: int,
) -> None:
    """The interval of every quantity, all from the same resamples, into the rows."""
    found = intervals(quantities | of_routers, data.test, data.benchmark, n_resamples=n_resamples, seed=BOOTSTRAP_SEED)
    for name, interval in found.items():
        for row, ends in zip(router_rows if name in of_routers else rows, interval, strict=True):
            row[f"{name}_interval"] = ends
    for row in rows:
        low, high = row["difference_interval"]
        row["is_distinguishable"] = None if np.isnan(low) else bool(low > 0 or high < 0)


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
        "PerfGain and CostSave have θ chosen on held-out training queries; θ* and θ† are chosen on the seed-averaged "
        "test curve, as published, which favours routers with many trade-offs.",
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
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        plain = value.astype(object)
        plain[np.isnan(value)] = None
        return plain.tolist()
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    return None if isinstance(value, float) and np.isnan(value) else value
