"""Tables: what goes in comes out, or an error; never something else."""

import errno
import hashlib
import io
import multiprocessing
import random
import resource
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import store.tables
from store.errors import DamagedFileError, NewerSchemaError, StoreError
from store.tables import Table, decode_text, encode_text, read_meta, read_table, table_image, write_table

KIND = "responses"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
HARD_TEXTS = ["", "a\0b", "\ud800", "ok \udfff\ud83d", "naïve 模型 🦙", "\r\n", "x" * 100_000, "模" * 100_000, ""]


def same(left: Table, right: Table) -> bool:
    """Equal names, types, shapes and bits."""
    return left.keys() == right.keys() and all(
        type(a) is type(b)
        and (a == b if isinstance(a, list) else (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()))
        for a, b in ((left[name], right[name]) for name in left)
    )


def mixed_table(n_rows: int) -> Table:
    """A table with a column of every type the store uses."""
    rng = np.random.default_rng(7)
    return {
        "index": np.arange(n_rows) * 3,
        "cost_usd": np.where(np.arange(n_rows) % 5, rng.random(n_rows), np.nan),
        "vector": rng.standard_normal((n_rows, 8)).astype(np.float32),
        "utility": rng.standard_normal((n_rows, 3, 2)).astype(np.float32),
        "choice": rng.integers(-5, 5, (n_rows, 3)).astype(np.int16),
        "failed": rng.random(n_rows) < 0.5,
        "byte": rng.integers(0, 256, n_rows).astype(np.uint8),
        "text": [f"row {row} " + "ab" * row for row in range(n_rows)],
        "error": [""] * n_rows,
    }


@pytest.mark.parametrize("n_rows", [0, 1, 2, 40_000])
def test_every_type_comes_back(tmp_path: Path, n_rows: int):
    table, meta = mixed_table(min(n_rows, 300)), {"digest": "d", "nested": {"a": [1, None, "\ud800"]}}
    if n_rows > 300:  # several chunks
        table = {"index": np.arange(n_rows), "vector": np.ones((n_rows, 4), np.float32), "text": ["tö"] * n_rows}
    n_bytes = write_table(tmp_path / "a.h5", KIND, table, meta)
    found, found_meta = read_table(tmp_path / "a.h5", KIND)
    assert same(found, table)
    assert found_meta == meta == read_meta(tmp_path / "a.h5", KIND)
    assert n_bytes == (tmp_path / "a.h5").stat().st_size


def test_hard_texts_come_back(tmp_path: Path):
    write_table(tmp_path / "a.h5", KIND, {"text": HARD_TEXTS}, {})
    assert read_table(tmp_path / "a.h5", KIND)[0]["text"] == HARD_TEXTS


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=()))))
def test_any_texts_come_back(texts: list[str]):
    assert decode_text(*encode_text(texts)) == texts


def test_a_strided_array_is_stored_by_value(tmp_path: Path):
    array = np.arange(24, dtype=np.float32).reshape(4, 6).T
    write_table(tmp_path / "a.h5", KIND, {"vector": array}, {})
    assert np.array_equal(read_table(tmp_path / "a.h5", KIND)[0]["vector"], array)


def test_the_same_input_gives_the_same_bytes_in_every_process():
    program = (
        "import hashlib, test_tables as t; "
        "print(hashlib.sha256(t.table_image(t.KIND, t.mixed_table(50), {'digest': 'd'})).hexdigest())"
    )
    environment = {"PYTHONPATH": ":".join([str(Path(__file__).parent), str(Path(__file__).parents[2])])}
    other = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    image = table_image(KIND, mixed_table(50), {"digest": "d"})
    assert image == table_image(KIND, mixed_table(50), {"digest": "d"})
    assert hashlib.sha256(image).hexdigest() == other.stdout.strip()


def test_nothing_in_a_file_tells_the_time(tmp_path: Path):
    write_table(tmp_path / "a.h5", KIND, mixed_table(5), {})
    times = []
    with h5py.File(tmp_path / "a.h5", "r", locking=False) as file:
        file.visititems(lambda name, node: times.append(h5py.h5g.get_objinfo(node.id).mtime))
    assert len(times) > 10
    assert set(times) == {0}


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match=r"differ in length.*'a': 1.*'b': 2"):
        table_image(KIND, {"a": np.zeros(1), "b": ["x", "y"]}, {})


