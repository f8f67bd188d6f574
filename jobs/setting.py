"""A setting cut from the store: its matrix, its embeddings, and what a router may see of them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from routers.router import Queries
from store.embeddings import embedding_digest, read_embeddings
from store.errors import StoreError
from store.given_split import given_split
from store.layout import Layout
from store.matrix import Matrix, load_matrix
from store.queries import read_query_columns
from store.responses import read_columns
from store.split import train_mask

TRAINING_SEES = frozenset({"score", "cost", "benchmark"})  # beside what the router declares


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is compared on what.

    Attributes:
        root: of the store.
        name: of the setting.
        benchmarks, models: names.
        selection: benchmark -> indices that count, for those of which a sample is used.
        encoder: whose embeddings routers get.
        train_share, split_rule: see `store.split`; rule "given" is the benchmarks' own split, see `store.given_split`.
        left_out: groups of benchmarks; the test queries of each are routed by a router that was trained without any
            query of the group (unseen benchmarks).
        new_models: models of whose training scores, costs and answers only those of `n_shots` queries are known.
        collected: models of the store that are routers themselves; no part of the pool.
    """

    root: Path
    name: str
    benchmarks: tuple[str, ...]
    models: tuple[str, ...]
    selection: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    encoder: str
    train_share: float = 0.7
    split_rule: str = "independent"
    left_out: tuple[tuple[str, ...], ...] = ()
    new_models: tuple[str, ...] = ()
    n_shots: int = 0
    collected: tuple[str, ...] = ()

    def matrix(self) -> Matrix:
        """The arrays; raises as `store.matrix.load_matrix`."""
        layout, selection = Layout(self.root), dict(self.selection)
        if self.split_rule == "given":  # queries that are neither for training nor for testing are no part of it
            selection |= {name: np.concatenate(given_split(layout, name)) for name in self.benchmarks}
        return load_matrix(layout, self.benchmarks, self.models, selection)

    def train_mask(self, matrix: Matrix, seed: int) -> NDArray[np.bool_]:
        """Which queries are for training under this seed, bool [n_queries]; the same for all seeds if given."""
        if self.split_rule == "given":
            rows = [matrix.index[matrix.benchmark == number] for number in range(len(matrix.benchmarks))]
            train = [given_split(Layout(self.root), name)[0] for name in matrix.benchmarks]
            return np.concatenate([np.isin(index, known) for index, known in zip(rows, train, strict=True)])
        return train_mask(
            matrix.benchmarks, matrix.benchmark, matrix.prompt_group,
            seed=seed, train_share=self.train_share, rule=self.split_rule,
        )  # fmt: skip

    def collected_columns(self, matrix: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores and costs in USD of the collected routers, each [n_queries, n_collected], NaN where there is none."""
        layout, shape = Layout(self.root), (len(matrix.index), len(self.collected))
        score, cost = np.full(shape, np.nan), np.full(shape, np.nan)
        for column, name in enumerate(self.collected):
            there = [benchmark for benchmark in matrix.benchmarks if name in layout.scored_models(benchmark)]
            if not there:
                raise StoreError(f"{name} has no scores in this setting; run launch/score.py, or leave it out")
            rows = np.isin(matrix.benchmark, [matrix.benchmarks.index(benchmark) for benchmark in there])
            own = load_matrix(layout, there, (name,), self.selection)
            score[rows, column], cost[rows, column] = own.score[:, 0], own.cost[:, 0]
        return score, cost

    def folds(self, matrix: Matrix, seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Rows to train on and test rows that are then routed: one pair, or one for each group that is left out.

        The test rows of all pairs together are those of `train_mask`, so that the figures of unseen benchmarks stand
        beside those of seen ones, measured on the same queries.
        """
        is_train = self.train_mask(matrix, seed)
        group = np.full(len(matrix.benchmarks), -1)
        for number, names in enumerate(self.left_out):
            group[[matrix.benchmarks.index(name) for name in names]] = number
        group = group[matrix.benchmark]
        for number in np.unique(group):
            is_unseen = group == number
            yield np.flatnonzero(is_train & ~(is_unseen & (number >= 0))), np.flatnonzero(~is_train & is_unseen)

    def is_hidden(self, matrix: Matrix, rows: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
        """Which pairs of these training rows nobody knows yet: those of the new models but for `n_shots` queries.

        All new models answer the same queries, drawn evenly from all rows. [n_rows, n_models]
        """
        shots = np.random.default_rng([seed, 3]).permutation(len(rows))[: self.n_shots]
        hidden = np.tile(np.isin(matrix.models, self.new_models), (len(rows), 1))
        hidden[shots] = False
        return hidden


def content_digest(setting: Setting, matrix: Matrix, inputs: frozenset[str] = frozenset()) -> str:
    """Digest of scores, costs, equal prompts, the rule of the split, and of a router's inputs: all it depends on."""
    result = hashlib.sha256(repr((matrix.benchmarks, matrix.models)).encode())
    result.update(repr((setting.train_share, setting.split_rule)).encode())
    result.update(repr((setting.left_out, setting.new_models, setting.n_shots)).encode())
    for array in (matrix.benchmark, matrix.index, matrix.prompt_group, matrix.score, matrix.cost):
        result.update(np.ascontiguousarray(array).tobytes())
    if setting.split_rule == "given":
        result.update(setting.train_mask(matrix, 0).tobytes())
    layout = Layout(setting.root)
    for benchmark in matrix.benchmarks:
        if "embedding" in inputs:
            result.update(repr((setting.encoder, embedding_digest(layout, setting.encoder, benchmark))).encode())
        if "text" in inputs:
            result.update(read_query_columns(layout, benchmark, ["index"])[1]["digest"].encode())
        if "answer" in inputs:  # when they were given stands for what they say, and is read much faster
            for model in matrix.models:
                result.update(read_columns(layout, benchmark, model, [])["finished_at"].tobytes())
    return result.hexdigest()[:32]


def all_columns(setting: Setting, matrix: Matrix, wanted: frozenset[str]) -> Queries:
    """Every query of the matrix with the wanted columns; text, embeddings and answers are read only if wanted.

    Raises:
        StoreError: embeddings are wanted and not in the store.
    """
    layout = Layout(setting.root)
    per_benchmark = [(name, matrix.index[matrix.benchmark == number]) for number, name in enumerate(matrix.benchmarks)]
    text = embedding = answer = None
    if "text" in wanted:
        text = tuple(line for name, index in per_benchmark for line in _texts(layout, name, index))
    if "embedding" in wanted:
        embedding = np.concatenate(
            [read_embeddings(layout, setting.encoder, name, index) for name, index in per_benchmark]
        )
    if "answer" in wanted:
        answer = tuple(
            tuple(line for name, index in per_benchmark for line in _answers(layout, name, model, index))
            for model in matrix.models
        )
    return Queries(
        models=matrix.models, n_queries=len(matrix.index), text=text, embedding=embedding,
        benchmark=matrix.benchmark, score=matrix.score, cost=matrix.cost, answer=answer,
    )  # fmt: skip


def view(queries: Queries, rows: NDArray[np.int64], allowed: frozenset[str]) -> Queries:
    """These rows, with the allowed columns only: what is not allowed is None, so a leak is an error."""

    def take(name: str) -> NDArray | None:
        return getattr(queries, name)[rows] if name in allowed else None

    text = answer = None
    if "text" in allowed and queries.text is not None:
        text = tuple(queries.text[row] for row in rows)
    if "answer" in allowed and queries.answer is not None:
        answer = tuple(tuple(lines[row] for row in rows) for lines in queries.answer)
    return Queries(
        models=queries.models, n_queries=len(rows), text=text, embedding=take("embedding"),
        benchmark=take("benchmark"), score=take("score"), cost=take("cost"), answer=answer,
    )  # fmt: skip


def without(queries: Queries, hidden: NDArray[np.bool_]) -> Queries:
    """The queries with these pairs missing: no score, no cost, no answer.

    Args:
        hidden: [n_queries, n_models].
    """

    def blank(value: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if value is None else np.where(hidden, np.nan, value)

    answer = queries.answer and tuple(
        tuple("" if is_hidden else line for line, is_hidden in zip(lines, column, strict=True))
        for lines, column in zip(queries.answer, hidden.T, strict=True)
    )
    return replace(queries, score=blank(queries.score), cost=blank(queries.cost), answer=answer)


def _answers(layout: Layout, benchmark: str, model: str, index: NDArray[np.int64]) -> list[str]:
    """A model's answers to these queries, repeat 0; "" where there is none or it failed."""
    table = read_columns(layout, benchmark, model, ["text"])
    rows = zip(table["index"].tolist(), table["repeat"].tolist(), table["text"], strict=True)
    texts = {number: text for number, repeat, text in rows if repeat == 0}
    return [texts.get(number, "") for number in index.tolist()]


def _texts(layout: Layout, benchmark: str, index: NDArray[np.int64]) -> list[str]:
    table, _ = read_query_columns(layout, benchmark, ["index", "text"])
    return [table["text"][row] for row in np.searchsorted(table["index"], index).tolist()]
