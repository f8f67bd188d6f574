"""Score what has a response and no up-to-date score; touches no response."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.grading import Judging, judging
from scoring.benchmark import find
from store.errors import RouteyardError
from store.layout import Layout
from store.queries import read_queries, read_query_columns
from store.records import Query, Score
from store.release_format import SCORER as RELEASE
from store.responses import read_columns
from store.scores import read_scores, write_scores
from store.tables import Table

SCORER = "routeyard"
Key = tuple[int, int, float]  # index and repeat of a response, and when it finished
FAILED = Score(0.0, "", "the request failed")  # after all tries a failure counts 0, as in LLMRouterBench
_CHECKPOINT_S = 60.0
_N_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTask:
    """One benchmark and the models to score on it.

    Attributes:
        root: of the store.
        benchmark, params: which benchmark, and its constructor's keyword arguments.
        models: their names.
        profile: "robust" judges what the authors mean, "compat" as the published tables.
        again: score everything anew.
        n_processes, n_nodes: what judges; see `jobs.grading.judging`.
    """

    root: Path
    benchmark: str
    models: tuple[str, ...]
    params: dict[str, Any]
    profile: str = "robust"
    again: bool = False
    n_processes: int | None = 1
    n_nodes: int = 1


class ScoreError(RouteyardError):
    """Graders failed on some responses, which have no score; all others have theirs."""


def score(task: ScoreTask) -> dict[str, int]:
    """Scores every response of the models that lacks one; gives back model -> how many were judged.

    Raises:
        ScoreError: some could not be judged; at the end, when the others are.
        BenchmarkError: there is no such benchmark.
        StoreError: its queries or responses cannot be read.
    """
    layout = Layout(task.root)
    benchmark = find(task.benchmark, **task.params)
    judge = benchmark.score_compat if task.profile == "compat" else benchmark.score
    queries = {query.index: query for query in read_queries(layout, task.benchmark)}
    meta = _meta(layout, task, benchmark.scorer_version)
    failures: list[str] = []
    with judging(judge, task.n_processes, task.n_nodes) as judge_rows:
        counts = {model: _score_pair(layout, task, model, judge_rows, queries, meta, failures) for model in task.models}
    if failures:
        raise ScoreError(
            f"{task.benchmark}: its grader failed on {len(failures)} responses, which have no score and are judged "
            f"again next time: {'; '.join(failures[:_N_NAMED])}{'; …' * (len(failures) > _N_NAMED)}"
        )
    return counts


def needs_scoring(task: ScoreTask) -> bool:
    """Whether any model of the task has a response without an up-to-date score; reads no text."""
    layout = Layout(task.root)
    if task.again:
        return True
    meta = _meta(layout, task, find(task.benchmark, **task.params).scorer_version)
    for model in task.models:
        keys = read_columns(layout, task.benchmark, model, ["finished_at"])
        found = read_scores(layout, task.benchmark, model, ["response_finished_at"])
        if found is None or not _is_current(found[1], meta):
            if len(keys["index"]) and (found is None or found[1]["scorer"] != RELEASE):
                return True
        elif not np.array_equal(found[0]["response_finished_at"], keys["finished_at"]):
            return True
    return False


def _meta(layout: Layout, task: ScoreTask, scorer_version: int) -> dict[str, Any]:
    """What determines a score beside the response."""
    return {
        "scorer": SCORER,
        "scorer_version": scorer_version,
        "profile": task.profile,
        "params": task.params,
        "query_digest": read_query_columns(layout, task.benchmark, ())[1]["digest"],
    }


def _is_current(old_meta: dict[str, Any], meta: dict[str, Any]) -> bool:
    return all(old_meta.get(key) == value for key, value in meta.items())


def _score_pair(
    layout: Layout,
    task: ScoreTask,
    model: str,
    judge_rows: Judging,
    queries: dict[int, Query],
    meta: dict[str, Any],
    failures: list[str],
) -> int:
    keys = read_columns(layout, task.benchmark, model, ["finished_at"])
    if not len(keys["index"]):
        return 0
    old = {} if task.again else valid_scores(layout, task.benchmark, model, meta)
    if old is None:
        return 0  # a publisher's verdicts; kept unless asked for
    identity = response_keys(keys, "finished_at")
    if all(key in old for key in identity) and len(old) == len(identity):
        return 0
    table = read_columns(layout, task.benchmark, model, ["text", "failed"])
    texts = {}
    for key, text, failed in zip(identity, table["text"], table["failed"].tolist(), strict=True):
        if key not in old:
            texts[key] = text
            if failed:
                old[key] = FAILED
    waiting = [key for key in texts if key not in old]
    written_at = time.monotonic()
    for place, judged in judge_rows([(queries[key[0]], texts[key]) for key in waiting]):
        key = waiting[place]
        if isinstance(judged, str):
            failures.append(f"{model}, index {key[0]}: {judged}")
            judged = Score(math.nan, "", f"its grader failed: {judged}")
        old[key] = judged
        if time.monotonic() - written_at > _CHECKPOINT_S:
            _write(layout, task, model, [key for key in identity if key in old], old, meta)
            written_at = time.monotonic()
    _write(layout, task, model, identity, old, meta)
    return len(texts)


def _write(
    layout: Layout, task: ScoreTask, model: str, keys: Sequence[Key], scores: dict[Key, Score], meta: dict[str, Any]
) -> None:
    write_scores(layout, task.benchmark, model, score_table(keys, [scores[key] for key in keys]), meta)


def response_keys(table: Table, finished_at: str) -> list[Key]:
    """The keys of rows; `finished_at` is the name of the third column."""
    columns = (table[name].tolist() for name in ("index", "repeat", finished_at))
    return list(zip(*columns, strict=True))


def score_table(keys: Sequence[Key], scores: Sequence[Score]) -> Table:
    """The columns of a file of scores."""
    return {
        "index": np.array([key[0] for key in keys], np.int64),
        "repeat": np.array([key[1] for key in keys], np.int64),
        "response_finished_at": np.array([key[2] for key in keys], np.float64),
        "score": np.array([score.value for score in scores], np.float64),
        "prediction": [score.prediction for score in scores],
        "explanation": [score.explanation for score in scores],
    }


def valid_scores(layout: Layout, benchmark: str, model: str, meta: dict[str, Any]) -> dict[Key, Score] | None:
    """Scores that may stay; None if they are an imported release's."""
    found = read_scores(layout, benchmark, model)
    if found is None:
        return {}
    table, old_meta = found
    if old_meta["scorer"] == RELEASE:
        return None
    if not _is_current(old_meta, meta):
        return {}
    keys = response_keys(table, "response_finished_at")
    values = zip(table["score"].tolist(), table["prediction"], table["explanation"], strict=True)
    return {key: Score(*value) for key, value in zip(keys, values, strict=True) if not math.isnan(value[0])}