def read_flipped(image: bytes, positions: list[int], folder: Path, connection: Connection) -> None:
    """Send what reading gives for the file with one bit flipped at each position: "same", "refused" or "WRONG"."""
    path = folder / "flipped.h5"
    path.write_bytes(image)
    table, meta = read_table(path, KIND)
    for position in positions:
        damaged = bytearray(image)
        damaged[position] ^= 1 << random.Random(position).randrange(8)
        path.write_bytes(damaged)
        try:
            found, found_meta = read_table(path, KIND)
            connection.send("same" if same(found, table) and found_meta == meta else "WRONG")
        except StoreError:
            connection.send("refused")


def outcomes_of_flips(image: bytes, positions: list[int], folder: Path) -> list[str]:
    """What `read_flipped` sends, from a process that may hang or crash."""
    context = multiprocessing.get_context("spawn")
    connection, theirs = context.Pipe()
    process = context.Process(target=read_flipped, args=(image, positions, folder, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        outcomes = []
        for position in positions:
            assert connection.poll(30), f"byte {position}: the reader hangs"
            outcomes.append(connection.recv())
        return outcomes
    finally:
        process.kill()
        process.join()
        connection.close()


def test_a_flipped_bit_is_never_read_as_something_else(tmp_path: Path):
    image = table_image(KIND, mixed_table(60), {"digest": "d"})
    positions = sorted(random.Random(1).sample(range(len(image)), 400))
    outcomes = outcomes_of_flips(image, positions, tmp_path)
    assert set(outcomes) == {"same", "refused"}  # some bytes are padding
    assert outcomes.count("refused") > 100


@pytest.mark.slow
def test_no_flipped_bit_anywhere_is_read_as_something_else(tmp_path: Path):
    table = mixed_table(12)
    image = table_image(KIND, {name: table[name] for name in ("index", "cost_usd", "failed", "text")}, {"digest": "d"})
    assert set(outcomes_of_flips(image, list(range(len(image))), tmp_path)) == {"same", "refused"}


def test_every_byte_of_the_data_is_checked(tmp_path: Path):
    path = tmp_path / "a.h5"
    write_table(path, KIND, {"index": np.arange(50), "text": ["some text"] * 50}, {})
    image, (start, size) = path.read_bytes(), chunk_of(path, "text/bytes")
    for position in range(start, start + size):
        path.write_bytes(image[:position] + bytes([image[position] ^ 0x10]) + image[position + 1 :])
        with pytest.raises(DamagedFileError, match=r"a\.h5 cannot be read"):
            read_table(path, KIND, ["text"])


def test_damage_in_one_column_does_not_matter_to_the_others(tmp_path: Path):
    path, table = tmp_path / "a.h5", mixed_table(100)
    write_table(path, KIND, table, {"digest": "d"})
    start, _ = chunk_of(path, "text/bytes")
    image = bytearray(path.read_bytes())
    image[start + 2] ^= 1
    path.write_bytes(image)
    others = [name for name in table if name != "text"]
    assert same(read_table(path, KIND, others)[0], {name: table[name] for name in others})
    assert read_meta(path, KIND) == {"digest": "d"}
    with pytest.raises(DamagedFileError):
        read_table(path, KIND)


def chunk_of(path: Path, column: str) -> tuple[int, int]:
    """Offset and size in bytes of the first chunk of a column."""
    with h5py.File(path, "r", locking=False) as file:
        chunk = file[column].id.get_chunk_info(0)
    return chunk.byte_offset, chunk.size


def test_a_truncated_file_is_damaged_at_every_length(tmp_path: Path):
    path = tmp_path / "a.h5"
    image = table_image(KIND, mixed_table(40), {})
    for length in [0, 1, 7, 8, 100, *range(1000, len(image), 997), len(image) - 1]:
        path.write_bytes(image[:length])
        with pytest.raises(DamagedFileError):
            read_table(path, KIND)


def test_a_missing_file_is_not_a_damaged_one(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "a.h5", KIND)


def test_a_process_out_of_file_handles_does_not_call_the_file_damaged(tmp_path: Path):
    write_table(tmp_path / "a.h5", KIND, {"index": np.arange(3)}, {})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            read_table(tmp_path / "a.h5", KIND)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class StaleAfter(io.BufferedReader):
    """A file on a server that forgets it after some reads."""

    def __init__(self, path: Path, n_reads: int) -> None:
        super().__init__(io.FileIO(path))
        self.n_left = n_reads

    def readinto(self, buffer: Any) -> int:
        self.n_left -= 1
        if self.n_left < 0:
            raise OSError(errno.ESTALE, "Stale file handle")
        return super().readinto(buffer)


@pytest.mark.parametrize("n_reads", [0, 1, 5, 12])
def test_a_stale_handle_is_not_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_reads: int):
    write_table(tmp_path / "a.h5", KIND, mixed_table(20), {})
    monkeypatch.setattr(Path, "open", lambda path, mode: StaleAfter(path, n_reads))
    with pytest.raises(OSError, match="Stale") as caught:
        read_table(tmp_path / "a.h5", KIND)
    assert caught.value.errno == errno.ESTALE


def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    write_table(tmp_path / "a.h5", "scores", {"index": np.arange(3)}, {})
    with pytest.raises(DamagedFileError, match="holds scores, expected responses"):
        read_table(tmp_path / "a.h5", KIND)


def foreign_hdf5(path: Path, **attributes: Any) -> None:
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        file.create_group("meta")


@pytest.mark.parametrize("content", [b"", b"{}", HDF5_SIGNATURE, HDF5_SIGNATURE + b"\0" * 5000, b"x" * 5000])
def test_a_file_that_is_no_hdf5_is_damaged(tmp_path: Path, content: bytes):
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(DamagedFileError):
        read_table(tmp_path / "a.h5", KIND)


@pytest.mark.parametrize(
    "attributes",
    [{}, {"schema_version": "x"}, {"schema_version": [1, 2]}, {"schema_version": 1, "kind": b"responses", "n_rows": 1}],
)
def test_a_foreign_hdf5_file_is_damaged(tmp_path: Path, attributes: dict[str, Any]):
    foreign_hdf5(tmp_path / "a.h5", **attributes)
    with pytest.raises(DamagedFileError):
        read_table(tmp_path / "a.h5", KIND)


@pytest.mark.parametrize("dtype", [h5py.string_dtype(), h5py.vlen_dtype(np.int64), np.dtype((np.int64, 2))])
def test_a_column_of_a_type_that_no_table_has_is_damage(tmp_path: Path, dtype: np.dtype):
    path = tmp_path / "a.h5"
    write_table(path, KIND, {"index": np.arange(3)}, {})
    with h5py.File(path, "r+") as file:
        file.create_dataset("foreign", (3,), dtype)
    assert read_table(path, KIND, ["index"])[0]["index"].tolist() == [0, 1, 2]
    with pytest.raises(DamagedFileError, match="no table has"):
        read_table(path, KIND)


def test_a_newer_schema_is_not_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as newer:
        newer.setattr(store.tables, "SCHEMA_VERSION", store.tables.SCHEMA_VERSION + 1)
        write_table(tmp_path / "a.h5", KIND, {"index": np.arange(3)}, {})
    with pytest.raises(NewerSchemaError, match="update routeyard") as caught:
        read_table(tmp_path / "a.h5", KIND)
    assert not isinstance(caught.value, DamagedFileError)


def test_an_unknown_column_is_named(tmp_path: Path):
    write_table(tmp_path / "a.h5", KIND, {"index": np.arange(3)}, {})
    with pytest.raises(DamagedFileError, match="latency_s"):
        read_table(tmp_path / "a.h5", KIND, ["latency_s"])


def test_a_leftover_of_a_killed_writer_is_no_data_file(tmp_path: Path):
    image = table_image(KIND, {"index": np.arange(3)}, {})
    (tmp_path / ".a.h5.w.12345678.tmp").write_bytes(image[:100])
    write_table(tmp_path / "a.h5", KIND, {"index": np.arange(3)}, {}, "w")
    assert same(read_table(tmp_path / "a.h5", KIND)[0], {"index": np.arange(3)})
