"""Responses of one model to one benchmark: any number of parts, one writer each; readers take the union.

A part belongs to one writer for its whole life and is rewritten whole at each commit, because two writers of one
name lose rows even with atomic renames (measured: 70 rows left of 100). An open part rolls over at 32 MB of text.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import DamagedFileError, StoreError
from store.layout import Layout
from store.merge import first_success
from store.queries import to_json
from store.records import Response
from store.tables import Table, read_table, write_table

KIND = "responses"
COLUMNS = tuple(field.name for field in fields(Response))
_NUMERIC = {
    "index": np.int64,
    "repeat": np.int64,
    "prompt_tokens": np.int64,
    "completion_tokens": np.int64,
    "cost_usd": np.float64,
    "latency_s": np.float64,
    "attempts": np.int64,
    "finished_at": np.float64,
}
_KEY_COLUMNS = ("index", "repeat", "failed", "finished_at")
_ROLL_OVER_BYTES = 32 << 20  # of text; building and compressing such a part takes about a second
_LIST_AGAIN = 5  # a file may be sealed away between listing and opening


class ResponseWriter:
    """Appends one model's responses to one benchmark, durably at each `commit`.

    Rows stay in memory until a commit has succeeded, and those of the open part until it rolls over.
    """

    def __init__(self, layout: Layout, benchmark: str, model: str, writer: str, meta: dict[str, Any]) -> None:
        """Nothing is written before the first commit.

        Args:
            writer: names job, task and restart; never used by anyone else, not even by a later attempt.
            meta: must hold `digest`, of everything that determines a response.

        Raises:
            ValueError: it does not.
        """
        if "digest" not in meta:
            raise ValueError(
                f"responses of {model} to {benchmark}: meta has no digest, so nobody could tell them apart"
            )
        self._layout, self._benchmark, self._model, self._writer = layout, benchmark, model, writer
        self._meta = {"benchmark": benchmark, "model": model, "writer": writer, **meta}
        self._part = 0
        self._rows: list[Response] = []
        self._committed = self._text_bytes = 0

    @property
    def n_pending(self) -> int:
        """Rows appended since the last commit."""
        return len(self._rows) - self._committed

    def append(self, response: Response) -> None:
        """Take a row into memory; it is not stored before `commit`."""
        self._rows.append(response)
        self._text_bytes += len(response.text)

    def commit(self) -> int:
        """Store all rows appended so far; gives back how many are new on disk.

        Raises:
            OSError: the disk is full or refuses. Nothing is lost: rows stay in memory, the next commit tries again.
        """
        n_new = self.n_pending
        if n_new:
            folder = self._layout.responses(self._benchmark, self._model)
            path = folder / f"{self._part:04d}.{self._writer}.h5"
            write_table(path, KIND, to_table(self._rows), self._meta, self._writer)
            self._committed = len(self._rows)
            if self._text_bytes > _ROLL_OVER_BYTES:
                self._part, self._rows, self._committed, self._text_bytes = self._part + 1, [], 0, 0
        return n_new


def to_table(responses: Sequence[Response]) -> Table:
    """Responses as columns, with `failed` beside `error` so that keys can be read without text."""
    table: Table = {
        name: np.array([getattr(row, name) for row in responses], dtype) for name, dtype in _NUMERIC.items()
    }
    table["failed"] = np.array([bool(row.error) for row in responses], np.bool_)
    for name in ("text", "error", "finish_reason"):
        table[name] = [getattr(row, name) for row in responses]
    table["extra"] = [to_json(row.extra) if row.extra else "" for row in responses]
    return table


def read_columns(
    layout: Layout,
    benchmark: str,
    model: str,
    names: Iterable[str],
    *,
    digest: str | None = None,
    damaged: list[str] | None = None,
) -> Table:
    """Chosen columns of the rows that count (`store.merge`), by (index, repeat).

    Args:
        names: any of the fields of `Response` and `failed`; `extra` comes as JSON text.
        digest: refuse parts made with another one.
        damaged: collects a line per unreadable part, whose rows are then left out; without it they raise.

    Raises:
        DamagedFileError: a part is unreadable and `damaged` was not given.
        StoreError: parts were made with different digests.
        NewerSchemaError: a part was made by a newer version.
    """
    wanted = list(dict.fromkeys([*_KEY_COLUMNS, *names]))
    parts = _read_parts(layout, benchmark, model, wanted, digest, damaged)
    columns = {name: _joined(parts, name) for name in wanted}
    rank = np.repeat(np.arange(len(parts)), [len(part["index"]) for part in parts])
    rows = first_success(columns["index"], columns["repeat"], columns["failed"], columns["finished_at"], rank)
    return {name: _pick(column, rows) for name, column in columns.items()}


def read_values(layout: Layout, benchmark: str, model: str, names: Iterable[str]) -> Table:
    """Index, repeat and chosen columns of the rows that `read_columns` gives, in its order; raises as it does.

    What decides among the rows of a key is read only where a key has several, since of a small file every column
    costs a tenth of a millisecond, and a matrix is made of hundreds of them.
    """
    wanted = list(dict.fromkeys(["index", "repeat", *names]))
    parts = _read_parts(layout, benchmark, model, wanted, None, None)
    columns = {name: _joined(parts, name) for name in wanted}
    index, repeat = columns["index"], columns["repeat"]
    rows = np.lexsort((repeat, index))
    if ((np.diff(index[rows]) == 0) & (np.diff(repeat[rows]) == 0)).any():
        table = read_columns(layout, benchmark, model, wanted)
        return {name: table[name] for name in wanted}
    return {name: _pick(column, rows) for name, column in columns.items()}


def read_responses(layout: Layout, benchmark: str, model: str, *, digest: str | None = None) -> list[Response]:
    """The responses that count, by (index, repeat); raises as `read_columns`."""
    table = read_columns(layout, benchmark, model, COLUMNS, digest=digest)
    columns = [table[name].tolist() if isinstance(table[name], np.ndarray) else table[name] for name in COLUMNS]
    at = COLUMNS.index("extra")
    columns[at] = [json.loads(text) if text else {} for text in columns[at]]
    return [Response(*row) for row in zip(*columns, strict=True)]


def missing_keys(
    layout: Layout,
    benchmark: str,
    model: str,
    indices: NDArray[np.int64],
    *,
    n_repeats: int = 1,
    digest: str | None = None,
    retry_failed: bool = False,
    damaged: list[str] | None = None,
) -> NDArray[np.int64]:
    """Keys without a readable response, int64 [n_missing, 2] of (index, repeat), ascending.

    Args:
        indices: the expected query indices, [n_queries].
        n_repeats: how many answers of each query are expected.
        digest: see `read_columns`; rows of another configuration are an error, never silently "there".
        retry_failed: count recorded failures as missing.
        damaged: see `read_columns`.
    """
    table = read_columns(layout, benchmark, model, (), digest=digest, damaged=damaged)
    return gaps(table, indices, n_repeats=n_repeats, retry_failed=retry_failed)


def gaps(
    table: Table, indices: NDArray[np.int64], *, n_repeats: int = 1, retry_failed: bool = False
) -> NDArray[np.int64]:
    """The same as `missing_keys` for columns that `read_columns` has given already."""
    counts = ~table["failed"] if retry_failed else np.ones(len(table["index"]), bool)
    width = max(n_repeats, int(table["repeat"].max(initial=0)) + 1)
    present = table["index"][counts] * width + table["repeat"][counts]
    expected = (np.unique(indices)[:, None] * width + np.arange(n_repeats)).ravel()
    absent = np.setdiff1d(expected, present, assume_unique=True)
    return np.stack([absent // width, absent % width], axis=1)


def _read_parts(
    layout: Layout, benchmark: str, model: str, names: list[str], digest: str | None, damaged: list[str] | None
) -> list[Table]:
    for _ in range(_LIST_AGAIN):
        parts: list[Table] = []
        notes: list[str] = []
        found: dict[str, Path] = {}  # digest -> a part that has it
        try:
            for path in layout.parts(benchmark, model):
                try:
                    table, meta = read_table(path, KIND, names)
                except DamagedFileError as error:
                    if damaged is None:
                        raise
                    notes.append(str(error))
                    continue
                parts.append(table)
                found.setdefault(meta["digest"], path)
        except FileNotFoundError:
            continue
        _refuse_mixture(found, digest)
        if damaged is not None:
            damaged.extend(notes)
        return parts
    raise StoreError(f"{layout.responses(benchmark, model)}: files keep vanishing while they are read; try again")


def _refuse_mixture(found: dict[str, Path], digest: str | None) -> None:
    """Raise if parts were made with different configurations, or with another one than the caller's."""
    for actual, path in found.items():
        expected = digest or next(iter(found))
        if actual != expected:
            raise StoreError(
                f"{path}: made with another model, prompt, sampling or engine version (digest {actual[:8]}, expected "
                f"{expected[:8]}; the file's meta says which). Use another store.root=… for the new configuration, or "
                "go back to the one that made it."
            )


def _joined(parts: list[Table], name: str) -> Any:
    """A column of all parts, one after another: an array, or a list of texts."""
    if parts and isinstance(parts[0][name], np.ndarray):
        return np.concatenate([part[name] for part in parts])
    if not parts and (name in _NUMERIC or name == "failed"):
        return np.empty(0, _NUMERIC.get(name, np.bool_))
    return [text for part in parts for text in part[name]]


def _pick(column: Any, rows: NDArray[np.int64]) -> Any:
    return column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows.tolist()]
