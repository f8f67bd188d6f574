"""Small synthetic worlds for the tests of routers, and what is done to them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from routers.router import Queries, Router, choose

COLUMNS = ("text", "embedding", "benchmark", "score", "cost", "answer")


def world(score: NDArray, benchmark: NDArray, embedding: NDArray, cost: NDArray | None = None) -> Queries:
    """Queries around the given arrays, with names of models, a text per query and costs that favour no model."""
    n_queries, n_models = score.shape
    rng = np.random.default_rng(n_queries)
    if cost is None:
        cost = rng.lognormal(-7.0, 0.5, size=score.shape)
    words = rng.integers(50, size=(n_queries, 6))
    return Queries(
        models=tuple(f"model-{chr(ord('a') + m)}" for m in range(n_models)),
        n_queries=n_queries,
        text=tuple(f"task {b}: {' '.join(f'w{w}' for w in row)}" for b, row in zip(benchmark, words, strict=True)),
        embedding=embedding.astype(np.float32),
        benchmark=benchmark.astype(np.int64),
        score=score.astype(np.float64),
        cost=cost.astype(np.float64),
        answer=answers(score),
    )


def answers(score: NDArray) -> tuple[tuple[str, ...], ...]:
    """Answers that give their score away: the better, the more often they call themselves checked."""
    rng = np.random.default_rng(score.shape)
    is_checked = rng.random(score.shape) < 0.1 + 0.8 * np.nan_to_num(score)
    word = rng.integers(50, size=score.shape)
    return tuple(
        tuple(f"so it is w{w}, {'checked' if good else 'unsure'}" for w, good in zip(words, goods, strict=True))
        for words, goods in zip(word.T, is_checked.T, strict=True)
    )


def continuous(n_queries: int = 160, n_models: int = 4, n_benchmarks: int = 3, dim: int = 12, seed: int = 0) -> Queries:
    """Scores without ties that depend on the embedding, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    benchmark = np.arange(n_queries) % n_benchmarks
    embedding = rng.normal(size=(n_benchmarks, dim))[benchmark] + 0.5 * rng.normal(size=(n_queries, dim))
    taste = embedding @ rng.normal(size=(dim, n_models)) / np.sqrt(dim)
    score = 1 / (1 + np.exp(-2 * taste)) * rng.uniform(0.7, 1.0, size=taste.shape)
    price = rng.uniform(1.0, 5.0, size=n_models)
    return world(score, benchmark, embedding, price * rng.lognormal(-7.0, 0.5, size=taste.shape))


def specialists(n_queries: int = 900, n_benchmarks: int = 5, dim: int = 24, seed: int = 1) -> Queries:
    """One specialist per benchmark (right in 9 of 10 cases, the others in 3), benchmarks far apart in the embedding."""
    rng = np.random.default_rng(seed)
    benchmark = np.arange(n_queries) % n_benchmarks
    embedding = 4.0 * rng.normal(size=(n_benchmarks, dim))[benchmark] + rng.normal(size=(n_queries, dim))
    chance = np.where(benchmark[:, None] == np.arange(n_benchmarks), 0.9, 0.3)
    return world(rng.random(chance.shape) < chance, benchmark, embedding)


def noise(n_queries: int = 3000, n_models: int = 5, n_benchmarks: int = 4, dim: int = 8, seed: int = 2) -> Queries:
    """Scores of a fair coin: there is nothing to learn, not from the answers either."""
    rng = np.random.default_rng(seed)
    score = rng.random((n_queries, n_models)) < 0.5
    queries = world(score, np.arange(n_queries) % n_benchmarks, rng.normal(size=(n_queries, dim)))
    return replace(queries, answer=answers(np.full(score.shape, 0.5)))


def rows(queries: Queries, row: NDArray) -> Queries:
    """The queries of these rows, in this order."""
    row = np.asarray(row)
    columns = {name: getattr(queries, name) for name in COLUMNS if getattr(queries, name) is not None}
    picked = {name: _pick(name, value, row) for name, value in columns.items()}
    return replace(queries, n_queries=len(row), **picked)


def _pick(name: str, value, row: NDArray):
    if name == "answer":
        return tuple(tuple(lines[i] for i in row) for lines in value)
    return tuple(value[i] for i in row) if name == "text" else value[row]


def pool(queries: Queries, model: NDArray) -> Queries:
    """The same queries with these models, in this order."""
    model = np.asarray(model)
    names = tuple(queries.models[m] for m in model)
    answer = None if queries.answer is None else tuple(queries.answer[m] for m in model)
    return replace(queries, models=names, score=queries.score[:, model], cost=queries.cost[:, model], answer=answer)


def split(queries: Queries, seed: int = 42, ratio: float = 0.7) -> tuple[Queries, Queries]:
    """Training and test part of every benchmark."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(queries.n_queries)
    by_benchmark = shuffled[np.argsort(queries.benchmark[shuffled], kind="stable")]
    _, start, count = np.unique(queries.benchmark[by_benchmark], return_index=True, return_counts=True)
    place = np.arange(queries.n_queries) - np.repeat(start, count)
    is_train = place < np.repeat((ratio * count).astype(int), count)
    return rows(queries, np.sort(by_benchmark[is_train])), rows(queries, np.sort(by_benchmark[~is_train]))


def visible(queries: Queries, router: Router) -> Queries:
    """What the evaluation hands to a router: the columns it declares, None for the others."""
    return replace(queries, **{name: None for name in COLUMNS if name not in router.inputs})


def avg_acc(queries: Queries, choice: NDArray) -> float:
    """Unweighted mean over benchmarks of the mean score of the chosen models."""
    score = queries.score[np.arange(queries.n_queries), choice]
    return float(np.mean([score[queries.benchmark == b].mean() for b in np.unique(queries.benchmark)]))


def accuracy(router: Router, train: Queries, test: Queries) -> float:
    """AvgAcc on the test part under that trade-off of a fitted router that is the most accurate in training."""
    on_train, on_test = (choose(router.predict(visible(part, router))) for part in (train, test))
    return avg_acc(test, on_test[np.argmax([avg_acc(train, choice) for choice in on_train])])
