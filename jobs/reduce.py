"""The final reduction: scores, costs and routings of a setting -> metrics, tables, figures, report."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from jobs.setting import Setting, all_columns, content_digest
from jobs.validation import headline, mean_over_seeds
from scoring.comparison import compare
from scoring.latency_figures import latency_figures
from scoring.paper_tables import encoder_figures
from scoring.provider_figures import ProviderFigures
from scoring.reduction import Evaluation, RouterRun, reduce
from scoring.report import write_report
from store.digest import digest
from store.embeddings import embedding_seconds
from store.errors import StoreError
from store.layout import Layout
from store.matrix import Matrix
from store.routings import Routing, read_routing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceTask:
    """A setting, the routers and seeds to compare, and the folder for the report.

    Attributes:
        usd_per_hour: price of the machine that routes, for the routers' own cost; None: unknown.
        prompt_characters: how much of each prompt queries.html shows; 0: nothing.
        compare_published: whether the figures of LLMRouterBench are set beside the measured ones.
        providers: figures from which latencies are estimated; None: no latencies.
        other_encoders: folders of reports on the same data with other encoders, for a table of them all.
    """

    setting: Setting
    routers: tuple[str, ...]
    seeds: tuple[int, ...]
    folder: Path
    n_resamples: int = 1000
    usd_per_hour: float | None = None
    prompt_characters: int = 160
    compare_published: bool = False
    providers: ProviderFigures | None = None
    other_encoders: tuple[Path, ...] = ()


def reduce_setting(task: ReduceTask) -> dict[str, Any]:
    """Writes the report; gives back the result behind it (`scoring.reduction.reduce`).

    Raises:
        StoreError: scores or routings are missing, a routing belongs to other data, or another report cannot be read.
        ValueError: the reports of other encoders are about other models, benchmarks or seeds.
    """
    setting = task.setting
    others = [_report(folder) for folder in task.other_encoders]
    matrix = setting.matrix()
    evaluation = evaluation_of(task, matrix)
    result = reduce(evaluation, n_resamples=task.n_resamples, usd_per_hour=task.usd_per_hour)
    if task.compare_published:
        result["published"] = compare(result, is_transfer=bool(setting.left_out or setting.new_models))
    if task.providers is not None:
        result["latency"], notes = latency_figures(evaluation, result, matrix.completion_tokens, task.providers)
        result["notes"] += notes
    if others:
        result["encoders"] = encoder_figures([result, *others])
    write_report(result, task.folder, evaluation, _prompts(task, matrix))
    return result


def evaluation_of(task: ReduceTask, matrix: Matrix) -> Evaluation:
    """What is reduced: the setting's matrix with what the routers chose; raises as `reduce_setting`."""
    setting = task.setting
    test = tuple(np.flatnonzero(~setting.train_mask(matrix, seed)) for seed in task.seeds)
    collected_score, collected_cost = setting.collected_columns(matrix)
    seconds = [embedding_seconds(Layout(setting.root), setting.encoder, name) for name in matrix.benchmarks]
    embedding_s = [float(np.array(seconds)[matrix.benchmark[rows]].sum()) for rows in test]
    runs = tuple(_run(task, matrix, name, test, embedding_s) for name in task.routers)
    return Evaluation(
        setting=setting.name, models=matrix.models, benchmarks=matrix.benchmarks, seeds=task.seeds,
        benchmark=matrix.benchmark, index=matrix.index, score=matrix.score, cost=matrix.cost,
        collected=setting.collected, collected_score=collected_score, collected_cost=collected_cost,
        test=test, routers=runs, provenance=_provenance(task, matrix),
    )  # fmt: skip


def _report(folder: Path) -> dict[str, Any]:
    """The result behind a report."""
    path = folder / "metrics.json"
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise StoreError(f"{path} is no report of launch/reduce.py: {error}") from None


def _run(
    task: ReduceTask, matrix: Matrix, name: str, test: Sequence[np.ndarray], embedding_s: Sequence[float]
) -> RouterRun:
    """One router over all seeds, its choices checked against the test queries of this very matrix.

    Args:
        test: per seed the rows of its test queries. embedding_s: per seed the seconds of embedding them.
    """
    layout, routings = Layout(task.setting.root), []
    for seed, rows in zip(task.seeds, test, strict=True):
        path = layout.routings(task.setting.name, name, seed)
        routing = read_routing(layout, task.setting.name, name, seed, with_utility=False)
        if routing is None:
            raise StoreError(f"{path} is missing; run launch/train.py first")
        same = (
            routing.meta["models"] == list(matrix.models)
            and routing.meta["benchmarks"] == list(matrix.benchmarks)
            and np.array_equal(routing.benchmark, matrix.benchmark[rows])
            and np.array_equal(routing.index, matrix.index[rows])
        )
        if not same:
            raise StoreError(f"{path} was made for other models, queries or another split; run launch/train.py again")
        routings.append(routing)
    validation = mean_over_seeds([routing.meta["validation"] for routing in routings])
    return RouterRun(
        name=name,
        is_reference=routings[0].meta["is_reference"],
        trade_off=routings[0].trade_off,
        headline=headline(validation),
        validation=validation,
        choice=tuple(np.ascontiguousarray(routing.choice) for routing in routings),
        fit_s=tuple(routing.meta["fit_s"] for routing in routings),
        route_s=tuple(routing.meta["route_s"] for routing in routings),
        calls=tuple(routing.calls for routing in routings),
        encode_s=tuple(
            _encode_s(routing, of_test_set) for routing, of_test_set in zip(routings, embedding_s, strict=True)
        ),
    )


def _encode_s(routing: Routing, embedding_s: float) -> float:
    """Seconds of embedding the test queries; 0 for a router that reads no embeddings, NaN where that is unknown."""
    if "inputs" not in routing.meta:  # of an earlier version
        return float("nan")
    return embedding_s if "embedding" in routing.meta["inputs"] else 0.0


def _prompts(task: ReduceTask, matrix: Matrix) -> list[str] | None:
    """The start of each query's text, its white space folded, "…" where it goes on; None where none is to be shown."""
    if not task.prompt_characters:
        return None
    text = all_columns(task.setting, matrix, frozenset({"text"})).text
    assert text is not None
    n = task.prompt_characters
    start = [" ".join(line[: 4 * n].split()) for line in text]  # long indentation is not to use up what is shown
    return [line[:n] + "…" * (len(line) > n) for line in start]


def _provenance(task: ReduceTask, matrix: Matrix) -> dict[str, Any]:
    setting = task.setting
    packages = ("routeyard", "numpy", "scikit-learn", "h5py")
    return {
        "data": content_digest(setting, matrix),
        "config": digest([setting.name, task.routers, task.seeds, task.n_resamples]),
        "encoder": setting.encoder,
        "train_share": setting.train_share,
        "split_rule": setting.split_rule,
        "headline_trade_off": "best AvgAcc on validation queries held out of the training split",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    }
