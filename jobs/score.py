"""Score what has a response and no up-to-date score; touches no response."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.identity import judge_identity
from inference.spec import JudgeSpec
from jobs.grading import Judging, judging
from scoring.benchmark import Benchmark, find
from scoring.graded_elsewhere import GradedElsewhere
from store.errors import RouteyardError
from store.layout import Layout
from store.queries import read_queries, read_query_columns
from store.records import Query, Score
from store.release_format import SCORER as RELEASE
from store.responses import read_columns
from store.scores import read_scores, write_scores
from store.tables import Table
from store.verdicts import read_verdicts, verdicts_there

SCORER = "routeyard"
Key = tuple[int, int, float]  # index and repeat of a response, and when it finished
FAILED = Score(0.0, "", "the request failed")  # after all tries a failure counts 0, as in LLMRouterBench
_CHECKPOINT_S = 60.0
_N_NAMED = 5
_GRADER_FAILED = "its grader failed: "


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTask:
    """One benchmark and the models to score on it.

    Attributes:
        root: of the store.
        benchmark, params: which benchmark, and its constructor's keyword arguments.
        models: their names.
        profile: "robust" judges what the authors mean, "compat" as the published tables.
        again: score everything anew.
        judges: of a benchmark that other models judge; see `jobs.judge`.
        n_processes, n_nodes: what judges; see `jobs.grading.judging`.
    """

    root: Path
    benchmark: str
    models: tuple[str, ...]
    params: dict[str, Any]
    profile: str = "robust"
    again: bool = False
    judges: tuple[JudgeSpec, ...] = ()
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
    judge = _judge(layout, task, benchmark)
    queries = {query.index: query for query in read_queries(layout, task.benchmark)}
    meta = score_meta(layout, task, benchmark)
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
    meta = score_meta(layout, task, find(task.benchmark, **task.params))
    for model in task.models:
        keys = read_columns(layout, task.benchmark, model, ["finished_at"])
        found = read_scores(layout, task.benchmark, model, ["response_finished_at", "score"])
        if found is None or not _is_current(found[1], meta):
            if len(keys["index"]) and (found is None or found[1]["scorer"] != RELEASE):
                return True
            continue
        if not np.array_equal(found[0]["response_finished_at"], keys["finished_at"]):
            return True
        is_missing = np.isnan(found[0]["score"])
        if is_missing.any() and (task.judges or _has_failed(layout, task.benchmark, model, is_missing)):
            return True
    return False


def _has_failed(layout: Layout, benchmark: str, model: str, rows: NDArray[np.bool_]) -> bool:
    """Whether a grader failed on some of these rows; it, or a judge, may do better the next time."""
    found = read_scores(layout, benchmark, model, ["explanation"])
    assert found is not None
    return any(text.startswith(_GRADER_FAILED) for text in compress(found[0]["explanation"], rows))


def _judge(layout: Layout, task: ScoreTask, benchmark: Benchmark) -> Callable[[Query, str], Score]:
    if isinstance(benchmark, GradedElsewhere):
        return partial(benchmark.graded, profile=task.profile, verdicts=read_verdicts(layout, task.benchmark))
    return benchmark.score_compat if task.profile == "compat" else benchmark.score


def score_meta(layout: Layout, task: ScoreTask, benchmark: Benchmark) -> dict[str, Any]:
    """What determines a score beside the response."""
    meta: dict[str, Any] = {
        "scorer": SCORER,
        "scorer_version": benchmark.scorer_version,
        "profile": task.profile,
        "params": task.params,
        "query_digest": read_query_columns(layout, task.benchmark, ())[1]["digest"],
    }
    if task.judges:
        meta["judges"] = [judge_identity(judge) for judge in task.judges]
    if isinstance(benchmark, GradedElsewhere):
        meta["verdicts"] = verdicts_there(layout, task.benchmark)
    return meta


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
            judged = Score(math.nan, "", f"{_GRADER_FAILED}{judged}")
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
