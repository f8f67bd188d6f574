"""What must hold of a whole reduction, whatever was scored: order of references, frontier, pools, permutations."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.reduction import Evaluation, RouterRun, reduce

N_QUERIES, N_MODELS = 12, 4
SCORES = arrays(float, (N_QUERIES, N_MODELS), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]))
COSTS = arrays(float, (N_QUERIES, N_MODELS), elements=st.floats(0.01, 10))
CHOICES = arrays(int, (2, 2, N_QUERIES // 2), elements=st.integers(0, N_MODELS - 1))
NEAR = {"abs": 2e-9}  # curves and intervals are given to nine decimals


def evaluation(score, cost, choice):
    """Three benchmarks, two seeds that test one half each, one router with two trade-offs: choice[seed][trade-off]."""
    router = RouterRun(
        name="router",
        is_reference=False,
        trade_off=np.array([0.0, 1.0]),
        headline=1,
        choice=tuple(choice),
        fit_s=(1.0, 1.0),
        route_s=(1.0, 1.0),
        calls=(None, None),
    )
    return Evaluation(
        setting="properties",
        models=tuple("abcd"),
        benchmarks=tuple("xyz"),
        seeds=(0, 1),
        benchmark=np.arange(N_QUERIES) % 3,
        index=np.arange(N_QUERIES) // 3,
        score=score,
        cost=cost,
        test=(np.arange(6), np.arange(6, 12)),
        routers=(router,),
        provenance={},
    )


def moved(given, queries, models):
    """The same evaluation with its queries and models in another order."""
    row, number = np.argsort(queries), np.argsort(models)
    run = given.routers[0]
    return dataclasses.replace(
        given,
        models=tuple(given.models[i] for i in models),
        benchmark=given.benchmark[queries],
        index=given.index[queries],
        score=given.score[np.ix_(queries, models)],
        cost=given.cost[np.ix_(queries, models)],
        test=tuple(row[test] for test in given.test),
        routers=(dataclasses.replace(run, choice=tuple(number[choice] for choice in run.choice)),),
    )


@given(SCORES, COSTS, CHOICES)
@settings(max_examples=40, deadline=None)
def test_references_frontier_and_pools_are_in_order(score, cost, choice):
    result = reduce(evaluation(score, cost, choice), n_resamples=20)
    row = {row["name"]: row for kind in ("references", "single_models", "routers") for row in result[kind]}
    each = [row[name]["avg_acc"] for name in "abcd"]
    oracle, best, random = (row[name]["avg_acc"] for name in ("Oracle", "Best Single", "Random"))
    assert oracle >= row["Dataset Oracle"]["avg_acc"] - 1e-12
    assert row["Dataset Oracle"]["avg_acc"] >= best - 1e-12
    assert best == max(each)
    assert min(each) - 1e-12 <= random <= best + 1e-12
    assert min(row["router"]["accuracy"]) >= 0
    assert (np.array(row["router"]["accuracy"]) <= np.array(row["Oracle"]["accuracy"]) + 1e-12).all()

    for point in result["points"]:
        is_dominated = any(
            p["avg_acc"] >= point["avg_acc"]
            and p["cost_usd"] <= point["cost_usd"]
            and (p["avg_acc"] > point["avg_acc"] or p["cost_usd"] < point["cost_usd"])
            for p in result["points"]
        )
        assert point["is_on_frontier"] is not is_dominated
        assert (point["distance"] == 0) is point["is_on_frontier"]

    pool = {key: np.array(curve) for key, curve in result["pool_size"].items() if isinstance(curve, list)}
    for name in ("selected", "random_mean", "random_low", "random_high", "greedy"):
        assert (np.diff(pool[name]) >= -1e-8).all()
        assert pool[name][-1] == pytest.approx(oracle, **NEAR)
    assert (pool["random_low"] <= pool["random_high"]).all()
    assert pool["selected"][0] == pytest.approx(best, **NEAR)
    assert pool["random_mean"][0] == pytest.approx(random, **NEAR)


@given(SCORES, COSTS, CHOICES, st.permutations(range(N_QUERIES)), st.permutations(range(N_MODELS)))
@settings(max_examples=40, deadline=None)
def test_order_of_queries_and_models_does_not_matter(score, cost, choice, queries, models):
    base = evaluation(score, cost, choice)
    one, other = (reduce(e, n_resamples=20) for e in (base, moved(base, np.array(queries), np.array(models))))
    for kind in ("references", "single_models", "routers"):
        rows = {row["name"]: row for row in other[kind]}
        for row in one[kind]:
            name = row["name"]  # of equal models the first counts, so these two may be another model now
            keys = {"Best Single": ["avg_acc"], "Best Single (on train)": []}.get(name, ["avg_acc", "accuracy"])
            for key in [*keys, *(["difference"] if keys else [])]:
                assert rows[name][key] == pytest.approx(row[key], abs=1e-9), (name, key)
    assert other["pool_size"]["random_mean"] == pytest.approx(one["pool_size"]["random_mean"], **NEAR)
    frontier = [
        sorted((round(p["avg_acc"], 9), round(p["cost_usd"], 9)) for p in r["points"] if p["is_on_frontier"])
        for r in (one, other)
    ]
    assert frontier[0] == frontier[1]
