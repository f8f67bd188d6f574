"""The tests of LiveCodeBench as published: large, so they stay in their files until a program needs them."""

import base64
import functools
import io
import json
import pickle
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scoring.benchmark import BenchmarkError
from scoring.graders.contest import Case
from scoring.rows import Kind, Row

_TESTS = ("public_test_cases", "private_test_cases")


def published_questions(path: Path, fields: Mapping[str, Kind]) -> Iterator[Row]:
    """The rows of a published file without their tests, but with "tests_at": the file and where in it the row begins.

    Args:
        path: JSON lines, not packed; read line by line.
        fields: the keys every row must have, with the type of their value.

    Raises:
        BenchmarkError: a row is malformed.
    """
    with path.open("rb") as file:
        offset = 0
        for number, line in enumerate(file, 1):
            if line.strip():
                row = _parsed(line, f"{path}, line {number}")
                for name, kind in (dict.fromkeys(_TESTS, str) | dict(fields)).items():
                    if not isinstance(row.get(name), kind):
                        raise BenchmarkError(f"{path}, line {number}: field {name!r} is missing or of another type")
                yield {key: value for key, value in row.items() if key not in _TESTS} | {
                    "tests_at": [str(path), offset]
                }
            offset += len(line)


@functools.lru_cache(maxsize=16)
def tests_at(path: str, offset: int) -> list[Case]:
    """All tests of the row that begins there, public ones first.

    Raises:
        BenchmarkError: the file has changed since it was loaded, or the tests cannot be decoded.
    """
    where = f"{path}, byte {offset}"
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            row = _parsed(file.readline(), where)
        return json.loads(row[_TESTS[0]]) + _private(row[_TESTS[1]])
    except (OSError, KeyError, ValueError, zlib.error, pickle.UnpicklingError, EOFError) as error:
        raise BenchmarkError(f"{where}: the tests cannot be read ({error}); get the file again") from error


def _private(encoded: str) -> list[Case]:
    """JSON, or JSON as a pickled string, compressed, in base64."""
    if encoded.lstrip().startswith("["):
        return json.loads(encoded)
    return json.loads(_StringUnpickler(io.BytesIO(zlib.decompress(base64.b64decode(encoded)))).load())


class _StringUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} in what should be a string")


def _parsed(line: bytes, where: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BenchmarkError(f"{where}: not JSON ({error}); get the file again") from error
    if not isinstance(row, dict):
        raise BenchmarkError(f"{where}: expected a JSON object; get the file again")
    return row
