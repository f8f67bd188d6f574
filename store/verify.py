"""Open and read every byte of the store, in a child process: a damaged HDF5 file may hang or crash its reader."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from store.errors import DamagedFileError, NewerSchemaError, StoreError
from store.layout import Layout
from store.tables import read_table

DAMAGED_SUFFIX = ".damaged"


def verify(layout: Layout, *, time_limit_s: float = 60.0) -> Iterator[tuple[Path, str]]:
    """Every file with what is wrong with it, "" if nothing.

    Checks the header, every checksum, text offsets, row counts, and that no part has a key twice.

    Args:
        time_limit_s: per file; a reader that takes longer is killed and the file counts as damaged.

    Raises:
        NewerSchemaError: a file was made by a newer version; what cannot be judged must not be set aside.
        OSError: the machine refuses, see `store.tables.read_table`.
    """
    connection, process = _start(layout.root)
    try:
        for path in layout.files():
            try:
                connection.send(path)
                answer = connection.recv() if connection.poll(time_limit_s) else None
            except (EOFError, ConnectionError):
                answer = None
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                _stop(connection, process)
                connection, process = _start(layout.root)
                answer = f"{path}: its reader died, or gave no answer in {time_limit_s:g} s; its rows count as missing"
            yield path, answer
    finally:
        _stop(connection, process)


def quarantine(path: Path) -> Path:
    """Set a damaged file aside: readers no longer see it, its rows are missing and will be made again."""
    aside = path.with_name(path.name + DAMAGED_SUFFIX)
    path.rename(aside)
    return aside


def check(path: Path, root: Path) -> str:
    """What is wrong with one file, "" if nothing."""
    kind = path.relative_to(root).parts[0]
    try:
        table, _ = read_table(path, kind)
    except FileNotFoundError:
        return ""  # sealed away since it was listed
    except DamagedFileError as error:
        return str(error)
    if kind == "responses":
        keys = np.stack([table["index"], table["repeat"]], axis=1)
        if len(np.unique(keys, axis=0)) != len(keys):
            return f"{path} has a key twice"
    return ""


def _serve(connection: Connection, root: Path) -> None:
    connection.send("ready")
    while True:
        path = connection.recv()
        try:
            connection.send(check(path, root))
        except (NewerSchemaError, OSError) as error:
            connection.send(error)


def _start(root: Path) -> tuple[Connection, BaseProcess]:
    context = multiprocessing.get_context("spawn")
    connection, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, root), daemon=True)
    process.start()
    theirs.close()
    try:
        connection.recv()  # the time limit is for reading, not for starting Python on a slow file system
    except EOFError:
        raise StoreError("the process that reads the files does not start; its own message is above") from None
    return connection, process


def _stop(connection: Connection, process: BaseProcess) -> None:
    connection.close()
    process.kill()
    process.join()
