"""Store -> the layout of a published release. An imported run comes out byte for byte as it went in."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from store.atomic import write_file
from store.errors import StoreError
from store.layout import Layout
from store.names import to_file_name
from store.queries import read_queries
from store.records import Score
from store.release_format import SCORER, dataset_and_split, to_record
from store.responses import KIND, read_responses
from store.scores import read_scores
from store.tables import read_meta


def export_pair(layout: Layout, benchmark: str, model: str, folder: Path) -> Path:
    """Write one (benchmark, model) as `<folder>/results/bench/<dataset>/<split>/<model>/<run>.json`.

    Raises:
        StoreError: the pair has no scores.
    """
    found = read_scores(layout, benchmark, model)
    if found is None:
        raise StoreError(f"{model} has no scores on {benchmark}; run launch/score.py first")
    if not layout.parts(benchmark, model):
        raise StoreError(f"{model} has scores on {benchmark} and no responses; there is nothing to export")
    table, score_meta = found
    keys = zip(table["index"].tolist(), table["repeat"].tolist(), strict=True)
    values = zip(table["score"].tolist(), table["prediction"], strict=True)
    scores = {key: Score(value, prediction) for key, (value, prediction) in zip(keys, values, strict=True)}
    queries = {query.index: query for query in read_queries(layout, benchmark)}
    unscored = Score(math.nan)
    responses = read_responses(layout, benchmark, model)
    records = [to_record(queries[row.index], row, scores.get((row.index, row.repeat), unscored)) for row in responses]
    meta = read_meta(layout.parts(benchmark, model)[-1], KIND)
    dataset, split = dataset_and_split(benchmark)
    if score_meta.get("scorer") == SCORER and "header" in meta:
        if meta["order"] is not None:
            records = [records[at] for at in np.argsort(meta["order"])]
        run, name = {**meta["header"], "records": records}, PurePath(meta["source"]).name
    else:
        stamp = datetime.fromtimestamp(max(row.finished_at for row in responses), UTC).strftime("%Y%m%d_%H%M%S")
        run = {**_header(records, dataset, split, model), "records": records}
        name = f"{to_file_name(dataset)}-{split}-{to_file_name(model)}-{stamp}.json"
    path = folder / "results" / "bench" / to_file_name(dataset) / split / to_file_name(model) / name
    write_file(path, json.dumps(run, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass"))
    return path


def _header(records: list[dict[str, Any]], dataset: str, split: str, model: str) -> dict[str, Any]:
    """The fields above the records of a run that this suite collected."""
    score = np.array([record["score"] for record in records], np.float64)
    return {
        "performance": float(np.nanmean(score)) if not np.isnan(score).all() else 0.0,
        "time_taken": 0.0,
        "prompt_tokens": sum(record["prompt_tokens"] or 0 for record in records),
        "completion_tokens": sum(record["completion_tokens"] or 0 for record in records),
        "cost": math.fsum(record["cost"] or 0.0 for record in records),
        "counts": len(records),
        "model_name": model,
        "dataset_name": dataset,
        "split": split,
        "demo": False,
        "extra_metrics": {},
        "data_fingerprint": "",
    }
