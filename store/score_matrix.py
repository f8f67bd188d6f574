"""Scores of thousands of models on one benchmark: one dense file instead of a file per model.

8,500 models on 24,000 queries are 200 million scores. Where all are 0 or 1 they are kept as bits, eight queries to a
byte: 25 MB in memory, and a maximum over models is a bitwise or. Graded scores are float32. Both are a table of the
store, a row per model, with its promises: whole-file replacement and checksums.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import StoreError
from store.layout import Layout
from store.tables import Table, read_meta, read_table, write_table

_KIND = "score_matrices"
_BLOCK = 256  # models that are unpacked at once
_N_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class ScoreMatrix:
    """Scores of every model on every query; no pair is missing.

    Attributes:
        models: names, in the order of the source.
        n_queries: their numbers are the indices of the benchmark's queries, 0 to n_queries - 1.
        is_binary: every score is 0 or 1.
        values: uint8 [n_models, ceil(n_queries / 8)] of `numpy.packbits` if binary, the bits after the last query 0;
            else float32 [n_models, n_queries] in [0, 1].
    """

    models: tuple[str, ...]
    n_queries: int
    is_binary: bool
    values: NDArray[Any]

    def rows(self, models: NDArray[np.int64] | slice) -> NDArray[Any]:
        """Scores of these models, uint8 or float32 [n, n_queries]."""
        found = self.values[models]
        return np.unpackbits(found, axis=1, count=self.n_queries) if self.is_binary else found

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Scores of all models, some hundred at a time."""
        for start in range(0, len(self.models), _BLOCK):
            yield self.rows(slice(start, start + _BLOCK))

    def on(self, counted: NDArray[np.bool_]) -> NDArray[Any]:
        """Values in which only these queries count: others are 0 bits, or left out of the graded scores.

        Args:
            counted: [n_queries].
        """
        return self.values & np.packbits(counted) if self.is_binary else self.values[:, counted]

    def total(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Sum of scores over the last axis of values of this matrix's kind."""
        return (_N_ONES[values] if self.is_binary else values).sum(axis=-1, dtype=np.float64)

    @property
    def union(self) -> np.ufunc:
        """What gives the best score per query of two models' values."""
        return np.bitwise_or if self.is_binary else np.maximum


def pack(models: Sequence[str], score: NDArray[Any]) -> ScoreMatrix:
    """Scores as a matrix.

    Args:
        score: numbers [n_queries, n_models] in [0, 1], none missing.

    Raises:
        StoreError: a score lies outside [0, 1] or is missing, or the models' names are not as many or not distinct.
    """
    if score.ndim != 2 or score.shape[1] != len(models) or not score.size:
        raise StoreError(f"scores have shape {score.shape}, expected queries × {len(models)} models")
    if len(set(models)) < len(models):
        raise StoreError(f"model {next(name for name in models if models.count(name) > 1)} stands there twice")
    if not ((score >= 0) & (score <= 1)).all():
        query, model = np.argwhere(~((score >= 0) & (score <= 1)))[0]
        raise StoreError(f"{models[model]}, query {query}: score {score[query, model]} lies outside [0, 1]")
    is_binary = bool(((score == 0) | (score == 1)).all())
    values = np.packbits(score.T != 0, axis=1) if is_binary else np.ascontiguousarray(score.T, np.float32)
    return ScoreMatrix(tuple(models), len(score), is_binary, values)


def write_score_matrix(layout: Layout, benchmark: str, matrix: ScoreMatrix, meta: dict[str, Any]) -> None:
    """Replace the dense scores of a benchmark."""
    facts = {"benchmark": benchmark, "n_queries": matrix.n_queries, "is_binary": matrix.is_binary}
    columns: Table = {"model": list(matrix.models), "values": matrix.values}
    write_table(layout.score_matrix(benchmark), _KIND, columns, {**meta, **facts})


def read_score_matrix(layout: Layout, benchmark: str) -> ScoreMatrix:
    """The dense scores of a benchmark; raises as `store.tables.read_table`."""
    table, meta = read_table(layout.score_matrix(benchmark), _KIND)
    return ScoreMatrix(tuple(table["model"]), meta["n_queries"], meta["is_binary"], table["values"])


def matrix_meta(layout: Layout, benchmark: str) -> dict[str, Any]:
    """What is known of the file, {} if there is none."""
    try:
        return read_meta(layout.score_matrix(benchmark), _KIND)
    except FileNotFoundError:
        return {}
