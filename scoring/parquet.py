"""Parquet to JSON lines. Only this file imports pyarrow, and only when there is something to convert."""

import json
from collections.abc import Sequence
from pathlib import Path

from scoring.benchmark import BenchmarkError


def to_json_lines(path: Path, target: Path, columns: Sequence[str] | None = None) -> None:
    """Write the rows of a Parquet file as one JSON object a line, in their order.

    Args:
        columns: those that are kept, in this order; all by default.

    Raises:
        BenchmarkError: pyarrow is missing, the file is no Parquet, or it lacks a column.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise BenchmarkError(f"pyarrow cannot be imported ({error}); pip install 'routeyard[data]'") from None
    try:
        file = ParquetFile(path)
        names = list(columns or file.schema_arrow.names)
        if missing := set(names) - set(file.schema_arrow.names):
            raise BenchmarkError(f"{path.name} has no column {', '.join(sorted(missing))}; its form has changed")
        with target.open("w", encoding="utf-8", newline="\n") as lines:
            for batch in file.iter_batches(batch_size=1024, columns=names):
                for row in batch.to_pylist():
                    lines.write(json.dumps({name: row[name] for name in names}, ensure_ascii=False) + "\n")
    except ArrowException as error:
        raise BenchmarkError(f"{path.name} is no Parquet file that can be read ({error})") from error
