"""Answers that were paid for, in one SQLite file: whatever becomes of a store, nothing is paid for twice.

The rollback journal and not the write-ahead log, which needs shared memory that network file systems lack. Commits are
durable and therefore slow there, so one thread of its own makes them, all that have gathered in the meantime at once.
"""

import json
import sqlite3
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from store.digest import digest
from store.errors import NewerSchemaError, StoreError

SCHEMA = 1
_BUSY_S = 60.0  # other processes may write to the same file

Answer = dict[str, Any]  # text, finish_reason, tokens, …: the fields of a `Response` that belong to the answer


def cache_key(base_url: str, body: dict[str, Any], repeat: int) -> str:
    """What an answer of an API depends on, as a digest.

    Args:
        base_url: of the API; its scheme and a slash at its end do not matter.
        body: all fields of the request as sent, with digests in the place of images.
        repeat: which of several answers to the same request.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.port:
        host += f":{parts.port}"
    return digest({"schema": SCHEMA, "base_url": host + parts.path.rstrip("/"), "body": body, "repeat": repeat})


class ApiCache:
    """Answers by key. May be called from any thread; all calls return at once."""

    def __init__(self, path: Path) -> None:
        """Opens the file, which is made where there is none.

        Raises:
            NewerSchemaError: a newer version of the suite made it.
            StoreError: it cannot be opened or is no cache.
        """
        self._pending: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="api-cache")
        try:
            self._db = self._thread.submit(_open, path).result()
        except (sqlite3.Error, OSError) as error:
            self._thread.shutdown()
            raise StoreError(f"the cache of API answers {path} cannot be used ({error}); move it away") from None
        except NewerSchemaError:
            self._thread.shutdown()
            raise

    def get(self, key: str) -> "Future[Answer | None]":
        """The answer of a key, None where there is none."""
        return self._thread.submit(self._read, key)

    def put(self, key: str, answer: Answer) -> "Future[None]":
        """Keep an answer; it is on the disk once the future is done. The first answer of a key stays."""
        with self._lock:
            self._pending.append((key, json.dumps(answer, allow_nan=False, sort_keys=True)))
        return self._thread.submit(self._commit)

    def close(self) -> None:
        """Commit what is not yet, and close the file."""
        self._thread.submit(self._commit).exception()
        self._thread.submit(self._db.close)
        self._thread.shutdown()

    def _read(self, key: str) -> Answer | None:
        row = self._db.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def _commit(self) -> None:
        with self._lock:
            rows, self._pending = self._pending, []
        if not rows:
            return  # an earlier call took them along
        try:
            with self._db:
                self._db.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", rows)
        except sqlite3.Error:
            with self._lock:
                self._pending[:0] = rows  # the next call tries again
            raise


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=_BUSY_S)
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise NewerSchemaError(
                f"{path} has schema {version} of the cache of API answers, this version of the suite reads {SCHEMA}; "
                "update the suite"
            )
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA synchronous = EXTRA")  # also the folder: the end of the journal is the commit
        with db:
            db.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
    except BaseException:
        db.close()
        raise
    return db
