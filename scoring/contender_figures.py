"""A row of figures for everything that is compared: accuracy, gains, cost, and how far each moves with the queries."""

from typing import Any

import numpy as np

from scoring.bootstrap import influence
from scoring.contenders import BEST_SINGLE, ORACLE, RANDOM, Contender, accuracy_and_cost, stacked
from scoring.evaluation import Evaluation
from scoring.metrics import Floats, group_mean
from scoring.routing_quality import arena_score, regret
from scoring.significance import normal_p, standard_error
from scoring.uncertainty import Quantity, mean_gain, minus, rounded, seed_interval, total


def contender_figures(
    data: Evaluation, contenders: list[Contender]
) -> tuple[list[dict[str, Any]], dict[str, Quantity]]:
    """Figures of each contender, and those that have an interval as quantities.

    Args:
        contenders: the references among them; where two have the same name the first is meant.

    Returns:
        Rows with name, kind, models; accuracy (per benchmark), avg_acc, avg_acc_by_seed, avg_acc_sd (over seeds),
        pooled_acc (over queries); difference (to Best Single in AvgAcc), difference_seed_interval (Student's, over
        seeds), p_value (two-sided, that the difference is 0); gain_at_random, gain_at_best_single, gap_at_oracle;
        regret, arena_score; cost_usd, cost_usd_per_benchmark; n_missing and n_unknown_cost (pairs over all seeds).
        Fractions and USD, NaN where unknown.
        Quantities avg_acc, difference, gain_at_random, gain_at_best_single, gap_at_oracle, cost_usd of all of them.
    """
    n_seeds, n_benchmarks = len(data.seeds), len(data.benchmarks)
    number = {contender.name: i for i, contender in reversed(list(enumerate(contenders)))}
    random, best, oracle = (number[name] for name in (RANDOM, BEST_SINGLE, ORACLE))
    score = stacked(contenders, "score")
    accuracy, cost = accuracy_and_cost(data, contenders)  # [n_seeds, n_contenders, n_benchmarks]
    mean = accuracy.mean(axis=0)
    by_seed = accuracy.mean(axis=2)
    n_test = np.stack([np.bincount(data.benchmark[rows], minlength=n_benchmarks) for rows in data.test])
    pooled = ((accuracy * n_test[:, None, :]).sum(axis=2) / n_test.sum(axis=1)[:, None]).mean(axis=0)
    moved = influence(score, data.test, data.benchmark, n_benchmarks)
    avg_acc = Quantity(mean.mean(axis=1), moved)
    over_random, over_best, over_oracle = (
        mean_gain(mean, moved, data.benchmark, base, data.benchmarks) for base in (random, best, oracle)
    )
    gains = {
        "gain_at_random": over_random,
        "gain_at_best_single": over_best,
        "gap_at_oracle": Quantity(-over_oracle.estimate, -over_oracle.influence),
    }
    quantities = {
        "avg_acc": avg_acc,
        "difference": minus(avg_acc, avg_acc.of([best])),
        **gains,
        "cost_usd": total(stacked(contenders, "cost"), data.test, data.benchmark, n_benchmarks),
    }
    difference = quantities["difference"]
    columns: dict[str, Any] = {
        "accuracy": mean,
        "avg_acc": avg_acc.estimate,
        "avg_acc_sd": by_seed.std(axis=0, ddof=1) if n_seeds > 1 else np.full(len(contenders), np.nan),
        "avg_acc_by_seed": by_seed.T,
        "pooled_acc": pooled,
        "difference": difference.estimate,
        "difference_seed_interval": rounded(seed_interval(by_seed - by_seed[:, [best]])),
        "p_value": rounded(normal_p(difference.estimate, standard_error(difference.influence))),
        **{name: quantity.estimate for name, quantity in gains.items()},
        "regret": _regret(data, score),
        "cost_usd": cost.sum(axis=2).mean(axis=0),
        "cost_usd_per_benchmark": cost.mean(axis=0),
        "n_missing": np.array([sum(int(np.isnan(x).sum()) for x in c.score) for c in contenders]),
        "n_unknown_cost": np.array([sum(int(np.isnan(x).sum()) for x in c.cost) for c in contenders]),
    }
    columns["arena_score"] = arena_score(pooled, 1000 * columns["cost_usd"] / n_test.sum(axis=1).mean())
    rows = [
        {"name": c.name, "kind": c.kind, "models": c.models} | {key: values[i] for key, values in columns.items()}
        for i, c in enumerate(contenders)
    ]
    return rows, quantities


def _regret(data: Evaluation, score: list[Floats]) -> Floats:
    """Mean regret, averaged like AvgAcc: over benchmarks, then seeds. [n_contenders]"""
    lost = [
        group_mean(regret(data.score[rows], value), data.benchmark[rows], len(data.benchmarks))
        for rows, value in zip(data.test, score, strict=True)
    ]
    return np.mean(lost, axis=0).mean(axis=1)
