"""Nodes on which engines could not start lately: the next submission stays away from them.

A worker that fails within its first minute at the start of its engine leaves a note; whoever submits next excludes
the node, for a day. If the same model failed on two nodes, it is the model and not the nodes. A node that is mended
before the day is over comes back by removing its note: <root>/runs/bad_nodes/<node>.json.
"""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from store.atomic import write_file
from store.layout import Layout

WITHIN_S = 60.0  # of the worker's start: a broken GPU shows at once, a model that does not fit takes longer
FORGOTTEN_AFTER_S = 24 * 3600.0


def note_bad_node(layout: Layout, node: str, model: str, cause: str) -> None:
    """Remember that a model could not start on a node."""
    path = layout.runs / "bad_nodes" / f"{node}.json"
    causes = {**(_read(path) or {"causes": {}})["causes"], model: cause}
    write_file(path, json.dumps({"node": node, "at": time.time(), "causes": causes}).encode())


def bad_nodes(layout: Layout) -> dict[str, dict[str, str]]:
    """Node -> model -> why it could not start there, of the nodes to stay away from."""
    notes = [note for path in sorted((layout.runs / "bad_nodes").glob("*.json")) if (note := _read(path))]
    notes = [note for note in notes if time.time() - note["at"] < FORGOTTEN_AFTER_S]
    n_nodes = Counter(model for note in notes for model in note["causes"])
    return {note["node"]: note["causes"] for note in notes if any(n_nodes[model] == 1 for model in note["causes"])}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        note = json.loads(path.read_text())
        return note if {"node", "at", "causes"} <= note.keys() else None
    except (OSError, ValueError, AttributeError):
        return None
