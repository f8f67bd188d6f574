"""Parquet to JSON lines, and records to Parquet. In `scoring` only this file imports pyarrow."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow.parquet import ParquetFile, write_table

from scoring.benchmark import BenchmarkError


def to_json_lines(path: Path, target: Path, columns: Sequence[str] | None = None) -> None:
    """Write the rows of a Parquet file as one JSON object a line, in their order.

    Args:
        columns: those that are kept, in this order; all by default.

    Raises:
        BenchmarkError: the file is no Parquet, or it lacks a column.
    """
    try:
        file = ParquetFile(path)
        names = list(columns or file.schema_arrow.names)
        if missing := set(names) - set(file.schema_arrow.names):
            raise BenchmarkError(f"{path.name} has no column {', '.join(sorted(missing))}; its form has changed")
        with target.open("w", encoding="utf-8", newline="\n") as lines:
            for batch in file.iter_batches(batch_size=1024, columns=names):
                for row in batch.to_pylist():
                    lines.write(json.dumps({name: row[name] for name in names}, ensure_ascii=False) + "\n")
    except pyarrow.ArrowException as error:
        raise BenchmarkError(f"{path.name} is no Parquet file that can be read ({error})") from error


def as_parquet(records: Sequence[dict[str, Any]]) -> bytes:
    """Records as a Parquet file; the same records give the same bytes under the same version of pyarrow.

    Args:
        records: all with the keys of the first one; values are str, bool, int, float, or None where unknown.

    Returns:
        The file, a column per key: string, bool, int64 or float64, with nulls. Of a column that has no value at all
        the name decides, so that the files of two runs fit together: bool if it begins with "is_", else float64.

    Raises:
        TypeError: a column mixes texts, truth values and numbers; the message names it.
    """
    schema, columns = [], []
    for name in records[0] if records else ():
        values = [record[name] for record in records]
        kind = _kind(name, {type(value) for value in values if value is not None})
        schema.append((name, kind))
        columns.append(pyarrow.array(values, kind))
    sink = pyarrow.BufferOutputStream()
    write_table(pyarrow.table(columns, schema=pyarrow.schema(schema)), sink)
    return sink.getvalue().to_pybytes()


def _kind(name: str, found: set[type]) -> pyarrow.DataType:
    if not found:
        return pyarrow.bool_() if name.startswith("is_") else pyarrow.float64()
    if found == {int, float}:
        return pyarrow.float64()
    kinds = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
    if len(found) > 1 or not found <= kinds.keys():
        raise TypeError(f"column {name!r} holds {', '.join(sorted(kind.__name__ for kind in found))}; one is allowed")
    return kinds[found.pop()]
