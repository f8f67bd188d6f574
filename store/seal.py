"""Merge the parts of one pair into one file, under a name of its own.

Pattern: read every part, keep the rows that count, write `sealed-<writer>.h5` durably, read it back, only then retire
exactly the parts that were read. Two sealers at once, or a writer that commits meanwhile, cost nothing: a sealed file
is a part like any other, and a part that was rewritten after it was read is put back.
"""

import contextlib
import os
import uuid
from pathlib import Path
from typing import BinaryIO

from store.atomic import sync
from store.errors import StoreError
from store.layout import Layout
from store.responses import COLUMNS, KIND, read_columns
from store.tables import Table, read_meta, read_table, write_table


def seal(layout: Layout, benchmark: str, model: str, writer: str) -> Path | None:
    """One file instead of many; None if the pair has fewer than two parts, or another sealer took them first.

    Args:
        writer: a name nobody else uses, as for `ResponseWriter`.

    Raises:
        DamagedFileError: a part is unreadable: nothing is touched.
        StoreError: the sealed file does not read back equal: it is removed, the parts stay.
    """
    folder = layout.responses(benchmark, model)
    handles: dict[Path, BinaryIO] = {}  # held open so that an inode number cannot be used again meanwhile
    try:
        for path in layout.parts(benchmark, model):
            handles[path] = path.open("rb")
        if len(handles) < 2:
            return None
        table = read_columns(layout, benchmark, model, COLUMNS)
        metas = [read_meta(path, KIND) for path in handles]
        shared = {key: metas[0][key] for key in metas[0] if all(meta.get(key) == metas[0][key] for meta in metas)}
        sealed = folder / f"sealed-{writer}.h5"
        write_table(sealed, KIND, table, {**shared, "writer": writer, "sealed_from": metas}, writer)
        if not _equal(read_table(sealed, KIND)[0], table):
            sealed.unlink()
            raise StoreError(f"{sealed} did not read back as written; parts kept. Check the disk, then seal again.")
        for path, handle in handles.items():
            _retire(path, handle)
        sync(folder)
        return sealed
    except FileNotFoundError:
        return None  # retired by another sealer, whose file holds the same rows
    finally:
        for handle in handles.values():
            handle.close()


def _retire(path: Path, handle: BinaryIO) -> None:
    """Remove a part unless it was rewritten since it was opened.

    Renamed first: what is renamed can be looked at without a race. The name in between is a readable part, so a kill
    here loses nothing.
    """
    aside = path.with_name(f"retired-{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return  # another sealer was faster
    now, then = os.stat(aside), os.fstat(handle.fileno())
    # Size and time too: some network file systems use an inode number again at once.
    if (now.st_ino, now.st_size, now.st_mtime_ns) == (then.st_ino, then.st_size, then.st_mtime_ns):
        aside.unlink()
        return
    with contextlib.suppress(FileExistsError):  # its writer has committed again; that file holds these rows too
        os.link(aside, path)
    aside.unlink()


def _equal(left: Table, right: Table) -> bool:
    """Bitwise equality of tables, NaN equal to itself."""
    return left.keys() == right.keys() and all(
        a == b if isinstance(a, list) else a.tobytes() == b.tobytes()
        for a, b in ((left[name], right[name]) for name in left)
    )
