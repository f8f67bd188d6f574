"""Parts of one pair: commits, union, missing keys, refusals."""

from itertools import permutations
from pathlib import Path

import h5py
import numpy as np
import pytest
from store_samples import BENCHMARK, DIGEST, MODEL, add_part, answer, failure

import store.responses
from store.errors import DamagedFileError, NewerSchemaError, StoreError
from store.layout import Layout
from store.records import Response
from store.responses import (
    COLUMNS,
    ResponseWriter,
    missing_keys,
    read_columns,
    read_responses,
    read_values,
    to_table,
)
from store.tables import read_table


def read(layout: Layout, **options) -> list[Response]:
    return read_responses(layout, BENCHMARK, MODEL, **options)


def gaps(layout: Layout, indices: list[int], **options) -> list[tuple[int, int]]:
    return [tuple(key) for key in missing_keys(layout, BENCHMARK, MODEL, np.array(indices), **options).tolist()]


def flip_a_byte(path: Path) -> None:
    """Damage the superblock's checksummed part: the file cannot be opened."""
    image = bytearray(path.read_bytes())
    image[20] ^= 0xFF
    path.write_bytes(image)


def flip_in_column(path: Path, name: str) -> None:
    """Damage one column; the others can be read."""
    with h5py.File(path, "r", locking=False) as file:
        at = file[name].id.get_chunk_info(0).byte_offset
    image = bytearray(path.read_bytes())
    image[at] ^= 0xFF
    path.write_bytes(image)


def test_every_field_comes_back(layout: Layout):
    full = Response(
        4, 2, "text \0\ud800", "", "length", 10, 20, 0.25, 1.5, 3, 1e9 + 0.125, {"logprob": [-0.5, None], "ü": {"a": 1}}
    )
    add_part(layout, "w", [full, Response(1)])
    assert repr(read(layout)) == repr([Response(1), full])  # repr: NaN equals itself


def test_an_empty_pair_has_empty_columns_of_the_right_types(layout: Layout):
    table = read_columns(layout, BENCHMARK, MODEL, COLUMNS)
    empty = to_table([])
    assert table.keys() == empty.keys()
    for name, column in empty.items():
        assert len(table[name]) == 0
        assert getattr(table[name], "dtype", None) == getattr(column, "dtype", None), name
    assert read(layout) == []


def test_nothing_is_written_before_the_first_commit_nor_without_rows(layout: Layout):
    writer = ResponseWriter(layout, BENCHMARK, MODEL, "w", {"digest": DIGEST})
    assert writer.commit() == 0
    writer.append(answer(0))
    assert not layout.root.exists()
    assert writer.n_pending == 1


def test_a_commit_says_what_is_new(layout: Layout):
    writer = add_part(layout, "w", [answer(0), answer(1)])
    assert (writer.n_pending, writer.commit()) == (0, 0)
    writer.append(answer(2))
    assert writer.commit() == 1
    assert [row.index for row in read(layout)] == [0, 1, 2]


