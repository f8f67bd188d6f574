"""Queries x models arrays of one setting, cut from the store without reading any response text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from store.errors import StoreError
from store.layout import Layout
from store.queries import read_query_columns
from store.responses import read_values
from store.scores import read_scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Everything the routers and metrics compute on; rows sorted by (benchmark, index), models by name.

    Attributes:
        benchmarks, models: names.
        benchmark: number of each query's benchmark, int64 [n_queries].
        index: its index there, int64 [n_queries].
        prompt_group: equal numbers for queries of one benchmark with equal prompts, int64 [n_queries]. Such queries
            must stay on one side of a split.
        score: float64 [n_queries, n_models] in [0, 1], NaN where the pair is missing.
        cost: float64 [n_queries, n_models] in USD, NaN where missing or unknown. A missing pair is never free.
        completion_tokens: float64 [n_queries, n_models], NaN where unknown.
    """

    benchmarks: tuple[str, ...]
    models: tuple[str, ...]
    benchmark: NDArray[np.int64]
    index: NDArray[np.int64]
    prompt_group: NDArray[np.int64]
    score: NDArray[np.float64]
    cost: NDArray[np.float64]
    completion_tokens: NDArray[np.float64]


def match_names(patterns: Sequence[str], names: Sequence[str], what: str) -> tuple[str, ...]:
    """Names that any of the shell patterns matches, sorted.

    Raises:
        StoreError: a pattern matches nothing.
    """
    found: set[str] = set()
    for pattern in patterns:
        hits = {name for name in names if fnmatchcase(name, pattern)}
        if not hits:
            raise StoreError(f"no {what} in the store matches {pattern!r}; there are: {', '.join(sorted(names))}")
        found |= hits
    return tuple(sorted(found))


def complete_models(layout: Layout, benchmarks: Sequence[str]) -> tuple[str, ...]:
    """Models that have scores for every one of the benchmarks, sorted."""
    scored = [set(layout.scored_models(benchmark)) for benchmark in benchmarks]
    return tuple(sorted(set.intersection(*scored))) if scored else ()


def load_matrix(
    layout: Layout,
    benchmarks: Sequence[str],
    models: Sequence[str],
    selection: Mapping[str, NDArray[np.int64]] | None = None,
) -> Matrix:
    """The matrix of these benchmarks and models, repeat 0.

    Args:
        selection: benchmark -> indices that count, where a setting uses a sample; every query by default.

    Raises:
        StoreError: no benchmark or no model is given, or a pair has no scores at all.
    """
    if not benchmarks or not models:
        raise StoreError("a matrix needs at least one benchmark and one model; check setting.benchmarks and .models")
    benchmarks, models = tuple(sorted(benchmarks)), tuple(sorted(models))
    rows = [_query_rows(layout, name, (selection or {}).get(name)) for name in benchmarks]
    sizes = [len(index) for index, _ in rows]
    planes = {name: np.full((sum(sizes), len(models)), np.nan) for name in ("score", "cost", "completion")}
    stops = np.cumsum(sizes)
    for name, (index, _), stop in zip(benchmarks, rows, stops, strict=True):
        for column, model in enumerate(models):
            _fill(
                layout,
                name,
                model,
                index,
                {key: plane[stop - len(index) : stop, column] for key, plane in planes.items()},
            )
    group_offsets = np.cumsum([0, *(len(np.unique(group)) for _, group in rows)])[:-1]
    return Matrix(
        benchmarks=benchmarks,
        models=models,
        benchmark=np.repeat(np.arange(len(benchmarks)), sizes),
        index=np.concatenate([index for index, _ in rows]),
        prompt_group=np.concatenate([group + offset for (_, group), offset in zip(rows, group_offsets, strict=True)]),
        score=planes["score"],
        cost=planes["cost"],
        completion_tokens=planes["completion"],
    )


def _query_rows(
    layout: Layout, benchmark: str, selection: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index and prompt group of the queries that count; groups are numbered by first appearance."""
    table, _ = read_query_columns(layout, benchmark, ["index", "messages"])
    numbers: dict[str, int] = {}
    group = np.array([numbers.setdefault(text, len(numbers)) for text in table["messages"]], np.int64)
    if selection is None:
        return table["index"], group
    keep = np.isin(table["index"], selection)
    if keep.sum() != len(np.unique(selection)):
        raise StoreError(f"{benchmark}: the setting selects indices that the store's queries do not have")
    return table["index"][keep], np.unique(group[keep], return_inverse=True)[1]


def _fill(layout: Layout, benchmark: str, model: str, index: NDArray[np.int64], planes: dict[str, NDArray]) -> None:
    """Write one pair's column of every plane, in place."""
    found = read_scores(layout, benchmark, model, ["index", "repeat", "score"])
    if found is None:
        raise StoreError(
            f"no scores of {model} on {benchmark} in {layout.root}; run launch/collect.py and launch/score.py, "
            "or leave it out of the setting"
        )
    scores = found[0]
    rows, at = _places(index, scores["index"], scores["repeat"])
    planes["score"][at] = scores["score"][rows]
    table = read_values(layout, benchmark, model, ["cost_usd", "completion_tokens"])
    rows, at = _places(index, table["index"], table["repeat"])
    for plane, column in (("cost", "cost_usd"), ("completion", "completion_tokens")):
        values = table[column][rows].astype(np.float64)
        values[values < 0] = np.nan  # -1 tokens means unknown
        planes[plane][at] = values
    planes["cost"][np.isnan(planes["score"])] = np.nan


def _places(
    index: NDArray[np.int64], row_index: NDArray[np.int64], repeat: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of repeat 0 whose index stands in `index`, which ascends, and where it stands there."""
    at = np.searchsorted(index, row_index)
    rows = np.flatnonzero((repeat == 0) & (at < len(index)))
    rows = rows[index[at[rows]] == row_index[rows]]
    return rows, at[rows]
