"""A setting cut from the store: its matrix, its embeddings, and what a router may see of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from routers.router import Queries
from store.embeddings import embedding_digest, read_embeddings
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
        train_share, split_rule: see `store.split`.
    """

    root: Path
    name: str
    benchmarks: tuple[str, ...]
    models: tuple[str, ...]
    selection: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    encoder: str
    train_share: float = 0.7
    split_rule: str = "independent"

    def matrix(self) -> Matrix:
        """The arrays; raises as `store.matrix.load_matrix`."""
        return load_matrix(Layout(self.root), self.benchmarks, self.models, self.selection)

    def train_mask(self, matrix: Matrix, seed: int) -> NDArray[np.bool_]:
        """Which queries are for training under this seed, bool [n_queries]."""
        return train_mask(
            matrix.benchmarks, matrix.benchmark, matrix.prompt_group,
            seed=seed, train_share=self.train_share, rule=self.split_rule,
        )  # fmt: skip


def content_digest(setting: Setting, matrix: Matrix, inputs: frozenset[str] = frozenset()) -> str:
    """Digest of scores, costs, equal prompts, the rule of the split, and of a router's inputs: all it depends on."""
    result = hashlib.sha256(repr((matrix.benchmarks, matrix.models)).encode())
    result.update(repr((setting.train_share, setting.split_rule)).encode())
    for array in (matrix.benchmark, matrix.index, matrix.prompt_group, matrix.score, matrix.cost):
        result.update(np.ascontiguousarray(array).tobytes())
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


def _answers(layout: Layout, benchmark: str, model: str, index: NDArray[np.int64]) -> list[str]:
    """A model's answers to these queries, repeat 0; "" where there is none or it failed."""
    table = read_columns(layout, benchmark, model, ["text"])
    rows = zip(table["index"].tolist(), table["repeat"].tolist(), table["text"], strict=True)
    texts = {number: text for number, repeat, text in rows if repeat == 0}
    return [texts.get(number, "") for number in index.tolist()]


def _texts(layout: Layout, benchmark: str, index: NDArray[np.int64]) -> list[str]:
    table, _ = read_query_columns(layout, benchmark, ["index", "text"])
    return [table["text"][row] for row in np.searchsorted(table["index"], index).tolist()]
