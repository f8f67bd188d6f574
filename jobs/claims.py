"""A worker's right to a shard for now: a file created exclusively, renewed by touching it.

Correctness never depends on a claim. A stale or stolen one costs time, never a row.

Known trade-offs, accepted:
- Age is measured against a file just touched in the same folder, so that it is the file server's clock on both sides.
- Taking over renames the old claim aside first and looks at what was caught; a claim taken in between by somebody
  else is put back.
"""

import contextlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path

STALE_AFTER_S = 600.0  # ten missed renewals of a minute; the dead are recognised much earlier by asking


class Claims:
    """The claims of one owner."""

    def __init__(self, owner: str, is_dead: Callable[[str], bool], stale_after_s: float = STALE_AFTER_S) -> None:
        """
        Args:
            owner: `Attempt.owner`.
            is_dead: whether another owner certainly no longer runs (`Liveness.is_dead`).
            stale_after_s: a claim not renewed for so long is free whoever holds it.
        """
        self._owner, self._is_dead, self._stale_after_s = owner, is_dead, stale_after_s
        self._held: set[Path] = set()

    def take(self, path: Path) -> bool:
        """Claim a shard; False if somebody else holds it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if self._create(path):
            return True
        holder = read_owner(path)
        if holder is None:  # gone in this moment, or unreadable: then only its age counts
            if self._create(path):
                return True
        elif holder == self._owner:
            self._held.add(path)
            return True
        if not ((holder is not None and self._is_dead(holder)) or self._is_stale(path)):
            return False
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        try:
            path.rename(aside)
        except FileNotFoundError:
            return self._create(path)
        if read_owner(aside) != holder:  # a live claim, made after we looked
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
            aside.unlink()
            return False
        aside.unlink()
        return self._create(path)

    def renew(self) -> None:
        """Show that the owner lives. Claims that others have taken over are dropped from this owner's list."""
        for path in list(self._held):
            if read_owner(path) != self._owner:
                self._held.discard(path)
                continue
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)

    def free(self, path: Path) -> None:
        """Give a shard back, if it is still ours."""
        self._held.discard(path)
        if read_owner(path) == self._owner:
            path.unlink(missing_ok=True)

    def free_all(self) -> None:
        """Give everything back."""
        for path in list(self._held):
            self.free(path)

    def _create(self, path: Path) -> bool:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            return False
        with os.fdopen(descriptor, "w") as file:
            json.dump({"owner": self._owner}, file)
        self._held.add(path)
        return True

    def _is_stale(self, path: Path) -> bool:
        probe = path.with_name(f".now.{uuid.uuid4().hex[:8]}")
        probe.touch()
        try:
            return probe.stat().st_mtime - path.stat().st_mtime > self._stale_after_s
        except FileNotFoundError:
            return True
        finally:
            probe.unlink()


def read_owner(path: Path) -> str | None:
    """The owner of a claim, None if there is none or the file is damaged."""
    try:
        return json.loads(path.read_text())["owner"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
