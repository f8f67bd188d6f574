"""The scores of judged benchmarks: those that are there, those to come, and their files.

The files have four columns more than others: what the judges cost, and what they said.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.judging import Judged, Judgement
from jobs.score import FAILED, Key, ScoreTask, response_keys, score_meta, score_table, valid_scores
from scoring.judged import JudgedBenchmark
from store.errors import StoreError
from store.layout import Layout
from store.queries import read_queries, to_json
from store.responses import read_columns
from store.scores import read_scores, write_scores


class Pair:
    """One model's responses to one benchmark, and their scores so far.

    Attributes:
        keys: of all its responses, in order.
        missing: of those whose scores are to come.
        new: of those that have come.
    """

    def __init__(self, task: ScoreTask, model: str, benchmark: JudgedBenchmark) -> None:
        """Reads no text.

        Raises:
            StoreError: the responses or scores cannot be read.
        """
        self.task, self.model, self._layout = task, model, Layout(task.root)
        self._meta = score_meta(self._layout, task, benchmark)
        self.keys = response_keys(read_columns(self._layout, task.benchmark, model, ["finished_at"]), "finished_at")
        kept = self._kept()
        self.rows = {} if kept is None else kept
        # A publisher's verdicts stay, unless asked for.
        self.missing = set() if kept is None else {key for key in self.keys if key not in self.rows}
        self.new: list[Key] = []
        self._is_written = not self.keys or self.rows.keys() <= set(self.keys)  # else responses have gone

    def responses(self) -> Iterator[tuple[Key, str, bool]]:
        """Key, text and whether it failed, of those that are missing; one that was replaced meanwhile is left out."""
        table = read_columns(self._layout, self.task.benchmark, self.model, ["text", "failed"])
        keys = response_keys(table, "finished_at")
        for key, text, failed in zip(keys, table["text"], table["failed"].tolist(), strict=True):
            if key in self.missing:
                yield key, text, failed

    def put(self, key: Key, judged: Judged) -> None:
        """Take a score; the last one writes the file."""
        self.rows[key] = judged
        self.missing.remove(key)
        self.new.append(key)
        self._is_written = False
        if not self.missing:
            self.write()

    def write(self) -> None:
        """Write the scores that are there, unless the file has them."""
        if self._is_written:
            return
        keys = [key for key in self.keys if key in self.rows]
        rows = [self.rows[key] for key in keys]
        columns = {
            **score_table(keys, [row.score for row in rows]),
            "judge_cost_usd": np.array([row.cost_usd for row in rows], np.float64),
            "judge_prompt_tokens": np.array([row.prompt_tokens for row in rows], np.int64),
            "judge_completion_tokens": np.array([row.completion_tokens for row in rows], np.int64),
            "judge_replies": [to_json(row.replies) for row in rows],
        }
        write_scores(self._layout, self.task.benchmark, self.model, columns, self._meta)
        self._is_written = True

    def _kept(self) -> dict[Key, Judged] | None:
        """Rows that may stay; None for a publisher's."""
        benchmark = self.task.benchmark
        scores = {} if self.task.again else valid_scores(self._layout, benchmark, self.model, self._meta)
        if scores is None:
            return None
        found = read_scores(self._layout, benchmark, self.model) if scores else None
        if found is None:
            return {}
        table = found[0]
        costs = (table[name].tolist() for name in ("judge_cost_usd", "judge_prompt_tokens", "judge_completion_tokens"))
        rows = zip(response_keys(table, "response_finished_at"), *costs, table["judge_replies"], strict=True)
        return {
            key: Judged(scores[key], cost_usd, prompt_tokens, completion_tokens, json.loads(replies))
            for key, cost_usd, prompt_tokens, completion_tokens, replies in rows
            if key in scores
        }


@dataclass(frozen=True, slots=True)
class Work:
    """A response without a score."""

    pair: Pair
    key: Key
    judgement: Judgement


def open_responses(task: ScoreTask, benchmark: JudgedBenchmark, pairs: Sequence[Pair]) -> Iterator[Work]:
    """Every response that has no score yet, of one pair after another; texts are read when their turn comes.

    Raises:
        StoreError: queries or responses cannot be read.
    """
    judging = benchmark.judging_compat if task.profile == "compat" else benchmark.judging
    queries = {query.index: query for query in read_queries(Layout(task.root), task.benchmark)}
    for pair in pairs:
        for key, text, failed in pair.responses():
            if failed:
                pair.put(key, Judged(FAILED))
            elif key[0] in queries:
                yield Work(pair, key, Judgement(judging(queries[key[0]], text)))
            else:
                raise StoreError(f"{pair.model} has answered {task.benchmark}, index {key[0]}, which is no query of it")


def problems_of(pairs: Sequence[Pair], cause: str, otherwise: str) -> str:
    """Why responses of a benchmark have no score; empty where all have theirs.

    Args:
        cause: of the whole benchmark, if there is one.
        otherwise: why some were not judged if there is none.
    """
    n_missing, found = sum(len(pair.missing) for pair in pairs), []
    if n_missing:
        found.append(f"{n_missing} responses not judged: {cause or otherwise}")
    elif cause:
        found.append(cause)
    rows = [(pair.model, key[0], pair.rows[key].score) for pair in pairs for key in pair.new]
    if failed := [(model, index, score.explanation) for model, index, score in rows if math.isnan(score.value)]:
        model, index, why = failed[0]
        found.append(f"{len(failed)} responses without a verdict, such as {model}, index {index}: {why}")
    return "; ".join(found)
