"""Verify finds what is broken, survives what hangs, and leaves the rest in peace."""

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest
from store_samples import BENCHMARK, MODEL, add_part, answer, query

import store.tables
from store.embeddings import write_embeddings
from store.errors import NewerSchemaError
from store.layout import Layout
from store.queries import write_queries
from store.responses import missing_keys, read_responses
from store.verify import check, quarantine, verify


@pytest.fixture
def filled(layout: Layout) -> Layout:
    """Queries, embeddings and three parts."""
    write_queries(layout, BENCHMARK, [query(index) for index in range(6)])
    write_embeddings(layout, "encoder", BENCHMARK, np.arange(6), np.ones((6, 4), np.float32), {"digest": "d"})
    for number, name in enumerate("abc"):
        add_part(layout, name, [answer(2 * number), answer(2 * number + 1)])
    return layout


def problems(layout: Layout, **options) -> dict[str, str]:
    """What is wrong, by file name."""
    return {path.name: problem for path, problem in verify(layout, **options) if problem}


def part(layout: Layout, name: str) -> Path:
    return layout.responses(BENCHMARK, MODEL) / f"0000.{name}.h5"


def test_a_whole_store_has_no_problem(filled: Layout):
    assert [path for path, problem in verify(filled) if not problem] == filled.files()
    assert len(filled.files()) == 5


def test_damaged_files_are_found_and_cost_their_own_rows_only(filled: Layout):
    image = bytearray(part(filled, "a").read_bytes())
    image[len(image) // 2] ^= 0x10
    part(filled, "a").write_bytes(image)
    part(filled, "b").write_bytes(part(filled, "b").read_bytes()[:-1])
    found = problems(filled)
    assert found.keys() == {"0000.a.h5", "0000.b.h5"}
    assert all(f"{name} cannot be read" in problem for name, problem in found.items())
    for name in "ab":
        assert quarantine(part(filled, name)).name == f"0000.{name}.h5.damaged"
    assert problems(filled) == {}
    assert [row.index for row in read_responses(filled, BENCHMARK, MODEL)] == [4, 5]
    assert missing_keys(filled, BENCHMARK, MODEL, np.arange(6))[:, 0].tolist() == [0, 1, 2, 3]


def test_a_reader_that_hangs_is_ended_and_the_next_file_is_read(filled: Layout):
    os.mkfifo(part(filled, "a0"))  # opening it waits for a writer for ever
    os.mkfifo(part(filled, "b0"))
    start = time.monotonic()
    found = problems(filled, time_limit_s=0.5)
    assert found.keys() == {"0000.a0.h5", "0000.b0.h5"}
    assert all(name in problem and "no answer in 0.5 s" in problem for name, problem in found.items())
    assert time.monotonic() - start < 60
    assert multiprocessing.active_children() == []


def test_a_reader_that_dies_costs_one_file(filled: Layout):
    """The child is ended from outside between two files, as the kernel does when memory runs out."""
    results = verify(filled)
    next(results)
    (child,) = multiprocessing.active_children()
    child.kill()
    child.join()
    rest = list(results)
    assert len(rest) == len(filled.files()) - 1
    assert sum(bool(problem) for _, problem in rest) <= 1
    assert multiprocessing.active_children() == []


def test_nothing_is_left_running_when_the_caller_stops_early(filled: Layout):
    results = verify(filled)
    next(results)
    assert len(multiprocessing.active_children()) == 1
    results.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_a_part_that_was_sealed_away_meanwhile_is_no_problem(filled: Layout):
    results = verify(filled)
    next(results)
    part(filled, "b").unlink()
    assert [problem for _, problem in results if problem] == []


def test_a_file_of_a_newer_version_stops_verify(filled: Layout, monkeypatch: pytest.MonkeyPatch):
    """It must not be taken for damage, for damage may be set aside."""
    with monkeypatch.context() as newer:
        newer.setattr(store.tables, "SCHEMA_VERSION", 99)
        add_part(filled, "newer", [answer(9)])
    with pytest.raises(NewerSchemaError, match="update routeyard"):
        problems(filled)


def test_a_file_in_the_wrong_place_is_found(filled: Layout):
    filled.queries(BENCHMARK).rename(filled.responses(BENCHMARK, MODEL) / "0000.d.h5")
    assert "holds queries, expected responses" in problems(filled)["0000.d.h5"]


def test_a_key_twice_in_one_part_is_found(filled: Layout):
    add_part(filled, "d", [answer(0), answer(0)])
    assert "key twice" in check(part(filled, "d"), filled.root)
    assert check(part(filled, "a"), filled.root) == ""


def test_an_empty_store_is_fine(layout: Layout):
    assert problems(layout) == {}
