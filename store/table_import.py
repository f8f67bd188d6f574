"""Tables of per-query results -> store: published matrices of scores, one folder per benchmark.

    <folder>/<benchmark>/queries.parquet    index, query; may have prompt, ground_truth
    <folder>/<benchmark>/results.parquet    model, index, score; may have repeat, cost, prompt_tokens,
                                            completion_tokens, latency_s, raw_output, prediction, error

or the same as .csv. Other columns are not read; an empty cell is an unknown value, an empty score a missing pair.
Scores count as the publisher's verdicts and are never made again. Only this file reads tables, through pyarrow.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import ArrowException, BufferReader, csv, parquet
from pyarrow import Table as ArrowTable

from store.atomic import write_file
from store.errors import DamagedFileError, StoreError
from store.layout import Layout
from store.queries import write_queries
from store.records import Query
from store.release_format import DIGEST, SCORER
from store.responses import KIND
from store.scores import read_scores, write_scores
from store.tables import Table, read_meta, table_image

_SUFFIXES = (".parquet", ".csv")
_PART = f"sealed-{SCORER}-table.h5"


@dataclass(frozen=True, slots=True)
class TableResult:
    """What became of one benchmark's folder; `message` says why it, or a part of it, did not come in."""

    benchmark: str
    n_queries: int = 0
    n_models: int = 0
    n_results: int = 0
    n_new: int = 0  # models that were not there already
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether some of it did not come in."""
        return bool(self.message)


def import_tables(
    path: Path, layout: Layout, on_result: Callable[[TableResult], None] = lambda result: None
) -> list[TableResult]:
    """Bring every benchmark below a folder into the store; one that cannot be used leaves the others alone.

    Repeating it is cheap: models whose table has not changed are left as they are.

    Raises:
        StoreError: the folder does not exist, or nothing in it is such a table.
    """
    folders = sorted({table.parent for suffix in _SUFFIXES for table in path.glob(f"*/results{suffix}")})
    if not folders:
        raise StoreError(
            f"{path} has no <benchmark>/results.parquet (or .csv); see `python launch/import_table.py --help`"
        )
    results = []
    for folder in folders:
        try:
            result = _import_benchmark(folder, layout)
        except StoreError as error:
            result = TableResult(folder.name, message=str(error))
        results.append(result)
        on_result(result)
    return results


def _import_benchmark(folder: Path, layout: Layout) -> TableResult:
    benchmark = folder.name
    queries, _ = _read(folder, "queries", ("index", "query"))
    results, sha256 = _read(folder, "results", ("model", "index", "score"))
    write_queries(layout, benchmark, _queries(queries), {"source": SCORER})
    index = _numbers(results, "index", folder).astype(np.int64)
    if len(unknown := np.setdiff1d(index, _numbers(queries, "index", folder))):
        raise StoreError(f"{folder}: results of index {unknown[0]}, which is no query there")
    model = np.array(_texts(results, "model"), dtype=object)
    n_new, models = 0, sorted(set(model))
    for name in models:
        rows = np.flatnonzero(model == name)
        n_new += _import_pair(folder, layout, name, results.take(rows), sha256)
    return TableResult(benchmark, queries.num_rows, len(models), results.num_rows, n_new)


def _import_pair(folder: Path, layout: Layout, model: str, results: ArrowTable, sha256: str) -> bool:
    """One model's rows; False if they are there already."""
    benchmark = folder.name
    parts = layout.parts(benchmark, model)
    if others := [part for part in parts if part.name != _PART]:
        raise StoreError(
            f"{folder}: {others[0]} holds other responses of {model} on {benchmark}; import into another store "
            "(store.root=…)"
        )
    place = layout.responses(benchmark, model) / _PART
    if place in parts and read_meta(place, KIND)["sha256"] == sha256 and read_scores(layout, benchmark, model, ()):
        return False
    index = _numbers(results, "index", folder).astype(np.int64)
    repeat = _numbers(results, "repeat", folder, 0).astype(np.int64)
    order = np.lexsort((repeat, index))
    results, index, repeat = results.take(order), index[order], repeat[order]
    if (twice := (np.diff(index) == 0) & (np.diff(repeat) == 0)).any():
        raise StoreError(f"{folder}: {model} has index {index[twice.argmax()]} twice; give a column repeat")
    n_rows, errors = len(index), _texts(results, "error")
    responses: Table = {
        "index": index,
        "repeat": repeat,
        "prompt_tokens": _numbers(results, "prompt_tokens", folder, -1).astype(np.int64),
        "completion_tokens": _numbers(results, "completion_tokens", folder, -1).astype(np.int64),
        "cost_usd": _numbers(results, "cost", folder),
        "latency_s": _numbers(results, "latency_s", folder),
        "attempts": np.ones(n_rows, np.int64),
        "finished_at": np.zeros(n_rows),
        "failed": np.array([bool(error) for error in errors], np.bool_),
        "text": _texts(results, "raw_output"),
        "error": errors,
        "finish_reason": [""] * n_rows,
        "extra": [""] * n_rows,
    }
    meta = {"benchmark": benchmark, "model": model, "digest": DIGEST, "writer": "table", "source": str(folder),
            "sha256": sha256}  # fmt: skip
    scores = {
        "index": index,
        "repeat": repeat,
        "score": _numbers(results, "score", folder),
        "response_finished_at": np.zeros(n_rows),
        "prediction": _texts(results, "prediction"),
        "explanation": [""] * n_rows,
    }
    image = table_image(KIND, responses, meta)
    write_scores(layout, benchmark, model, scores, {"scorer": SCORER})
    write_file(place, image)
    return True


