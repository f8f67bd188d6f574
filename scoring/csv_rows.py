"""Read the rows of a benchmark's CSV file, plain or gzip, with errors that name the row: `scoring.rows` for CSV."""

import csv
import gzip
import io
import zlib
from collections.abc import Collection
from pathlib import Path

from scoring.benchmark import BenchmarkError


def read_csv(path: Path, columns: Collection[str]) -> list[dict[str, str]]:
    """All rows of a UTF-8 file with a heading, in file order, as text by column; no row is shorter than the heading.

    Args:
        path: the file; gzip where the name ends in ".gz".
        columns: the columns that it must have.

    Raises:
        BenchmarkError: the file cannot be read, lacks a column, or a row has fewer or more cells than the heading.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise BenchmarkError(f"{path} cannot be read ({error}); get the file again") from error
    if missing := [column for column in columns if column not in (reader.fieldnames or ())]:
        raise BenchmarkError(f"{path} has no column {', '.join(map(repr, missing))}; get the file again")
    if not rows:
        raise BenchmarkError(f"{path} holds no row; get the file again")
    for number, row in enumerate(rows):
        if None in row or None in row.values():
            raise BenchmarkError(f"{path}, row {number}: not as many cells as the heading; get the file again")
    return rows
