"""What was measured beside what LLMRouterBench prints: one record per printed figure that has a counterpart in a run.

A printed figure and a measured one are subtracted only where they mean the same; `scoring.counterparts.REASONS` says
what stands against it otherwise. Where a printed mean covers benchmarks that do not compare, the mean of the same
printed row over those that do stands beside it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from scoring.contenders import BEST_SINGLE, DATASET_ORACLE, ORACLE, RANDOM
from scoring.counterparts import (
    FORBIDDING,
    REASONS,
    Pair,
    Reasons,
    Result,
    Run,
    has_encoder,
    model_pairs,
    seen_from,
    split_pairs,
)
from scoring.metrics import best_single, gain, gap
from scoring.published import TEST_TABLE, canonical, closest_setting, published_figures

Record = dict[str, Any]


def compare(result: Result, *, is_transfer: bool = False) -> dict[str, Any]:
    """Measured figures beside the published ones of the setting that shares most models with the run.

    Args:
        result: from `scoring.reduction.reduce`.
        is_transfer: whether benchmarks were left out in training, or models were new.

    Returns:
        Plain JSON values. Keys:

        - setting: the published one, None if no model or no benchmark is common.
        - rows: records with source, kind, name, trade_off (as printed), here (the name in this run), benchmark (None
          for a figure over n_benchmarks), metric, published, measured, difference (None where it would mislead),
          is_comparable, reasons (keys of `REASONS`). Accuracies and gains are fractions, costs USD.
        - tables: per printed table and kind of row n_compared, mean_absolute_difference, largest_difference and
          largest_at over the comparable figures of single benchmarks.
        - not_run: printed names without a counterpart here. only_here: models and benchmarks that are not printed.
        - reasons: those that occur, with their sentences. notes: sentences about the whole.
    """
    setting, own = closest_setting(result["models"]), {canonical(name): name for name in result["benchmarks"]}
    if setting is None or not set(own) & set(setting.benchmarks):
        what = "model" if setting is None else "benchmark"
        notes = [f"No {what} of this run is among the published ones: nothing can be compared."]
        empty: dict[str, Any] = {"setting": None, "rows": [], "tables": [], "not_run": [], "reasons": {}}
        return empty | {"only_here": [*result["models"], *result["benchmarks"]], "notes": notes}
    run = seen_from(setting, result, is_transfer)
    pairs = [*model_pairs(run), *split_pairs(run)]
    rows = [record for pair in pairs for record in _records(run, pair)] + [*_metric_records(run, pairs)]
    found = {record["name"] for record in rows}
    used = {reason for record in rows for reason in record["reasons"]}
    names = dict.fromkeys(name for table in setting.tables.values() for name in table.names)
    return {
        "setting": setting.name,
        "rows": rows,
        "tables": [*_summaries(rows)],
        "not_run": [name for name in names if name not in found],
        "only_here": [
            *(name for name in result["models"] if name not in setting.models),
            *(name for key, name in own.items() if key not in setting.benchmarks),
        ],
        "reasons": {reason: sentence for reason, sentence in REASONS.items() if reason in used},
        "notes": _notes(run),
    }


def _records(run: Run, pair: Pair) -> Iterator[Record]:
    """A pair benchmark by benchmark, its printed mean or total, and the same over the benchmarks that compare."""
    metric, total = ("avg_acc", np.mean) if pair.metric == "accuracy" else ("cost_usd", np.sum)
    is_printed, is_known = ~np.isnan(pair.printed), ~np.isnan(pair.measured)
    usable = is_printed & is_known & np.array([not reasons for reasons in pair.against])
    other_size = np.array(run.other_size) & (metric == "avg_acc")  # for a total, `against` says it of each benchmark
    forbidden = bool(set(pair.reasons) & set(FORBIDDING))
    for i in np.flatnonzero(is_printed & is_known & (not forbidden)):
        reasons = pair.reasons + pair.against[i] + (("queries",) if other_size[i] else ())
        yield _record(pair, pair.metric, pair.printed[i], pair.measured[i], reasons, 1, run.setting.benchmarks[i])
    general = tuple(reason for reasons in pair.against for reason in reasons)
    general += ("nine",) if not is_printed.all() else ()
    general += ("benchmarks",) if not run.has_all else ()
    has_overall = not np.isnan(pair.printed_overall)
    if has_overall:
        reasons = pair.reasons + general + (("queries",) if other_size.any() else ())
        yield _record(pair, metric, pair.printed_overall, pair.measured_overall, reasons, int(is_printed.sum()))
    if not forbidden and usable.any() and (general or not has_overall):
        reasons = pair.reasons + (("queries",) if other_size[usable].any() else ())
        published, measured = (float(total(of[usable])) for of in (pair.printed, pair.measured))
        common = replace(pair, source=pair.source if pair.source.startswith("models") else f"rows of {pair.source}")
        yield _record(common, metric, published, measured, reasons, int(usable.sum()))


def _metric_records(run: Run, pairs: list[Pair]) -> Iterator[Record]:
    """Figures 4, 7 and 8 and Table 10; in the setting performance also gains recomputed from Table 11."""
    rows = {row["name"]: row for row in [*run.result["routers"], *run.result["references"]]}
    table = f"Table {TEST_TABLE[run.setting.name][0]}"
    measured = {(p.name, p.here): p for p in reversed(pairs) if p.source == table and p.kind != "model"}
    for figure in published_figures():
        if figure.setting != run.setting.name or (figure.encoder and not has_encoder(run, figure.encoder)):
            continue
        for pair in (pair for (name, _), pair in measured.items() if name == figure.name):
            reasons = tuple(reason for reason in pair.reasons if not (figure.encoder and reason == "encoder"))
            reasons += _over_all(run, figure.metric) + _metric_reasons(figure.metric, pair)
            value = rows[pair.here].get(figure.metric)
            yield _record(
                replace(pair, source=figure.source, trade_off=""), figure.metric, figure.value,
                np.nan if value is None else value, reasons, len(run.column),
            )  # fmt: skip
    if run.setting.name == "performance" and not run.pool:
        for pair in measured.values():
            if pair.kind == "router" or pair.name == DATASET_ORACLE:
                yield from _gains(run, pair)


def _metric_reasons(metric: str, pair: Pair) -> Reasons:
    if metric == "gain_at_random":
        return ("draws",)
    if metric == "pareto_dist":
        return ("points",)
    if metric in ("perf_gain", "cost_save"):
        arenahard = tuple(reason for reasons in pair.against for reason in reasons)
        return ("theta", *arenahard, *(("nine",) if np.isnan(pair.printed).any() else ()))
    return ()


def _gains(run: Run, pair: Pair) -> Iterator[Record]:
    """Gain@R against the expectation of Random, and, on fewer benchmarks than printed, Gain@B and Gap@O on these."""
    table, usable = run.setting.tables["11"], ~np.isnan(pair.measured)
    names = [name for name, is_usable in zip(run.setting.benchmarks, usable, strict=True) if is_usable]
    references = {row["name"]: run.aligned(row["accuracy"]) for row in run.result["references"]}
    models = table.of_kind("model")
    best = models[best_single(models[:, usable], run.setting.models, names)]
    metrics: list[Any] = [("gain_at_random", gain, table.random_expectation(), RANDOM)]
    if not run.has_all:
        metrics += [("gain_at_best_single", gain, best, BEST_SINGLE)]
        metrics += [("gap_at_oracle", gap, table.value[table.row(ORACLE)], ORACLE)]
    reasons = pair.reasons + _size("accuracy", any(run.other_size))
    for metric, function, baseline, reference in metrics:
        both = ((pair.printed, baseline), (pair.measured, references[reference]))
        published, measured = (float(function(of[usable], against[usable], names).mean) for of, against in both)
        yield _record(replace(pair, source="rows of Table 11"), metric, published, measured, reasons, len(names))


def _over_all(run: Run, metric: str) -> Reasons:
    """What concerns figures over all printed benchmarks."""
    return (() if run.has_all else ("benchmarks",)) + _size(metric, any(run.other_size))


def _size(metric: str, is_other: bool) -> Reasons:
    """Another number of queries leaves a mean comparable, a total not."""
    if not is_other:
        return ()
    return ("total",) if metric == "cost_usd" else ("queries",)


def _record(
    pair: Pair, metric: str, published: float, measured: float, reasons: Reasons, n_benchmarks: int,
    benchmark: str | None = None,
) -> Record:  # fmt: skip
    if np.isnan(measured):
        reasons += ("unknown",)
    is_comparable = not set(reasons) & set(FORBIDDING)
    return {
        "source": pair.source,
        "kind": pair.kind,
        "name": pair.name,
        "trade_off": pair.trade_off,
        "here": pair.here,
        "benchmark": benchmark,
        "n_benchmarks": n_benchmarks,
        "metric": metric,
        "published": round(float(published), 9),
        "measured": None if np.isnan(measured) else float(measured),
        "difference": round(float(measured - published), 9) if is_comparable else None,
        "is_comparable": is_comparable,
        "reasons": [reason for reason in REASONS if reason in reasons],
    }


def _summaries(rows: list[Record]) -> Iterator[Record]:
    """How far the comparable figures of single benchmarks are apart, per table and kind of row."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for row in rows:
        if row["benchmark"] and row["is_comparable"]:
            groups.setdefault((row["source"], row["kind"]), []).append(row)
    for (source, kind), compared in groups.items():
        worst = max(compared, key=lambda row: abs(row["difference"]))
        yield {
            "source": source,
            "kind": kind,
            "metric": worst["metric"],
            "n_compared": len(compared),
            "mean_absolute_difference": float(np.mean([abs(row["difference"]) for row in compared])),
            "largest_difference": worst["difference"],
            "largest_at": [worst["here"], worst["benchmark"]],
        }


def _notes(run: Run) -> list[str]:
    setting, n_models = run.setting, len(set(run.result["models"]) & set(run.setting.models))
    n_benchmarks = len(run.column) - run.column.count(None)
    notes = [
        f"Compared with the setting {setting.name} of LLMRouterBench (arXiv 2601.07206): {n_models} of its "
        f"{len(setting.models)} models, {n_benchmarks} of its {len(setting.benchmarks)} benchmarks."
    ]
    if "pool" in run.pool:
        notes.append("The pool is another one: single models are compared, routers and the Oracle are not.")
    if not run.has_all:
        notes.append("The benchmarks are others: means and totals are compared over the common ones only.")
    notes.append("The authors scored with their own code; score.profile=compat comes closest to it.")
    return notes
