"""Sealing keeps every row, whoever else seals, writes or dies meanwhile."""

import multiprocessing
import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from kill_points import killed_everywhere
from store_samples import BENCHMARK, DIGEST, MODEL, add_part, answer, failure

import store.responses
import store.seal
from store.errors import DamagedFileError, StoreError
from store.layout import Layout
from store.responses import ResponseWriter, read_columns, read_responses
from store.seal import seal
from store.tables import read_meta


def make_parts(layout: Layout) -> list[ResponseWriter]:
    """Three parts with overlapping keys, failures and repeats; gives back their writers."""
    return [
        add_part(layout, "a", [answer(0), failure(1), answer(2, text="late", finished_at=9e9), answer(3, repeat=1)]),
        add_part(layout, "b", [answer(1), answer(2), failure(4), answer(0, text="later", finished_at=9e9)]),
        add_part(layout, "c", [failure(0, finished_at=0.0), answer(5, text="\0\ud800", extra={"a": None})]),
    ]


def rows(layout: Layout) -> list[str]:
    """What a reader sees; as text, for NaN equals itself there."""
    return [repr(row) for row in read_responses(layout, BENCHMARK, MODEL, digest=DIGEST)]


def part_names(layout: Layout) -> list[str]:
    return [path.name for path in layout.parts(BENCHMARK, MODEL)]


def at_call(
    patch: pytest.MonkeyPatch, place: Any, name: str, number: int, moment: str, action: Callable[[], None]
) -> list[str]:
    """Run the action once, before or after the number-th call of `place.name`; gives back a list that says it ran."""
    real, numbers = getattr(place, name), count()
    ran: list[str] = []

    def wrapper(*arguments: Any, **options: Any) -> Any:
        is_due = not ran and next(numbers) == number
        if is_due and moment == "before":
            ran.append(name)
            action()
        result = real(*arguments, **options)
        if is_due and moment == "after":
            ran.append(name)
            action()
        return result

    patch.setattr(place, name, wrapper)
    return ran


# every seam of `seal`: what it calls, and which call of it
SEAMS = [
    (Layout, "parts", 0),
    (store.seal, "read_columns", 0),
    (store.seal, "read_meta", 0),
    (store.seal, "read_meta", 2),
    (store.seal, "write_table", 0),
    (store.seal, "read_table", 0),
    (store.seal, "_equal", 0),
    (store.seal, "_retire", 0),
    (store.seal, "_retire", 1),
    (store.seal, "_retire", 2),
    (store.seal, "sync", 0),
]
every_seam = pytest.mark.parametrize(
    ("place", "name", "number", "moment"),
    [(*seam, moment) for seam in SEAMS for moment in ("before", "after")],
    ids=[f"{moment} {name} {number}" for _, name, number in SEAMS for moment in ("before", "after")],
)


def test_the_sealed_file_equals_the_union(layout: Layout):
    make_parts(layout)
    before = rows(layout)
    sealed = seal(layout, BENCHMARK, MODEL, "s")
    assert sealed is not None
    assert part_names(layout) == [sealed.name] == ["sealed-s.h5"]
    assert [path.name for path in sealed.parent.iterdir()] == ["sealed-s.h5"]
    assert rows(layout) == before
    meta = read_meta(sealed, "responses")
    assert (meta["digest"], meta["model"]) == (DIGEST, MODEL)
    assert [source["writer"] for source in meta["sealed_from"]] == ["a", "b", "c"]


def test_sealing_twice_does_nothing(layout: Layout):
    make_parts(layout)
    sealed = seal(layout, BENCHMARK, MODEL, "s")
    assert sealed is not None
    content = sealed.read_bytes()
    assert seal(layout, BENCHMARK, MODEL, "t") is None
    assert part_names(layout) == ["sealed-s.h5"]
    assert sealed.read_bytes() == content


def test_nothing_and_a_single_part_stay_as_they_are(layout: Layout):
    assert seal(layout, BENCHMARK, MODEL, "s") is None
    add_part(layout, "a", [answer(0)])
    assert seal(layout, BENCHMARK, MODEL, "s") is None
    assert part_names(layout) == ["0000.a.h5"]


def test_a_sealed_file_is_a_part_like_any_other(layout: Layout):
    make_parts(layout)
    seal(layout, BENCHMARK, MODEL, "s")
    add_part(layout, "d", [answer(6), answer(4)])
    before = rows(layout)
    seal(layout, BENCHMARK, MODEL, "t")
    assert part_names(layout) == ["sealed-t.h5"]
    assert rows(layout) == before


def test_the_same_name_twice_loses_nothing(layout: Layout):
    make_parts(layout)
    seal(layout, BENCHMARK, MODEL, "s")
    add_part(layout, "d", [answer(6)])
    before = rows(layout)
    seal(layout, BENCHMARK, MODEL, "s")
    assert part_names(layout) == ["sealed-s.h5"]
    assert rows(layout) == before


def test_a_damaged_part_stops_the_sealing(layout: Layout):
    make_parts(layout)
    path = layout.parts(BENCHMARK, MODEL)[1]
    path.write_bytes(path.read_bytes()[:-10])
    names = part_names(layout)
    with pytest.raises(DamagedFileError, match=r"0000\.b\.h5"):
        seal(layout, BENCHMARK, MODEL, "s")
    assert part_names(layout) == names


