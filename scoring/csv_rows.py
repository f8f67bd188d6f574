"""Read the rows of a benchmark's CSV file, plain or gzip, with errors that name the row: `scoring.rows` for CSV."""

import csv
import gzip
import io
import zlib
from collections.abc import Collection
from pathlib import Path

from scoring.benchmark import BenchmarkError


def read_csv(path: Path, columns: Collection[str], remedy: str = "get the file again") -> list[dict[str, str]]:
    """All rows of a UTF-8 file with a heading, in file order, as text by column; no row is shorter than the heading.

    Args:
        path: the file; gzip where the name ends in ".gz".
        columns: the columns that it must have.
        remedy: what a person should do about a file that is refused.

    Raises:
        BenchmarkError: the file cannot be read, lacks a column, or a row has fewer or more cells than the heading.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise BenchmarkError(f"{path} cannot be read ({error}); {remedy}") from error
    if missing := [column for column in columns if column not in (reader.fieldnames or ())]:
        raise BenchmarkError(f"{path} has no column {', '.join(map(repr, missing))}; {remedy}")
    if not rows:
        raise BenchmarkError(f"{path} holds no row; {remedy}")
    for number, row in enumerate(rows):
        if None in row or None in row.values():
            raise BenchmarkError(f"{path}, row {number}: not as many cells as the heading; {remedy}")
    return rows
