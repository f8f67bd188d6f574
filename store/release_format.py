"""One run of a published release <-> columns of the store, without loss.

The layout is LLMRouterBench's: `<dataset>/<split>/<model>/<name>-<YYYYmmdd_HHMMSS>.json`, one JSON object with a list
`records`. Whatever the columns cannot reproduce exactly (a null score, an integer where a float belongs, a prompt
that differs from the other models', a missing key) is kept with its row in `Response.extra`, so that the export gives
back the very same document.
"""

import json
import math
import re
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import orjson

from store.errors import StoreError
from store.queries import to_json
from store.records import Query, Response, Score

SCORER = "release"  # of imported scores: they are the publisher's verdicts, not ours
DIGEST = "published-release"  # of imported responses: what made them is known to the publisher only

_STAMP = re.compile(r"(\d{8}_\d{6})\.json$")
_KEYS = (
    "index", "origin_query", "prompt", "prompt_tokens", "completion_tokens", "cost", "score", "prediction",
    "ground_truth", "raw_output", "extra_fields",
)  # fmt: skip


def parse_run(content: bytes, source: str) -> dict[str, Any]:
    """The JSON document of one run.

    Raises:
        StoreError: it is no JSON, or has no list of records.
    """
    try:
        run = orjson.loads(content)
    except orjson.JSONDecodeError:
        try:
            run = json.loads(content)  # accepts NaN and lone surrogates, which some writers produce
        except ValueError as error:
            raise StoreError(f"{source}: not a complete JSON document ({error}); get the file again") from None
    if not isinstance(run, dict) or not isinstance(run.get("records"), list):
        raise StoreError(f'{source}: expected a JSON object with a list "records"')
    return run


def identify(run: dict[str, Any], source: str) -> tuple[str, str, str]:
    """(dataset, split, model) of a run: from its fields, which are right where folder names are old; else the path.

    Raises:
        StoreError: neither says it.
    """
    folders = PurePath(source).parts[:-1]
    from_path = dict(zip(("model_name", "split", "dataset_name"), reversed(folders), strict=False))
    found = [run.get(key) or from_path.get(key, "") for key in ("dataset_name", "split", "model_name")]
    if not all(isinstance(value, str) and value for value in found):
        raise StoreError(f"{source}: neither the file nor its path says dataset, split and model")
    dataset, split, model = map(str, found)
    return dataset, split, model


def benchmark_name(dataset: str, split: str) -> str:
    """`dataset` for the split `test`, `dataset@split` for any other."""
    return dataset if split == "test" else f"{dataset}@{split}"


def dataset_and_split(benchmark: str) -> tuple[str, str]:
    """The inverse of `benchmark_name`."""
    dataset, _, split = benchmark.partition("@")
    return dataset, split or "test"


def time_stamp(source: str, modified_at: float) -> str:
    """YYYYmmdd_HHMMSS from the file name, else from the modification time (UTC)."""
    match = _STAMP.search(source)
    return match[1] if match else datetime.fromtimestamp(modified_at, UTC).strftime("%Y%m%d_%H%M%S")


def unix_time(stamp: str) -> float:
    """Seconds since 1970 of a time stamp, read as UTC; 0 if it is no date."""
    try:
        return datetime.strptime(stamp, "%Y%m%d_%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def to_query(record: dict[str, Any], position: int) -> Query:
    """The query of a record; `position` stands in for a missing index."""
    prompt = _text(record.get("prompt", record.get("origin_query", "")))
    return Query(
        index=_integer(record.get("index"), position),
        text=_text(record.get("origin_query", prompt)),
        ground_truth=record.get("ground_truth"),
        messages=({"role": "user", "content": prompt},),
    )


def to_row(record: dict[str, Any], query: Query, repeat: int, finished_at: float) -> tuple[Response, Score]:
    """Response and score of a record, as seen beside the benchmark's stored query."""
    response = Response(
        index=query.index,
        repeat=repeat,
        text=_text(record.get("raw_output", "")),
        prompt_tokens=_integer(record.get("prompt_tokens"), -1),
        completion_tokens=_integer(record.get("completion_tokens"), -1),
        cost_usd=_number(record.get("cost")),
        finished_at=finished_at,
    )
    score = Score(_number(record.get("score")), _text(record.get("prediction", "")))
    plain = to_record(query, response, score)
    extra: dict[str, Any] = {}
    if (fields := record.get("extra_fields")) and isinstance(fields, dict):
        extra["extra_fields"] = plain["extra_fields"] = fields
    if differing := {key: value for key, value in record.items() if not _same(plain.get(key, _ABSENT), value)}:
        extra["release"] = differing
    if tuple(record) != _KEYS:
        extra["keys"] = list(record)
    if not extra:
        return response, score
    return Response(**{name: getattr(response, name) for name in Response.__slots__} | {"extra": extra}), score


def to_record(query: Query, response: Response, score: Score) -> dict[str, Any]:
    """The record of a release: the inverse of `to_row`."""
    record: dict[str, Any] = {
        "index": response.index,
        "origin_query": query.text,
        "prompt": query.messages[-1]["content"] if query.messages else query.text,
        "prompt_tokens": None if response.prompt_tokens < 0 else response.prompt_tokens,
        "completion_tokens": None if response.completion_tokens < 0 else response.completion_tokens,
        "cost": _nullable(response.cost_usd),
        "score": _nullable(score.value),
        "prediction": score.prediction,
        "ground_truth": query.ground_truth,
        "raw_output": response.text,
        "extra_fields": response.extra.get("extra_fields", {}),
    }
    record |= response.extra.get("release", {})
    return {key: record[key] for key in response.extra.get("keys", _KEYS)}


_ABSENT = object()


def _same(ours: Any, theirs: Any) -> bool:
    """Whether both are the same JSON value, 1 and 1.0 kept apart."""
    if type(ours) is not type(theirs):
        return False
    return to_json(ours) == to_json(theirs) if isinstance(ours, dict | list | float) else bool(ours == theirs)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value)


def _integer(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _nullable(value: float) -> float | None:
    return None if math.isnan(value) else value