def test_a_sealed_file_that_reads_back_differently_is_removed(layout: Layout, monkeypatch: pytest.MonkeyPatch):
    make_parts(layout)
    names, before = part_names(layout), rows(layout)
    monkeypatch.setattr(store.seal, "_equal", lambda left, right: False)
    with pytest.raises(StoreError, match="did not read back"):
        seal(layout, BENCHMARK, MODEL, "s")
    assert part_names(layout) == names
    assert rows(layout) == before


@every_seam
def test_two_sealers_at_once_keep_every_row(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, number: int, moment: str
):
    make_parts(layout)
    before = rows(layout)

    def seal_too() -> None:
        seal(layout, BENCHMARK, MODEL, "second")

    ran = at_call(monkeypatch, place, name, number, moment, seal_too)
    seal(layout, BENCHMARK, MODEL, "first")
    assert ran
    assert rows(layout) == before
    assert all(part.startswith("sealed-") for part in part_names(layout))
    seal(layout, BENCHMARK, MODEL, "third")
    assert len(part_names(layout)) == 1
    assert rows(layout) == before


@every_seam
def test_commits_during_a_sealing_lose_nothing(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, number: int, moment: str
):
    """One commit into a part that is being sealed, one into a new part."""
    old = make_parts(layout)[1]
    expected: list[str] = []

    def commit() -> None:
        old.append(answer(100))
        old.append(answer(4))
        old.commit()
        add_part(layout, "new", [answer(200)])
        expected.extend(rows(layout))

    ran = at_call(monkeypatch, place, name, number, moment, commit)
    seal(layout, BENCHMARK, MODEL, "s")
    assert ran
    assert rows(layout) == expected
    old.append(answer(101))
    old.commit()
    assert rows(layout) == sorted([*expected, repr(answer(101))], key=expected_order)


def expected_order(row: str) -> tuple[int, int]:
    """The key in the text of a response."""
    fields = row.removeprefix("Response(").split(", ")
    return int(fields[0].removeprefix("index=")), int(fields[1].removeprefix("repeat="))


@pytest.mark.parametrize("call", ["link", "unlink"])
def test_a_commit_while_a_rewritten_part_is_put_back_loses_nothing(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, call: str
):
    writers = make_parts(layout)

    def commit(index: int) -> None:
        for writer in writers:
            writer.append(answer(index))
            writer.commit()

    at_call(monkeypatch, store.seal, "write_table", 0, "after", lambda: commit(100))
    at_call(monkeypatch, os, call, 0, "before", lambda: commit(101))
    seal(layout, BENCHMARK, MODEL, "s")
    found = rows(layout)
    assert [expected_order(row)[0] for row in found][-2:] == [100, 101]
    assert part_names(layout) == ["0000.a.h5", "0000.b.h5", "0000.c.h5", "sealed-s.h5"]


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_a_sealer_killed_at_any_disk_call_loses_nothing(tmp_path: Path, step: int):
    template = Layout(tmp_path / "template")
    make_parts(template)
    before = rows(template)
    runs = killed_everywhere("seal", tmp_path, step)
    assert len(runs) > 20 // step
    for run in runs:
        layout = Layout(Path(run.root))
        assert rows(layout) == before, run.place
        seal(layout, BENCHMARK, MODEL, "next")
        assert rows(layout) == before, run.place
        assert len(part_names(layout)) == 1, run.place


def keep_writing(root: Path, name: str, n_stored: Any, is_over: Any) -> None:
    """Commit a row at a time under the name; `n_stored` counts the acknowledged ones."""
    store.responses._ROLL_OVER_BYTES = 20_000
    writer = ResponseWriter(Layout(root), BENCHMARK, MODEL, name, {"digest": DIGEST})
    for number in count():
        writer.append(answer(number, repeat=int(name)))
        writer.commit()
        n_stored.value = number + 1
        if is_over.value:
            return


def keep_sealing(root: Path, name: str, n_sealed: Any, is_over: Any) -> None:
    """Seal again and again, each time under a new name."""
    while not is_over.value:
        n_sealed.value += seal(Layout(root), BENCHMARK, MODEL, f"{name}-{n_sealed.value}") is not None


@pytest.mark.slow
def test_two_writers_and_two_sealers_in_processes_of_their_own_lose_nothing(layout: Layout):
    """A reader never sees less than what had been acknowledged when it began."""
    context = multiprocessing.get_context("spawn")
    is_over, numbers = context.Value("b", 0), [context.Value("q", 0) for _ in range(4)]
    actions = [(keep_writing, "0"), (keep_writing, "1"), (keep_sealing, "s"), (keep_sealing, "t")]
    processes = [
        context.Process(target=action, args=(layout.root, name, number, is_over), daemon=True)
        for (action, name), number in zip(actions, numbers, strict=True)
    ]
    for process in processes:
        process.start()
    try:
        deadline = time.monotonic() + 120
        while min(number.value for number in numbers) < 10 and time.monotonic() < deadline:
            stored = [number.value for number in numbers[:2]]
            found = read_columns(layout, BENCHMARK, MODEL, [])["repeat"]
            assert [int((found == repeat).sum()) >= n for repeat, n in enumerate(stored)] == [True, True]
        is_over.value = 1
        for process in processes:
            process.join(60)
            assert process.exitcode == 0
    finally:
        for process in processes:
            process.kill()
            process.join()
    assert min(number.value for number in numbers) >= 10
    found = read_columns(layout, BENCHMARK, MODEL, ["text"])
    assert [int((found["repeat"] == repeat).sum()) for repeat in (0, 1)] == [number.value for number in numbers[:2]]
    assert found["text"] == [
        f"answer {index}.{repeat}" for index, repeat in zip(found["index"], found["repeat"], strict=True)
    ]
