"""Records as Parquet: types, unknown values, and the same bytes in another process."""

import csv
import io
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from pyarrow import BufferReader
from pyarrow.parquet import read_table

from scoring.parquet import as_parquet
from scoring.record_files import record_files

RECORDS = [
    {"name": "a, «b»", "n": 3, "share": 0.1, "mixed": 1, "is_known": True, "trade_off": None, "is_best": None},
    {"name": None, "n": None, "share": None, "mixed": 0.5, "is_known": None, "trade_off": None, "is_best": None},
]
TYPES = ["string", "int64", "double", "double", "bool", "double", "bool"]


def test_every_column_has_its_type_and_unknown_values_are_null():
    table = read_table(BufferReader(as_parquet(RECORDS)))
    assert [str(kind) for kind in table.schema.types] == TYPES
    assert table.to_pylist() == RECORDS


def test_a_column_of_texts_and_numbers_is_refused_by_name():
    with pytest.raises(TypeError, match="column 'value' holds float, str"):
        as_parquet([{"value": 1.0}, {"value": "one"}])


def test_no_record_is_a_file_without_columns():
    assert read_table(BufferReader(as_parquet([]))).shape == (0, 0)


def test_both_files_say_the_same():
    files = record_files({"some": RECORDS})
    assert list(files) == ["some.csv", "some.parquet"]
    rows = list(csv.DictReader(io.StringIO(files["some.csv"].decode())))
    table = read_table(BufferReader(files["some.parquet"])).to_pylist()
    assert rows == [{name: "" if value is None else str(value) for name, value in row.items()} for row in RECORDS]
    assert table[0]["share"] == float(rows[0]["share"])


def test_two_processes_write_the_same_bytes():
    root, here = Path(__file__).parents[2], Path(__file__).parent
    code = (
        "import hashlib; from test_parquet import RECORDS; from scoring.parquet import as_parquet;"
        "print(hashlib.sha256(as_parquet(RECORDS)).hexdigest())"
    )
    digests = {sha256(as_parquet(RECORDS)).hexdigest()}
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{root}{os.pathsep}{here}"}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        digests.add(run.stdout.strip())
    assert len(digests) == 1
