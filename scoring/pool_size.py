"""How far an ideal router comes with pools of k models: the best ones, random ones, ones chosen to cover (C.13).

An Oracle over a smaller pool, for every k at once. A missing pair cannot be chosen and counts 0 here, so every curve
rises with k.
"""

from typing import Any

import numpy as np

from scoring.evaluation import Evaluation
from scoring.metrics import TIE, Floats, Integers
from scoring.scaling import best_of_random

N_SAMPLES, SEED = 100, 0  # random orders behind the quantiles
QUANTILES = (0.05, 0.95)


def pool_size_figures(evaluation: Evaluation, model_avg_acc: Floats) -> dict[str, Any]:
    """Oracle AvgAcc on the test queries for pools of every size, averaged over seeds (LLMRouterBench, Fig. 6).

    Args:
        model_avg_acc: AvgAcc of the single models on test, [n_models], NaN where a model lacks a benchmark.

    Returns:
        k: 1 to n_models. selected: pools of the k best models by AvgAcc, chosen in hindsight as published, those
        without AvgAcc last. random_mean: exact over all pools of k; random_low, random_high: quantiles over
        n_samples random pools. greedy: pools grown on each seed's training queries to cover most of them; NaN where
        a seed has none. All curves [n_models], to nine decimals, and equal to Oracle at the last k.
    """
    score = np.ascontiguousarray(np.nan_to_num(evaluation.score).T)
    weight = query_weight(list(evaluation.test), evaluation.benchmark, len(evaluation.benchmarks))
    tested = np.flatnonzero(weight)
    on_test, test_weight = score[:, tested], weight[tested]
    by_accuracy = np.argsort(-np.nan_to_num(model_avg_acc, nan=-1.0), kind="stable")
    sampled = sampled_oracle(on_test, test_weight, n_samples=N_SAMPLES, seed=SEED)
    low, high = np.quantile(sampled, QUANTILES, axis=0)
    curves = {
        "selected": nested_oracle(on_test, test_weight, by_accuracy),
        "random_mean": expected_oracle(on_test, test_weight),
        "random_low": low,
        "random_high": high,
        "greedy": np.mean([_greedy_on_train(evaluation, score, test) for test in evaluation.test], axis=0),
    }
    rounded = {name: np.round(curve, 9) for name, curve in curves.items()}
    return {"k": list(_sizes(score)), "n_samples": N_SAMPLES, "quantiles": QUANTILES} | rounded


def query_weight(rows: list[Integers], benchmark: Integers, n_benchmarks: int) -> Floats:
    """Weight of each query in AvgAcc, averaged over seeds.

    Args:
        rows: per seed int [n_test], row numbers of the queries that count. benchmark: int [n_queries].

    Returns:
        [n_queries], sums to 1 if every seed has every benchmark; a weighted sum of scores is AvgAcc.
    """
    weight = np.zeros(len(benchmark))
    for seed_rows in rows:
        count = np.bincount(benchmark[seed_rows], minlength=n_benchmarks)
        weight[seed_rows] += 1.0 / (count[benchmark[seed_rows]] * n_benchmarks * len(rows))
    return weight


def nested_oracle(score: Floats, weight: Floats, order: Integers) -> Floats:
    """Oracle AvgAcc of the first 1, 2, … models of an order.

    Args:
        score: [n_models, n_queries] in [0, 1], no NaN. weight: [n_queries], from `query_weight`.
        order: int [n_models], model numbers.

    Returns:
        [n_models], not decreasing.
    """
    return np.maximum.accumulate(score[order], axis=0) @ weight


def expected_oracle(score: Floats, weight: Floats) -> Floats:
    """Oracle AvgAcc of a random pool of 1, 2, … models, the exact mean over all pools of that size.

    Args:
        score: [n_models, n_queries] in [0, 1], no NaN. weight: [n_queries].

    Returns:
        [n_models].
    """
    return best_of_random(np.sort(score, axis=0)[::-1] @ weight, _sizes(score))


def sampled_oracle(score: Floats, weight: Floats, *, n_samples: int, seed: int) -> Floats:
    """Oracle AvgAcc of random pools of every size.

    The first k models of a random order are a random pool of k; one order gives a pool of every size.

    Args:
        score: [n_models, n_queries] in [0, 1], no NaN. weight: [n_queries].
        n_samples: orders; at least 100 for quantiles.

    Returns:
        [n_samples, n_models]; the same seed gives the same pools.
    """
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(score)) for _ in range(n_samples)]
    return np.stack([nested_oracle(score, weight, order) for order in orders])


def greedy_order(score: Floats, weight: Floats) -> Integers:
    """Models in the order in which each adds most to what the earlier ones cover, the first of equals.

    Give it training queries: chosen on test queries the curve would flatter.

    Args:
        score: [n_models, n_queries] in [0, 1], no NaN. weight: [n_queries].

    Returns:
        int [n_models].
    """
    left, covered, order = list(range(len(score))), np.zeros(score.shape[1]), []
    for _ in _sizes(score):
        gained = np.maximum(score[left], covered) @ weight
        best = left.pop(int(np.flatnonzero(gained >= gained.max() - TIE)[0]))
        covered = np.maximum(covered, score[best])
        order.append(best)
    return np.array(order)


def _greedy_on_train(evaluation: Evaluation, score: Floats, test: Integers) -> Floats:
    """Oracle AvgAcc on one seed's test queries of the pools that are grown on its training queries, [n_models]."""
    n_benchmarks = len(evaluation.benchmarks)
    train = np.setdiff1d(np.arange(score.shape[1]), test)
    if not train.size:
        return np.full(len(score), np.nan)
    on_train = query_weight([train], evaluation.benchmark, n_benchmarks)[train]
    on_test = query_weight([test], evaluation.benchmark, n_benchmarks)[test]
    return nested_oracle(score[:, test], on_test, greedy_order(score[:, train], on_train))


def _sizes(score: Floats) -> range:
    return range(1, len(score) + 1)
