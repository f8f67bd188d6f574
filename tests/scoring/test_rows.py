"""Reading rows: forms that are accepted, and errors that name file and line."""

import gzip
import json

import pytest

from scoring.benchmark import BenchmarkError
from scoring.rows import find_file, read_rows

ROWS = [{"q": "a\u2028b\u0085c", "n": 1}, {"q": "\ud800", "n": 2}]
FIELDS = {"q": str, "n": int}


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(map(json.dumps, ROWS)),
        "\n\n" + "\r\n\n".join(json.dumps(row, ensure_ascii=True) for row in ROWS) + "\n \n",
        json.dumps(ROWS, indent=2),
        "\ufeff" + json.dumps(ROWS),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_lines_and_arrays_plain_and_packed(tmp_path, content, suffix):
    path = tmp_path / f"rows.jsonl{suffix}"
    data = content.encode()
    path.write_bytes(gzip.compress(data) if suffix else data)
    assert read_rows(path, FIELDS) == ROWS


def test_separators_inside_text_do_not_end_a_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROWS[0], ensure_ascii=False), encoding="utf-8")
    assert read_rows(path, FIELDS) == ROWS[:1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"q": "", "n": 1}\n\n{"q": ', r"rows\.jsonl, line 3: not JSON"),
        (b'{"q": "", "n": 1}\n[1]', r"rows\.jsonl, line 2: expected a JSON object, found list"),
        (b'[{"q": "", "n": 1}, 5]', r"rows\.jsonl, entry 2: expected a JSON object, found int"),
        (b'[{"q": ""', r"rows\.jsonl: not JSON"),
        (b'{"q": "", "m": 1}', r"rows\.jsonl, line 1: no field 'n'; it has 'q', 'm'"),
        (b'{"q": 5, "n": 1}', r"rows\.jsonl, line 1: field 'q' is int, expected str"),
        (b'{"q": "", "n": 1}\n{"q": "\xff"}', r"rows\.jsonl, line 2: not UTF-8"),
        (b"", r"rows\.jsonl holds no row"),
        (b"[]", r"rows\.jsonl holds no row"),
    ],
)
def test_errors_name_file_and_line(tmp_path, content, message):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=message):
        read_rows(path, FIELDS)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"no gzip", lambda data: data[:20] + b"xx" + data[22:]]
)
def test_a_damaged_archive_is_named(tmp_path, damage):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(damage(gzip.compress(json.dumps(ROWS * 50).encode())))
    with pytest.raises(BenchmarkError, match=r"rows\.jsonl\.gz"):
        read_rows(path, FIELDS)


def test_a_field_of_several_types_says_which(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"q": 5}')
    with pytest.raises(BenchmarkError, match="expected list or dict"):
        read_rows(path, {"q": (list, dict)})


def test_the_plain_file_goes_before_the_packed_one(tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(BenchmarkError, match=r"no file .*b/rows\.jsonl \(nor rows\.jsonl\.gz\)\. It is the source\."):
        find_file(tmp_path, "b/rows.jsonl", "the source")
    packed = tmp_path / "b" / "rows.jsonl.gz"
    packed.touch()
    assert find_file(tmp_path, "b/rows.jsonl", "") == packed
    plain = tmp_path / "b" / "rows.jsonl"
    plain.touch()
    assert find_file(tmp_path, "b/rows.jsonl", "") == plain
