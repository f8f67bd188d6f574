"""What of a run stands for which printed row of LLMRouterBench, and what speaks against comparing the two."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoring.contenders import DATASET_ORACLE, ORACLE, RANDOM
from scoring.metrics import Floats, dataset_oracle
from scoring.published import (
    ENCODER,
    MODELS_TABLE,
    SEEDS,
    TEST_TABLE,
    TRADE_OFFS,
    TRAIN_SHARE,
    PublishedSetting,
    PublishedTable,
    canonical,
)

Result = dict[str, Any]
Row = dict[str, Any]
Reasons = tuple[str, ...]

# printed name -> the names that its like have in configs/router -> what these do otherwise than the published runs
ROUTERS: dict[str, dict[str, Reasons]] = {
    "RouterDC": {"router_dc": ("peak",), "router_dc_minilm": ("peak", "small encoder")},
    "EmbedLLM": {"embedllm_test_peak": (), "embedllm": ("peak",)},
    "GraphRouter": {"graphrouter_told": ("peak",), "graphrouter": ("peak", "told"), "graphrouter_pf": ("peak", "told")},
    "Model-SAT": {"model_sat": ("peak",), "model_sat_minilm": ("peak", "small encoder")},
    "Avengers": {"avengers": ()},
    "Avengers-Pro": {"avengers_pro": ()},
    "HybridLLM": {
        "hybrid_llm": ("point",),
        "hybrid_llm_minilm": ("point", "small encoder"),
        "hybrid_llm_mlp": ("point", "small encoder"),
    },
    "FrugalGPT": {
        "frugalgpt_query": ("point", "small encoder"),
        "frugalgpt": ("point", "small encoder"),
        "frugalgpt_encoder": ("point",),
        "frugalgpt_encoder_minilm": ("point", "small encoder"),
    },
    "RouteLLM": {"routellm_mf_binary": ("point",)},
    "OpenRouter": {"openrouter-auto": ()},
}
ON_EMBEDDINGS = ("EmbedLLM", "GraphRouter", "Avengers", "Avengers-Pro", "RouteLLM")

FORBIDDING = {
    "draws": "Random is printed as one draw, with the same stream for every seed; here it is the exact expectation.",
    "arenahard": "Printed with half right answers of ArenaHard counted as right; here they count one half.",
    "nine": "Printed over nine of ten benchmarks, beside rows over ten.",
    "total": "A total in USD, over another number of queries here.",
    "benchmarks": "Printed over other benchmarks than this run has.",
    "pool": "Depends on all models, and those of this run are not the published pool.",
    "transfer": "Routers here saw no training queries of some benchmarks, or hardly any scores of some models.",
    "points": "ParetoDist depends on all points that are compared, and those are others here.",
    "unknown": "Unknown here.",
}
RESERVATIONS = {
    "peak": "Published: the epoch that is best on the test split. Here: best on validation queries.",
    "told": "Published: told a description of every query's benchmark. Here: not told.",
    "point": "Published at one operating point that is not known exactly. Here: at the headline trade-off.",
    "theta": "θ is chosen on the test curve, there as here; the published curve of Avengers-Pro has 101 trade-offs.",
    "encoder": f"Published with {ENCODER}. Here: another encoder.",
    "small encoder": "Published with a fine-tuned encoder of 7B. Here: a small one, or the stored embeddings.",
    "incomplete model": "The published pool has a model that lacks a benchmark; this run leaves it out.",
    "training": "The router was trained on other benchmarks than the published one.",
    "split": "Other test queries: the published ones are setting.split_rule=reference, 70/30, the five seeds.",
    "queries": "A benchmark has another number of queries here.",
    "missing": "Some pairs have no score, or no known cost, here.",
}
REASONS = FORBIDDING | RESERVATIONS

# Rows that score ArenaHard otherwise than single models (spec C.11); in Table 13 the one whose cost follows from it.
_OTHER_ARENAHARD = {"12": ("GraphRouter", "RouteLLM", "FrugalGPT", ORACLE), "13": (ORACLE,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's result seen from a published setting.

    Attributes:
        column: number in the result of each published benchmark, None where it is absent.
        has_all: exactly the published benchmarks.
        pool: what speaks against figures that depend on all models; nothing if they are exactly the published ones.
        is_transfer: benchmarks were left out in training, or models were new.
        other_size: whether each published benchmark has clearly more or fewer queries here.
    """

    setting: PublishedSetting
    result: Result
    column: tuple[int | None, ...]
    has_all: bool
    pool: Reasons
    is_transfer: bool
    other_size: tuple[bool, ...]

    def aligned(self, values: list[float | None]) -> Floats:
        """A value per benchmark of the result as one per published benchmark, NaN where there is none."""
        found = (None if column is None else values[column] for column in self.column)
        return np.array([np.nan if value is None else value for value in found], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A printed row and what was measured for it, fractions or USD, over the published benchmarks.

    Attributes:
        source: "Table 11" or the like. kind, name, trade_off: of the printed row. here: the name in this run.
        metric: "accuracy" or "cost_usd".
        reasons: keys of `REASONS` that concern the whole row. against: further ones per benchmark.
    """

    source: str
    kind: str
    name: str
    trade_off: str
    here: str
    metric: str
    printed: Floats
    printed_overall: float
    measured: Floats
    measured_overall: float
    reasons: Reasons
    against: tuple[Reasons, ...]


def seen_from(setting: PublishedSetting, result: Result, is_transfer: bool) -> Run:
    """The run in the axes of a published setting."""
    own, size = [canonical(name) for name in result["benchmarks"]], result["all_queries"]["n_queries"]
    column = tuple(own.index(name) if name in own else None for name in setting.benchmarks)
    return Run(
        setting=setting,
        result=result,
        column=column,
        has_all=None not in column and len(own) == len(column),
        pool=_pool(setting, result["models"]),
        is_transfer=is_transfer,
        # a few duplicates more or less do not make another benchmark
        other_size=tuple(
            i is not None and abs(size[i] - printed) > 0.01 * printed
            for i, printed in zip(column, setting.n_queries, strict=True)
        ),
    )


def model_pairs(run: Run) -> Iterator[Pair]:
    """Single models over all queries: Tables 4, 5 and 6."""
    for table, metric, (key, _) in _tables(run, MODELS_TABLE):
        for name, values in zip(run.result["models"], run.result["all_queries"][key], strict=True):
            if name in run.setting.models:
                measured = run.aligned(values)
                overall = np.mean(measured) if metric == "accuracy" else np.sum(measured)
                yield _pair(run, table, table.row(name), name, metric, measured, float(overall), ())


def split_pairs(run: Run) -> Iterator[Pair]:
    """Everything on the test split: Tables 11, 12 and 13; the expectation of Random follows from their models."""
    rows = {(row["kind"], row["name"]): row for row in run.result["single_models"] + run.result["references"]}
    for table, metric, keys in _tables(run, TEST_TABLE):
        for i, kind_and_name in enumerate(zip(table.kinds, table.names, strict=True)):
            if kind_and_name[0] == "router":
                yield from _router_pairs(run, table, i, metric, keys)
            elif kind_and_name in rows:
                reasons = run.pool if kind_and_name[0] == "reference" else ()
                reasons += ("draws",) if kind_and_name[1] == RANDOM else ()
                yield _of_row(run, table, i, rows[kind_and_name], metric, keys, reasons)
        if set(run.result["models"]) <= set(run.setting.models):
            for name, printed in _recomputed(run, table).items():
                pair = _of_row(run, table, table.row(name), rows["reference", name], metric, keys, ())
                overall = float(printed.mean() if metric == "accuracy" else printed.sum())
                source = f"models of {pair.source}"
                yield replace(pair, source=source, printed=printed, printed_overall=overall)


def _router_pairs(run: Run, table: PublishedTable, i: int, metric: str, keys: tuple[str, str]) -> Iterator[Pair]:
    """The routers of this run that stand for a printed one, at the printed trade-off where that has one."""
    name, printed = table.names[i], table.trade_offs[i]
    kin = ROUTERS[name]
    for row in (row for row in run.result["routers"] if row["name"] in kin):
        reasons = run.pool + kin[row["name"]] + (("training",) if not run.has_all else ())
        reasons += ("transfer",) if run.is_transfer else ()
        reasons += ("encoder",) if name in ON_EMBEDDINGS and not has_encoder(run, ENCODER) else ()
        is_headline = not printed or _is_at(printed, row["trade_off"]) or (printed == "PF" and row["n_trade_offs"] == 1)
        if is_headline:
            yield _of_row(run, table, i, row, metric, keys, reasons)
            continue
        for point in run.result["points"]:  # known over all benchmarks together only
            if (point["kind"], point["name"]) == ("router", row["name"]) and _is_at(printed, point["trade_off"]):
                overall = point["avg_acc" if metric == "accuracy" else "cost_usd"]
                nowhere = np.full(len(run.column), np.nan)
                reasons += _other_split(run.result, metric)
                yield _pair(run, table, i, row["name"], metric, nowhere, _number(overall), reasons)


def _recomputed(run: Run, table: PublishedTable) -> dict[str, Floats]:
    """References of the run's models by their printed rows: Random, and in a part of the pool the Dataset Oracle."""
    models = [table.row(name) for name in run.result["models"]]
    references = {RANDOM: table.random_expectation(run.result["models"])}
    if run.pool:
        accuracy = run.setting.tables[TEST_TABLE[run.setting.name][0]]  # it lists the same models in the same rows
        best = dataset_oracle(accuracy.value[models], run.setting.benchmarks)
        references[DATASET_ORACLE] = table.value[np.array(models)[best], np.arange(len(best))]
    return references


def _is_at(printed: str, trade_off: float | None) -> bool:
    return trade_off is not None and bool(np.isclose(float(TRADE_OFFS.get(printed, printed)), trade_off))


def _of_row(
    run: Run, table: PublishedTable, i: int, row: Row, metric: str, keys: tuple[str, str], reasons: Reasons
) -> Pair:
    reasons += _other_split(run.result, metric)
    reasons += ("missing",) if row["n_missing" if metric == "accuracy" else "n_unknown_cost"] else ()
    return _pair(run, table, i, row["name"], metric, run.aligned(row[keys[0]]), _number(row[keys[1]]), reasons)


def _pair(
    run: Run, table: PublishedTable, i: int, here: str, metric: str, measured: Floats, overall: float, reasons: Reasons
) -> Pair:
    is_other = table.names[i] in _OTHER_ARENAHARD.get(table.number, ())
    against = tuple(
        (("arenahard",) if is_other and name == "arenahard" else ())
        + (("total",) if metric == "cost_usd" and other_size else ())
        for name, other_size in zip(run.setting.benchmarks, run.other_size, strict=True)
    )
    return Pair(
        source=f"Table {table.number}", kind=table.kinds[i], name=table.names[i], trade_off=table.trade_offs[i],
        here=here, metric=metric, printed=table.value[i], printed_overall=float(table.overall[i]), measured=measured,
        measured_overall=overall, reasons=reasons, against=against,
    )  # fmt: skip


def _tables(
    run: Run, numbers: dict[str, tuple[str, str | None]]
) -> Iterator[tuple[PublishedTable, str, tuple[str, str]]]:
    """The accuracy table, and that of costs where any are known here; metric, and the keys of a result's row."""
    accuracy, cost = numbers[run.setting.name]
    yield run.setting.tables[accuracy], "accuracy", ("accuracy", "avg_acc")
    if cost is not None and run.result["has_cost"]:
        yield run.setting.tables[cost], "cost_usd", ("cost_usd_per_benchmark", "cost_usd")


def has_encoder(run: Run, name: str) -> bool:
    """Whether the run's embeddings are those of an encoder."""
    return canonical(str(run.result["provenance"].get("encoder"))) == canonical(name)


def _other_split(result: Result, metric: str) -> Reasons:
    seen = result["provenance"]
    is_share = seen.get("train_share") == TRAIN_SHARE
    is_same = is_share and seen.get("split_rule") == "reference" and set(result["seeds"]) == set(SEEDS)
    return (() if is_same else ("split",)) + (() if is_share or metric != "cost_usd" else ("total",))


def _pool(setting: PublishedSetting, models: list[str]) -> Reasons:
    if set(models) == set(setting.models):
        return ()
    printed = setting.tables[MODELS_TABLE[setting.name][0]]
    complete = ~np.isnan(printed.value).any(axis=1)
    is_complete_part = set(models) == {printed.names[i] for i in np.flatnonzero(complete)}
    return ("incomplete model",) if is_complete_part else ("pool",)


def _number(value: float | None) -> float:
    return np.nan if value is None else value
