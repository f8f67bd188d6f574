"""Everything that is compared, in one shape: references, single models and routers as scores and costs per test query.

Once a reference is a score per query like a router is, one piece of code gives all of them accuracies, intervals,
costs and hardness.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from scoring.evaluation import Evaluation, RouterRun
from scoring.metrics import (
    Floats,
    Integers,
    avg_acc,
    best_single,
    choice_cost,
    dataset_oracle,
    group_mean,
    group_sum,
    oracle,
    random_expectation,
    take_choice,
)

RANDOM, BEST_SINGLE, BEST_ON_TRAIN = "Random", "Best Single", "Best Single (on train)"
DATASET_ORACLE, ORACLE = "Dataset Oracle", "Oracle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Something with a score and a cost at every test query.

    Attributes:
        name: as it appears in tables. kind: "reference", "model" or "router".
        score: per seed [n_test] in [0, 1], NaN where it has none. cost: likewise in USD.
        models: the models behind a reference: one, one per seed, or one per benchmark; empty for all others.
    """

    name: str
    kind: str
    score: tuple[Floats, ...]
    cost: tuple[Floats, ...]
    models: tuple[str, ...] = ()


def model_contenders(evaluation: Evaluation) -> list[Contender]:
    """The single models, in the order of the pool."""
    n_seeds = len(evaluation.seeds)
    return [_constant(evaluation, [i] * n_seeds, name, "model", []) for i, name in enumerate(evaluation.models)]


def router_contender(evaluation: Evaluation, router: RouterRun, at: int | None = None) -> Contender:
    """A router at its headline trade-off, or at the one of that number."""
    at = router.headline if at is None else at
    rows = [choice[at] for choice in router.choice]
    calls = [None if calls is None else calls[at] for calls in router.calls]
    return _chosen(evaluation, rows, router.name, "reference" if router.is_reference else "router", [], calls)


def collected_contenders(evaluation: Evaluation) -> list[Contender]:
    """The routers whose answers were collected."""
    columns = zip(evaluation.collected, evaluation.collected_score.T, evaluation.collected_cost.T, strict=False)
    return [_per_query(score, cost, evaluation, name, "router") for name, score, cost in columns]


def reference_contenders(evaluation: Evaluation, accuracy: Floats) -> list[Contender]:
    """Random, Best Single in hindsight and from the training queries, Dataset Oracle and Oracle.

    Args:
        accuracy: of the single models on test, averaged over seeds, [n_models, n_benchmarks].

    Returns:
        The five in this order; Best Single from train is left out where the training queries of some seed do not
        cover every benchmark.

    Raises:
        ValueError: no model has a score in every benchmark, or no model has one in some benchmark.
    """
    n_seeds = len(evaluation.seeds)
    expected_score, expected_cost = random_expectation(evaluation.score, evaluation.cost)
    best_score, cheapest = oracle(evaluation.score, evaluation.cost)
    best = best_complete(accuracy, evaluation)
    expert = dataset_oracle(accuracy, evaluation.benchmarks)
    by_benchmark = [expert[evaluation.benchmark[rows]] for rows in evaluation.test]
    on_train = _best_on_train(evaluation, accuracy)
    return [
        _per_query(expected_score, expected_cost, evaluation, RANDOM),
        _constant(evaluation, [best] * n_seeds, BEST_SINGLE, "reference", [best]),
        *([_constant(evaluation, on_train, BEST_ON_TRAIN, "reference", on_train)] if on_train else []),
        _chosen(evaluation, by_benchmark, DATASET_ORACLE, "reference", expert.tolist()),
        _per_query(best_score, cheapest, evaluation, ORACLE),
    ]


def complete_models(accuracy: Floats) -> Integers:
    """Numbers of the models that have every benchmark. accuracy: [n_models, n_benchmarks]."""
    return np.flatnonzero(~np.isnan(accuracy).any(axis=1))


def best_complete(accuracy: Floats, evaluation: Evaluation) -> int:
    """Best Single among the models that have every benchmark.

    Raises:
        ValueError: there is none; the message says which model lacks what.
    """
    complete = complete_models(accuracy)
    if not complete.size:
        avg_acc(accuracy, evaluation.models, evaluation.benchmarks)
    names = [evaluation.models[i] for i in complete]
    return int(complete[best_single(accuracy[complete], names, evaluation.benchmarks)])


