"""Verdicts of programs outside the suite on what was handed in for responses: one file per import, never changed.

A verdict belongs to a text, not to a response: it holds for every response from which that text is found, and for no
other. Of several verdicts on the same text the one that was imported last counts.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from store.digest import digest
from store.layout import Layout
from store.tables import Table, read_meta, read_table, write_table

_KIND = "verdicts"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a program says of one text: a value in [0, 1], and in a few words who says it and why."""

    value: float
    explanation: str


def fingerprint(text: str) -> str:
    """What stands for a text that was handed in."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def write_verdicts(
    layout: Layout, benchmark: str, rows: Sequence[tuple[int, str, Verdict]], meta: dict[str, Any]
) -> bool:
    """Store the verdicts of an import; False if the very same are there already.

    Args:
        rows: (index, fingerprint, verdict).
        meta: must hold `imported_at`, Unix time in seconds.
    """
    table: Table = {
        "index": np.array([index for index, _, _ in rows], np.int64),
        "fingerprint": [text for _, text, _ in rows],
        "score": np.array([verdict.value for _, _, verdict in rows], np.float64),
        "explanation": [verdict.explanation for _, _, verdict in rows],
    }
    name = digest([sorted((index, text, verdict.value, verdict.explanation) for index, text, verdict in rows)])[:16]
    path = layout.verdicts(benchmark) / f"{name}.h5"
    if path.exists():
        return False
    write_table(path, _KIND, table, {"benchmark": benchmark, **meta})
    return True


def read_verdicts(layout: Layout, benchmark: str) -> dict[tuple[int, str], Verdict]:
    """(index, fingerprint) -> verdict, of all imports."""
    paths = sorted(layout.verdicts(benchmark).glob("[!.]*.h5"), key=lambda path: read_meta(path, _KIND)["imported_at"])
    verdicts: dict[tuple[int, str], Verdict] = {}
    for path in paths:
        table, _ = read_table(path, _KIND)
        columns = table["index"].tolist(), table["fingerprint"], table["score"].tolist(), table["explanation"]
        for index, text, value, explanation in zip(*columns, strict=True):
            verdicts[index, text] = Verdict(value, explanation)
    return verdicts


def verdicts_there(layout: Layout, benchmark: str) -> list[str]:
    """Names of all imports, sorted; they change with the verdicts."""
    return sorted(path.stem for path in layout.verdicts(benchmark).glob("[!.]*.h5"))
