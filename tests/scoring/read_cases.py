"""Cases of real model output and of the published rules, from data files whose first entry names the columns."""

import json
from pathlib import Path

CONFIG_DIR = Path(__file__).parents[2] / "configs" / "benchmark"
DATA_DIR = Path(__file__).parents[2].parent / "shared" / "datasets"


def cases(name: str) -> list[tuple]:
    """The rows of tests/scoring/cases/<name>.json without the heading."""
    path = Path(__file__).parent / "cases" / f"{name}.json"
    return [tuple(row) for row in json.loads(path.read_text(encoding="utf-8"))[1:]]
