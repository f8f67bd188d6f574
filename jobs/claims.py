"""A worker's right to a shard for now: a file created exclusively, renewed by touching it.

Correctness never depends on a claim. A stale or stolen one costs time, never a row.

Known trade-offs, accepted:
- A claim that cannot be read (a torn write, a damaged disk) says nothing about its owner: an owner that lives writes it
  anew when it renews, so it is free once a few renewals were missed.
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
UNREADABLE_AFTER_S = 180.0  # three


class Claims:
    """The claims of one owner."""

    def __init__(
        self,
        owner: str,
        is_dead: Callable[[str], bool],
        stale_after_s: float = STALE_AFTER_S,
        unreadable_after_s: float = UNREADABLE_AFTER_S,
    ) -> None:
        """
        Args:
            owner: `Attempt.owner`.
            is_dead: whether another owner certainly no longer runs (`Liveness.is_dead`).
            stale_after_s: a claim not renewed for so long is free whoever holds it.
            unreadable_after_s: the same for one that cannot be read.
        """
        self._owner, self._is_dead = owner, is_dead
        self._stale_after_s, self._unreadable_after_s = stale_after_s, unreadable_after_s
        self._held: set[Path] = set()

    def take(self, path: Path) -> bool:
        """Claim a shard; False if somebody else holds it.

        Raises:
            OSError: the claim cannot be written, for instance because the disk is full; then nobody holds it.
        """
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
        limit_s = self._unreadable_after_s if holder is None else self._stale_after_s
        if not ((holder is not None and self._is_dead(holder)) or _age_s(path) > limit_s):
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
            holder = read_owner(path)
            if holder == self._owner:
                with contextlib.suppress(FileNotFoundError):
                    os.utime(path)
            elif holder is None and path.exists():
                with contextlib.suppress(OSError):
                    _write(path, self._owner, os.O_TRUNC)
            else:
                self._held.discard(path)

    def free(self, path: Path) -> None:
        """Give a shard back, if it is still ours, or was and cannot be read any more."""
        was_held = path in self._held
        self._held.discard(path)
        holder = read_owner(path)
        if holder == self._owner or (holder is None and was_held):
            path.unlink(missing_ok=True)

    def free_all(self) -> None:
        """Give everything back."""
        for path in list(self._held):
            self.free(path)

    def _create(self, path: Path) -> bool:
        try:
            _write(path, self._owner, os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self._held.add(path)
        return True


def _write(path: Path, owner: str, flags: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | flags, 0o666), "w") as file:
        json.dump({"owner": owner}, file)


def _age_s(path: Path) -> float:
    """Seconds since a claim was renewed, by the clock of the file server; infinite if it is gone."""
    probe = path.with_name(f".now.{uuid.uuid4().hex[:8]}")
    probe.touch()
    try:
        return probe.stat().st_mtime - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
    finally:
        probe.unlink()


def live_claims(folder: Path, is_dead: Callable[[str], bool]) -> dict[str, str]:
    """Shard -> owner, of the claims in a folder whose owner is not known to be gone."""
    owners = {path.stem: owner for path in folder.glob("[!.]*.json") if (owner := read_owner(path))}
    return {shard: owner for shard, owner in owners.items() if not is_dead(owner)}


def read_owner(path: Path) -> str | None:
    """The owner of a claim, None if there is none or the file is damaged."""
    try:
        return json.loads(path.read_text())["owner"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
