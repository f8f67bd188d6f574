"""Read the rows of a benchmark's file: JSON lines or one JSON array, plain or gzip, with errors that name the line.

Every benchmark whose data are rows uses `find_file` and `read_rows`; both raise `BenchmarkError` with what was wrong,
where, and what to do. Rows stay plain dictionaries: a columnar table would give all rows the union of their keys.
"""

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoring.benchmark import BenchmarkError

Row = dict[str, Any]
Kind = type | tuple[type, ...]


def find_file(data_dir: Path, name: str, source: str) -> Path:
    """The file of that name below the data folder, or its gzip form.

    Args:
        data_dir: the folder that holds all benchmarks' files.
        name: path below it, such as "math500/test.jsonl"; "math500/test.jsonl.gz" is accepted for it.
        source: where the file can be had, for the error message.

    Raises:
        BenchmarkError: neither exists.
    """
    path = Path(data_dir) / name
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.is_file():
            return candidate
    raise BenchmarkError(
        f"no file {path} (nor {path.name}.gz). It is {source}. Put it there (launch/fetch_data.py fetches what is "
        f"public), or set data_dir to the folder that holds {name}."
    )


def read_rows(path: Path, fields: Mapping[str, Kind]) -> list[Row]:
    """All rows of a file, in file order.

    Lines end at a line feed only, since question text may hold other line separators; blank lines are skipped.

    Args:
        path: UTF-8 file of JSON objects, one a line, or one JSON array of objects; gzip where the name ends in ".gz".
        fields: the keys every row must have, with the type of their value (or several types).

    Raises:
        BenchmarkError: the file cannot be read, or a row is no JSON object with these fields; with file and line
            (or entry, for an array).
    """
    content = _content(path)
    if content.lstrip().startswith("["):
        rows = [(f"entry {number}", row) for number, row in enumerate(_parse(content, f"{path}"), 1)]
    else:
        lines = [(f"line {number}", line) for number, line in enumerate(content.split("\n"), 1) if line.strip()]
        rows = [(where, _parse(line, f"{path}, {where}")) for where, line in lines]
    if not rows:
        raise BenchmarkError(f"{path} holds no row; get the file again")
    for where, row in rows:
        _check(row, fields, f"{path}, {where}")
    return [row for _, row in rows]


def _content(path: Path) -> str:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise BenchmarkError(f"{path} cannot be read ({error}); get the file again") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BenchmarkError(f"{path}, line {line}: not UTF-8 ({error.reason}); get the file again") from error


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BenchmarkError(f"{where}: not JSON ({error}); get the file again or repair the line") from error


def _check(row: Any, fields: Mapping[str, Kind], where: str) -> None:
    if not isinstance(row, dict):
        raise BenchmarkError(f"{where}: expected a JSON object, found {type(row).__name__}")
    for name, kind in fields.items():
        if name not in row:
            raise BenchmarkError(f"{where}: no field {name!r}; it has {', '.join(map(repr, row)) or 'none'}")
        if not isinstance(row[name], kind):
            expected = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
            raise BenchmarkError(f"{where}: field {name!r} is {type(row[name]).__name__}, expected {expected}")