def accuracy_and_cost(evaluation: Evaluation, contenders: list[Contender]) -> tuple[Floats, Floats]:
    """Accuracy in [0, 1] and total USD per seed and benchmark, each [n_seeds, n_contenders, n_benchmarks]."""
    n_benchmarks = len(evaluation.benchmarks)
    groups = [evaluation.benchmark[rows] for rows in evaluation.test]
    score, paid = stacked(contenders, "score"), stacked(contenders, "cost")
    accuracy = [group_mean(value, group, n_benchmarks) for value, group in zip(score, groups, strict=True)]
    cost = [group_sum(value, group, n_benchmarks) for value, group in zip(paid, groups, strict=True)]
    return np.stack(accuracy), np.stack(cost)


def stacked(contenders: Sequence[Contender], column: Literal["score", "cost"]) -> list[Floats]:
    """Scores or costs of all of them, per seed [n_contenders, n_test]."""
    return [np.stack(values) for values in zip(*(getattr(c, column) for c in contenders), strict=True)]


def figures_over_all_queries(evaluation: Evaluation) -> dict[str, Any]:
    """References and single models over all queries of the evaluation, training and test together.

    Returns:
        Accuracies in [0, 1] as unweighted means over benchmarks, costs in USD as sums over queries, NaN unknown;
        per benchmark the number of queries, and per model the accuracy and the cost on each benchmark.
    """
    scored = np.isnan(evaluation.score).sum(axis=1) < len(evaluation.models)
    score, cost, group = evaluation.score[scored], evaluation.cost[scored], evaluation.benchmark[scored]
    n_benchmarks = len(evaluation.benchmarks)
    accuracy = group_mean(score.T, group, n_benchmarks)
    best = best_complete(accuracy, evaluation)
    expert = dataset_oracle(accuracy, evaluation.benchmarks)
    oracle_score, oracle_cost = oracle(score, cost)
    return {
        "random": float(group_mean(random_expectation(score, cost)[0], group, n_benchmarks).mean()),
        "best_single": float(accuracy[best].mean()),
        "best_single_model": evaluation.models[best],
        "best_single_cost_usd": float(cost[:, best].sum()),
        "dataset_oracle": float(accuracy[expert, np.arange(n_benchmarks)].mean()),
        "oracle": float(group_mean(oracle_score, group, n_benchmarks).mean()),
        "oracle_cheapest_best_cost_usd": float(oracle_cost.sum()),
        "total_cost_usd": float(cost.sum()),
        "n_queries": np.bincount(group, minlength=n_benchmarks),
        "accuracy": accuracy,
        "cost_usd_per_benchmark": group_sum(cost.T, group, n_benchmarks),
    }


def _best_on_train(evaluation: Evaluation, accuracy: Floats) -> list[int]:
    """Best Single of each seed's training queries, among the models that have every benchmark; empty if undefined."""
    best = []
    for rows in evaluation.test:
        train = np.setdiff1d(np.arange(len(evaluation.benchmark)), rows)
        on_train = group_mean(evaluation.score[train].T, evaluation.benchmark[train], len(evaluation.benchmarks))
        on_train[np.isnan(accuracy).any(axis=1)] = np.nan
        if not complete_models(on_train).size:
            return []
        best.append(best_complete(on_train, evaluation))
    return best


def _constant(evaluation: Evaluation, models: list[int], name: str, kind: str, behind: list[int]) -> Contender:
    rows = [np.full(len(test), model) for test, model in zip(evaluation.test, models, strict=True)]
    return _chosen(evaluation, rows, name, kind, behind)


def _chosen(
    evaluation: Evaluation,
    choice: list[Integers],
    name: str,
    kind: str,
    behind: list[int],
    calls: Sequence[Floats | None] | None = None,
) -> Contender:
    pairs = list(zip(evaluation.test, choice, calls or [None] * len(choice), strict=True))
    return Contender(
        name=name,
        kind=kind,
        score=tuple(take_choice(evaluation.score[rows], chosen) for rows, chosen, _ in pairs),
        cost=tuple(choice_cost(evaluation.cost[rows], chosen, called) for rows, chosen, called in pairs),
        models=tuple(evaluation.models[i] for i in behind),
    )


def _per_query(score: Floats, cost: Floats, evaluation: Evaluation, name: str, kind: str = "reference") -> Contender:
    return Contender(
        name=name,
        kind=kind,
        score=tuple(score[rows] for rows in evaluation.test),
        cost=tuple(cost[rows] for rows in evaluation.test),
    )
