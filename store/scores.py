"""Scores: one small file per pair, made from responses and always possible to make again.

Each row remembers `response_finished_at`, the identity of the response it judged, so a score whose response was
replaced (a failure that later succeeded) is noticed and made again.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from store.errors import StoreError
from store.layout import Layout
from store.tables import Table, read_table, write_table

KIND = "scores"


def write_scores(layout: Layout, benchmark: str, model: str, table: Table, meta: dict[str, Any]) -> None:
    """Replace the scores of a pair.

    Args:
        table: index and repeat int64, score float64 in [0, 1] or NaN, response_finished_at float64, prediction and
            explanation text; all [n_rows].
        meta: scorer, scorer_version, profile, query_digest.

    Raises:
        StoreError: a score lies outside [0, 1].
    """
    score = np.asarray(table["score"], np.float64)
    bad = ~(np.isnan(score) | ((score >= 0) & (score <= 1)))
    if bad.any():
        row = int(bad.argmax())
        raise StoreError(
            f"{benchmark}, {model}, index {table['index'][row]}: score {score[row]} lies outside [0, 1]; "
            "mend the benchmark's score method."
        )
    path = layout.scores(benchmark, model)
    write_table(path, KIND, {**table, "score": score}, {"benchmark": benchmark, "model": model, **meta})


def read_scores(
    layout: Layout, benchmark: str, model: str, names: Iterable[str] | None = None
) -> tuple[Table, dict[str, Any]] | None:
    """Columns and meta of a pair's scores; None if it has none yet. Raises as `store.tables.read_table`."""
    try:
        return read_table(layout.scores(benchmark, model), KIND, names)
    except FileNotFoundError:
        return None
