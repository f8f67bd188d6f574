"""Whole-file replacement under kills, errors and a full disk."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kill_points import N_ROWS, ROWS_PER_COMMIT, Killed, killed_at_random, killed_everywhere
from store_samples import BENCHMARK, DIGEST, MODEL, add_part, answer

from store.atomic import TEMPORARY_SUFFIX, write_file
from store.layout import Layout
from store.responses import ResponseWriter, missing_keys, read_responses
from store.tables import read_table


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob(f"*{TEMPORARY_SUFFIX}"))


def check_and_resume(run: Killed) -> None:
    """Acknowledged rows are there, nothing is damaged, and the next attempt makes exactly what is missing."""
    layout = Layout(Path(run.root))
    found = read_responses(layout, BENCHMARK, MODEL, digest=DIGEST)
    rows = [answer(index) for index in range(max(N_ROWS, len(found) + 1))]
    assert len(found) >= run.n_acknowledged, run.place
    assert len(found) % ROWS_PER_COMMIT == 0, run.place
    assert repr(found) == repr(rows[: len(found)]), run.place
    gaps = missing_keys(layout, BENCHMARK, MODEL, np.arange(len(rows)), digest=DIGEST)
    assert gaps[:, 0].tolist() == list(range(len(found), len(rows))), run.place
    add_part(layout, "job2", rows[len(found) :])
    assert repr(read_responses(layout, BENCHMARK, MODEL)) == repr(rows), run.place
    stored = [read_table(path, "responses", ["index"])[0]["index"] for path in layout.parts(BENCHMARK, MODEL)]
    assert sorted(np.concatenate(stored).tolist()) == list(range(len(rows))), run.place


@pytest.mark.parametrize(
    ("operation", "step"),
    [("write", 5), *(pytest.param(name, 1, marks=pytest.mark.slow) for name in ("write", "write_parts"))],
)
def test_a_writer_killed_at_any_disk_call_loses_no_acknowledged_row(tmp_path: Path, operation: str, step: int):
    runs = killed_everywhere(operation, tmp_path, step)
    for run in runs:
        check_and_resume(run)
    assert [run.n_acknowledged for run in runs if not run.is_killed] == [N_ROWS]
    assert len(runs) > 13 * N_ROWS // ROWS_PER_COMMIT // step  # open, write, fsync, replace, open, fsync per commit
    assert any(leftovers(Path(run.root)) for run in runs)  # the kills did hit the middle of commits


def test_a_writer_killed_at_a_random_moment_loses_no_acknowledged_row(tmp_path: Path):
    runs = killed_at_random("write_on", tmp_path, n_kills=6, seed=5)
    for run in runs:
        check_and_resume(run)
    assert all(run.is_killed for run in runs)
    assert len({run.n_acknowledged for run in runs}) > 1


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real_write(descriptor, data[:7]))
    write_file(tmp_path / "a", bytes(range(100)))
    assert (tmp_path / "a").read_bytes() == bytes(range(100))


def test_an_empty_file_can_be_written(tmp_path: Path):
    write_file(tmp_path / "a", b"")
    assert (tmp_path / "a").read_bytes() == b""


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_a_refused_call_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
):
    write_file(tmp_path / "a", b"old")

    def refuse(*_arguments, **_options):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    with monkeypatch.context() as full:
        full.setattr(os, call, refuse)
        with pytest.raises(OSError, match="quota"):
            write_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_everything_is_synced_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The content before the rename, then the folder, and the parent of each folder that was made."""
    events = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        events.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real_fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        events.append("replace")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_file(tmp_path / "x" / "y" / "a", b"new")
    at = events.index("replace")
    assert events[at - 1].endswith(TEMPORARY_SUFFIX)
    assert events[at + 1 :] == [str(tmp_path / "x" / "y")]
    assert {str(tmp_path), str(tmp_path / "x")} <= set(events[: at - 1])


def test_two_writers_of_one_name_never_share_a_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sources = []
    real_replace = os.replace

    def replace(source: Path, target: Path) -> None:
        sources.append(Path(source))
        if len(sources) == 1:
            write_file(tmp_path / "a", b"second", "w")  # a whole commit inside the other
        real_replace(source, target)

    monkeypatch.setattr(os, "replace", replace)
    write_file(tmp_path / "a", b"first", "w")
    assert len(set(sources)) == 2
    assert all(source.parent == tmp_path and source.name.startswith(".") for source in sources)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"first"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mount.returncode:
        pytest.skip(f"no file system can be mounted here: {mount.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_costs_nothing_but_time(small_disk: Path):
    layout, noise = Layout(small_disk), np.random.default_rng(3)
    writer = ResponseWriter(layout, BENCHMARK, MODEL, "job1", {"digest": DIGEST})
    rows = [answer(index, text=noise.bytes(300_000).hex()) for index in range(4)]  # half of that once compressed
    writer.append(rows[0])
    assert writer.commit() == 1
    (path,) = layout.parts(BENCHMARK, MODEL)
    before = path.read_bytes()
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1_000_000))
    for row in rows[1:]:
        writer.append(row)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left") as caught:
            writer.commit()
        assert caught.value.errno == errno.ENOSPC
        assert writer.n_pending == 3
        assert path.read_bytes() == before
        assert not leftovers(small_disk)
    filler.unlink()
    assert writer.commit() == 3
    assert repr(read_responses(layout, BENCHMARK, MODEL)) == repr(rows)