def test_a_failed_commit_keeps_the_rows(layout: Layout, monkeypatch: pytest.MonkeyPatch):
    writer = add_part(layout, "w", [answer(0)])
    writer.append(answer(1))

    def refuse(*_arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(store.responses, "write_table", refuse)
        with pytest.raises(OSError, match="No space"):
            writer.commit()
    assert writer.n_pending == 1
    assert [row.index for row in read(layout)] == [0]
    assert writer.commit() == 1
    assert [row.index for row in read(layout)] == [0, 1]


def test_a_part_rolls_over_at_the_size_limit(layout: Layout, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store.responses, "_ROLL_OVER_BYTES", 30_000)
    noise = np.random.default_rng(1)
    writer = ResponseWriter(layout, BENCHMARK, MODEL, "w", {"digest": DIGEST})
    rows = [answer(index, text=noise.bytes(5_000).hex()) for index in range(20)]
    for row in rows:
        writer.append(row)
        writer.commit()
    parts = layout.parts(BENCHMARK, MODEL)
    assert [path.name for path in parts] == [f"{number:04d}.w.h5" for number in range(len(parts))]
    assert len(parts) > 2
    assert all(
        30_000 < 10_000 * len(read_table(path, "responses", ["index"])[0]["index"]) <= 40_000 for path in parts[:-1]
    )
    assert repr(read(layout)) == repr(rows)


@pytest.mark.parametrize("names", list(permutations("abc")))
def test_the_first_success_wins_in_every_order_of_files(layout: Layout, names: tuple[str, ...]):
    early, late = answer(0, text="early", finished_at=5.0), answer(0, text="late", finished_at=9.0)
    rows = [failure(0, finished_at=1.0), late, early]
    for name, row in zip(names, rows, strict=True):
        add_part(layout, name, [row])
    assert [row.text for row in read(layout)] == ["early"]


def test_two_writers_of_the_same_keys_leave_one_record_each(layout: Layout):
    slow, quick = (ResponseWriter(layout, BENCHMARK, MODEL, name, {"digest": DIGEST}) for name in ("slow", "quick"))
    for index in range(10):  # commits in turn, the slow one stalls in the middle
        quick.append(answer(index, text="quick"))
        slow.append(answer(index, text="slow", finished_at=0.0 if index == 3 else 5000.0))
        quick.commit()
        if index != 5:
            slow.commit()
    found = read(layout)
    assert [row.index for row in found] == list(range(10))
    assert {row.text for row in found if row.index != 3} == {"quick"}
    assert found[3].text == "slow"


def test_failures_are_rows_until_a_success_comes(layout: Layout):
    add_part(layout, "a", [failure(0), failure(1), answer(2)])
    assert gaps(layout, [0, 1, 2]) == []
    assert gaps(layout, [0, 1, 2], retry_failed=True) == [(0, 0), (1, 0)]
    add_part(layout, "b", [answer(1, finished_at=9e9), failure(2, finished_at=0.0)])
    assert gaps(layout, [0, 1, 2], retry_failed=True) == [(0, 0)]
    assert [row.error for row in read(layout)] == ["TimeoutError: 30 s", "", ""]


def test_missing_keys_of_repeats(layout: Layout):
    add_part(layout, "a", [answer(5), answer(5, repeat=2), answer(9, repeat=1), answer(40, repeat=7)])
    assert gaps(layout, [9, 5, 7]) == [(7, 0), (9, 0)]
    assert gaps(layout, [9, 5, 9], n_repeats=3) == [(5, 1), (9, 0), (9, 2)]
    assert gaps(layout, [5], n_repeats=1) == []
    assert gaps(layout, []) == []


def test_missing_keys_of_an_empty_store_are_all(layout: Layout):
    assert gaps(layout, [3, 1], n_repeats=2) == [(1, 0), (1, 1), (3, 0), (3, 1)]


def test_configurations_do_not_mix(layout: Layout):
    add_part(layout, "a", [answer(0)], digest="aaaaaaaa1111")
    for read_it in (read, lambda layout, **options: gaps(layout, [0], **options)):
        with pytest.raises(StoreError, match=r"0000\.a\.h5.*digest aaaaaaaa, expected bbbbbbbb"):
            read_it(layout, digest="bbbbbbbb2222")
    add_part(layout, "b", [answer(1)], digest="bbbbbbbb2222")
    for digest in (None, "aaaaaaaa1111", "bbbbbbbb2222"):
        with pytest.raises(StoreError, match=r"(?=.*aaaaaaaa)(?=.*bbbbbbbb)"):
            read(layout, digest=digest)


def test_a_damaged_part_costs_its_own_rows_only(layout: Layout):
    add_part(layout, "a", [answer(0), answer(1)])
    add_part(layout, "b", [answer(2)])
    flip_a_byte(layout.parts(BENCHMARK, MODEL)[0])
    with pytest.raises(DamagedFileError, match=r"0000\.a\.h5"):
        gaps(layout, [0, 1, 2])
    damaged: list[str] = []
    assert gaps(layout, [0, 1, 2], damaged=damaged) == [(0, 0), (1, 0)]
    assert len(damaged) == 1
    assert "0000.a.h5" in damaged[0]
    add_part(layout, "c", [answer(0), answer(1)])
    assert gaps(layout, [0, 1, 2], damaged=damaged) == []


def test_a_part_of_a_newer_version_is_never_taken_for_missing(layout: Layout, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as newer:
        newer.setattr("store.tables.SCHEMA_VERSION", 99)
        add_part(layout, "a", [answer(0)])
    with pytest.raises(NewerSchemaError):
        gaps(layout, [0], damaged=[])


def test_temporary_and_quarantined_files_are_not_parts(layout: Layout):
    add_part(layout, "a", [answer(0)])
    (part,) = layout.parts(BENCHMARK, MODEL)
    for name in (".0001.b.h5.b.0123abcd.tmp", "0001.b.h5.damaged", "notes.txt"):
        (part.parent / name).write_bytes(b"torn")
    assert [row.index for row in read(layout)] == [0]


def test_a_part_that_vanishes_while_reading_is_looked_for_again(layout: Layout, monkeypatch: pytest.MonkeyPatch):
    add_part(layout, "a", [answer(0)])
    add_part(layout, "b", [answer(1)])
    real_read, moves = store.responses.read_table, iter(layout.parts(BENCHMARK, MODEL))

    def read_while_parts_move(*arguments):
        if (path := next(moves, None)) is not None:
            path.rename(path.with_name(f"retired-{path.name}"))
        return real_read(*arguments)

    monkeypatch.setattr(store.responses, "read_table", read_while_parts_move)
    assert [row.index for row in read(layout)] == [0, 1]


def test_a_part_that_never_appears_is_an_error(layout: Layout):
    add_part(layout, "a", [answer(0)])
    folder = layout.responses(BENCHMARK, MODEL)
    (folder / "0000.b.h5").symlink_to("nowhere")
    with pytest.raises(StoreError, match="keep vanishing"):
        read(layout)


def test_only_the_chosen_columns_are_read(layout: Layout):
    add_part(layout, "a", [answer(1), failure(0)])
    table = read_columns(layout, BENCHMARK, MODEL, ["cost_usd", "text"])
    assert list(table) == ["index", "repeat", "failed", "finished_at", "cost_usd", "text"]
    assert table["failed"].tolist() == [True, False]
    assert table["text"] == ["", "answer 1.0"]


PAIRS = {
    "no response": [],
    "one part": [[answer(7), answer(3, repeat=1), failure(3), answer(5)]],
    "parts without a common key": [[answer(7), failure(2)], [answer(5), answer(7, repeat=1)]],
    "parts with a common key": [[answer(7), failure(2)], [answer(2, finished_at=9e9), answer(5)]],
    "a key twice in a part": [[failure(2), answer(7), answer(2, finished_at=9e9)]],
}


@pytest.mark.parametrize("parts", PAIRS.values(), ids=PAIRS)
def test_values_are_those_of_the_rows_that_count(layout: Layout, parts: list[list[Response]]):
    for number, rows in enumerate(parts):
        add_part(layout, f"w{number}", rows)
    names = ["finish_reason", "completion_tokens", "text"]
    table, expected = read_values(layout, BENCHMARK, MODEL, names), read_columns(layout, BENCHMARK, MODEL, names)
    assert list(table) == ["index", "repeat", *names]
    for name, column in table.items():
        assert np.array_equal(column, expected[name]), name


def test_what_ranks_rows_is_read_where_a_key_has_several(layout: Layout):
    add_part(layout, "a", [answer(0), answer(1)])
    flip_in_column(layout.parts(BENCHMARK, MODEL)[0], "finished_at")
    assert read_values(layout, BENCHMARK, MODEL, ["text"])["text"] == ["answer 0.0", "answer 1.0"]
    add_part(layout, "b", [answer(1)])
    with pytest.raises(DamagedFileError, match=r"0000\.a\.h5"):
        read_values(layout, BENCHMARK, MODEL, ["text"])
