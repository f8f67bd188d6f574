"""CSV files of benchmarks: what is read, and that a damaged file is named."""

import gzip

import pytest

from scoring.benchmark import BenchmarkError
from scoring.csv_rows import read_csv


def test_quotes_line_feeds_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeffid,text\r\n1,"two, ""lines""\nof text"\r\n2,‘é’\r\n'.encode())
    assert read_csv(path, ["text"]) == [{"id": "1", "text": 'two, "lines"\nof text'}, {"id": "2", "text": "‘é’"}]


def test_gzip(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"id\n1\n"))
    assert read_csv(path, ["id"]) == [{"id": "1"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id\n1\n", "no column 'text', 'more'"),
        (b"text,more\n", "holds no row"),
        (b"", "no column"),
        (b"text,more\n1,2\n3\n", "row 1: not as many cells"),
        (b"text,more\n1,2,3\n", "row 0: not as many cells"),
        (b"text,more\n1,\xff\n", "cannot be read"),
        (b'text,more\n1,"2\n', "cannot be read"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=message) as raised:
        read_csv(path, ["text", "more"])
    assert str(path) in str(raised.value)


def test_a_damaged_archive_and_an_absent_file_are_named(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id\n1\n")[:-9])
    for name in ("a.csv.gz", "b.csv"):
        with pytest.raises(BenchmarkError, match="cannot be read"):
            read_csv(tmp_path / name, ["id"])