def _read(folder: Path, name: str, wanted: Sequence[str]) -> tuple[ArrowTable, str]:
    """A table and the digest of its bytes."""
    path = next((path for suffix in _SUFFIXES if (path := folder / f"{name}{suffix}").exists()), None)
    if path is None:
        raise StoreError(f"{folder} has no {name}.parquet (or .csv)")
    content = path.read_bytes()
    try:
        read: Any = parquet.read_table if path.suffix == ".parquet" else csv.read_csv
        table = read(BufferReader(content))
    except ArrowException as error:
        raise DamagedFileError(f"{path} cannot be read: {error}") from None
    if missing := [column for column in wanted if column not in table.column_names]:
        raise StoreError(f"{path} has no column {', '.join(missing)}; its columns: {', '.join(table.column_names)}")
    return table, hashlib.sha256(content).hexdigest()


def _queries(table: ArrowTable) -> list[Query]:
    index, text = table.column("index").to_pylist(), _texts(table, "query")
    prompt, gold = _texts(table, "prompt"), _texts(table, "ground_truth")
    return [
        Query(number, line, truth, ({"role": "user", "content": asked or line},))
        for number, line, asked, truth in zip(index, text, prompt, gold, strict=True)
    ]


def _texts(table: ArrowTable, name: str) -> list[str]:
    """A column as text, "" where it is empty or absent."""
    if name not in table.column_names:
        return [""] * table.num_rows
    return ["" if value is None else str(value) for value in table.column(name).to_pylist()]


def _numbers(table: ArrowTable, name: str, folder: Path, unknown: float = np.nan) -> NDArray[np.float64]:
    """A column as float64, `unknown` where it is empty or absent.

    Raises:
        StoreError: it holds something else than numbers.
    """
    if name not in table.column_names:
        return np.full(table.num_rows, unknown)
    try:
        values = np.array([np.nan if value is None else value for value in table.column(name).to_pylist()], np.float64)
    except (TypeError, ValueError) as error:
        raise StoreError(f"{folder}: column {name} holds more than numbers: {error}") from None
    return np.where(np.isnan(values), unknown, values)
