"""Whole-file replacement: the only way anything is written in the store.

Steps: write a temporary file beside the place, fsync it, rename it over the place, fsync the folder. Rows count as
stored only when `write_file` has returned. A kill at any moment leaves either the old file or the new one, and often
a temporary file: readers ignore those, planning removes the ones whose writer is gone.

Known trade-offs, accepted:
- A commit rewrites the whole file (20 ms at 1 MB, measured), which is why parts roll over.
- The file is built in memory first. In return the disk sees one sequential write, and a full disk is an `OSError` with
  its errno from `os.write` instead of an error from deep inside HDF5 at closing time.
"""

import os
import uuid
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"


def write_file(path: Path, content: bytes, writer: str = "") -> None:
    """Put `content` at `path`, all or nothing, durably.

    Args:
        path: the place; its folder is made if need be.
        content: the complete file.
        writer: who writes, part of the temporary file's name so that leftovers can be told apart.

    Raises:
        OSError: the file system said no (ENOSPC, EDQUOT, EROFS, …). The old file is whole and nothing is left behind.
    """
    make_folder(path.parent)
    temporary = path.parent / f".{path.name}.{writer or os.getpid()}.{uuid.uuid4().hex[:8]}{TEMPORARY_SUFFIX}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def move_file(source: Path, path: Path) -> None:
    """Put a complete file at `path`, durably, for what is too large for memory. Both are on one file system.

    Raises:
        OSError: the file system said no; `source` is where it was.
    """
    sync(source)
    os.replace(source, path)
    sync(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, durably: what is synced inside a folder that a crash forgets is lost with it."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def sync(path: Path) -> None:
    """Make the content of a file durable, or renames and removals in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
