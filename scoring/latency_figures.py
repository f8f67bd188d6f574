"""Latency of everything that is compared, beside its accuracy and its cost (LLMRouterBench, Fig. 9; C.15)."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from scoring.contenders import DATASET_ORACLE, ORACLE, RANDOM
from scoring.evaluation import Evaluation, scored_queries
from scoring.latency import estimated_latency, non_dominated
from scoring.metrics import Floats, choice_cost, group_sum, oracle, random_expectation, take_choice
from scoring.provider_figures import ProviderFigures

Result = dict[str, Any]
Row = dict[str, Any]


def latency_figures(
    evaluation: Evaluation, result: Result, completion_tokens: Floats, providers: ProviderFigures
) -> tuple[dict[str, Any], list[str]]:
    """Mean estimated seconds of an answer, averaged like AvgAcc: queries, then benchmarks, then seeds.

    A missing pair is left out of the mean, as it is out of AvgAcc; an unknown latency makes unknown what needs it. The
    calls of a cascade run one after the other, so their latencies add up. Random waits as long as is expected, the
    Oracle for the fastest of the models whose score and cost it has.

    Args:
        evaluation: what was reduced. result: of it, from `scoring.reduction.reduce`.
        completion_tokens: [n_queries, n_models], NaN unknown.
        providers: models that are missing there are unknown; those that the evaluation lacks are ignored.

    Returns:
        Plain JSON values: source, and rows of Random, Dataset Oracle, Oracle, complete single models and every
        trade-off of every contestant, each with name, kind, trade_off, avg_acc, cost_usd, latency_s, and is_on_front:
        whether no model and no trade-off is as good in all three and better in one; None for references and where
        the cost is unknown.
        Notes: a sentence about those without a row, since their latency is unknown.
    """
    data = scored_queries(evaluation)
    speed = np.array([providers.speed.get(model, (np.nan, np.nan)) for model in data.models])
    seconds = estimated_latency(completion_tokens, *speed.T)
    references = {row["name"]: row for row in result["references"]}
    latency_s: dict[tuple[str, str, float | None], float] = {}
    for name, pairs in _references(data, seconds, references[DATASET_ORACLE]["models"]):
        latency_s["reference", name, None] = float(_mean(data, pairs))
    of_models = _mean(data, [(data.score[rows].T, seconds[rows].T) for rows in data.test])
    latency_s |= {("model", name, None): value for name, value in zip(data.models, of_models.tolist(), strict=True)}
    for router in data.routers:
        of_trade_offs = _mean(
            data,
            (
                (take_choice(data.score[rows], choice), choice_cost(seconds[rows], choice, calls))
                for rows, choice, calls in zip(data.test, router.choice, router.calls, strict=True)
            ),
        )
        for trade_off, value in zip(router.trade_off.tolist(), of_trade_offs.tolist(), strict=True):
            latency_s["router", router.name, None if np.isnan(trade_off) else trade_off] = value
    compared = [references[name] for name in (RANDOM, DATASET_ORACLE, ORACLE)] + result["points"]
    rows = [
        {key: row.get(key) for key in ("name", "kind", "trade_off", "avg_acc", "cost_usd")}
        | {"latency_s": latency_s.get((row["kind"], row["name"], row.get("trade_off")), np.nan), "is_on_front": None}
        for row in compared
    ]
    unknown = dict.fromkeys(row["name"] for row in rows if np.isnan(row["latency_s"]))
    known = [row for row in rows if not np.isnan(row["latency_s"])]
    _place(known)
    why = f"Latency is left out where a model has no speed in {providers.source}, or an answer no number of tokens"
    notes = [f"{why}: {', '.join(unknown)}."] if unknown else []
    return {"source": providers.source, "rows": known}, notes


def _references(
    data: Evaluation, seconds: Floats, experts: list[str]
) -> Iterator[tuple[str, list[tuple[Floats, Floats]]]]:
    """Name, and per seed score and seconds [n_test], of Random, Dataset Oracle and Oracle.

    Args:
        seconds: [n_queries, n_models]. experts: the Dataset Oracle's model of each benchmark.
    """
    expert = np.array([data.models.index(name) for name in experts])[data.benchmark]
    best, cheapest = oracle(data.score, data.cost)
    is_taken = (data.score == best[:, None]) & (data.cost == cheapest[:, None])
    fastest = np.where(is_taken.any(axis=1), np.where(is_taken, seconds, np.inf).min(axis=1), np.nan)
    for name, score, wait in (
        (RANDOM, *random_expectation(data.score, seconds)),
        (DATASET_ORACLE, take_choice(data.score, expert), take_choice(seconds, expert)),
        (ORACLE, best, fastest),
    ):
        yield name, [(score[rows], wait[rows]) for rows in data.test]


def _mean(data: Evaluation, pairs: Iterable[tuple[Floats, Floats]]) -> Floats:
    """Mean seconds over queries, benchmarks and seeds, [...], NaN where a pair that has a score has no latency.

    Args:
        pairs: per seed score and seconds, each [..., n_test of the seed].
    """
    means, n_benchmarks = [], len(data.benchmarks)
    for rows, (score, seconds) in zip(data.test, pairs, strict=True):
        is_there, group = ~np.isnan(score), data.benchmark[rows]
        total = group_sum(np.where(is_there, seconds, 0.0), group, n_benchmarks)
        count = group_sum(is_there.astype(np.float64), group, n_benchmarks)
        means.append(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
    return np.mean(means, axis=0).mean(axis=-1)


def _place(rows: list[Row]) -> None:
    """Set is_on_front of the models and routers whose cost is known."""
    placed = [row for row in rows if row["kind"] != "reference" and row["cost_usd"] is not None]
    keys = ("avg_acc", "cost_usd", "latency_s")
    for row, is_on_front in zip(
        placed, non_dominated(*(np.array([row[key] for row in placed]) for key in keys)), strict=True
    ):
        row["is_on_front"] = bool(is_on_front)
