"""What every router checks before it uses parameters or data, so that each mistake has one message.

A constructor only stores its arguments; they are checked here when `fit` begins.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from routers.router import Queries, Router, RouterError


def one_of(router: Router, parameter: str, valid: tuple[str, ...]) -> None:
    """Raise RouterError unless the parameter has one of the valid values."""
    value = getattr(router, parameter)
    if value not in valid:
        raise RouterError(f"{router.name}: {parameter} is {value!r}; valid: {', '.join(valid)}")


def at_least(router: Router, parameter: str, low: float) -> None:
    """Raise RouterError unless the parameter is a finite number not below `low`."""
    value = getattr(router, parameter)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < float("inf"):
        raise RouterError(f"{router.name}: {parameter} is {value!r}; expected a number of at least {low:g}")


def column(router: Router, queries: Queries, name: str) -> Any:
    """The column of that name.

    Raises:
        RouterError: it was not handed over, or its length is not `n_queries`.
    """
    value = getattr(queries, name)
    if value is None:
        raise RouterError(
            f"{router.name}: needs the {name} of every query and got none; hand it over in Queries.{name}"
        )
    if len(value) != queries.n_queries:
        raise RouterError(f"{router.name}: {name} has {len(value)} rows for {queries.n_queries} queries")
    return value


def embedding(router: Router, queries: Queries, dim: int | None = None) -> NDArray[np.float32]:
    """The query embeddings, float32 [n_queries, dim], every value finite.

    Args:
        dim: the width seen in training, None while training.

    Raises:
        RouterError: no embedding, a wrong shape, or a value that is not finite. Such a value is a failure of the
            encoder: no router can guess what was meant, and a guess would hide it.
    """
    value = np.asarray(column(router, queries, "embedding"), dtype=np.float32)
    if value.ndim != 2 or (dim is not None and value.shape[1] != dim):
        expected = "[n_queries, dim]" if dim is None else f"[n_queries, {dim}] as in training"
        raise RouterError(f"{router.name}: embedding has shape {list(value.shape)}; expected {expected}")
    bad = np.flatnonzero(~np.isfinite(value).all(axis=1))
    if bad.size:
        raise RouterError(
            f"{router.name}: the embedding of {bad.size} of {queries.n_queries} queries is not finite, "
            f"first in row {bad[0]}; embed these queries again"
        )
    return value


def answer(router: Router, queries: Queries) -> NDArray[np.object_]:
    """What every model answered to every query, str [n_models, n_queries], "" where there is no answer.

    Raises:
        RouterError: no answers were handed over, or not of every model to every query.
    """
    value = queries.answer
    if value is None:
        raise RouterError(
            f"{router.name}: needs the answers of the models and got none; hand them over in Queries.answer. "
            "A cascade cannot route a query before the first of its models has answered it"
        )
    lengths = [len(lines) for lines in value]
    if lengths != [queries.n_queries] * len(queries.models):
        raise RouterError(
            f"{router.name}: answers have lengths {lengths}; expected {len(queries.models)} models "
            f"with {queries.n_queries} answers each"
        )
    return np.array(value, dtype=object).reshape(len(value), queries.n_queries)


def model(router: Router, queries: Queries, name: str) -> int:
    """Number of the model of that name.

    Raises:
        RouterError: the pool has none; the message has the valid names.
    """
    if name not in queries.models:
        raise RouterError(f"{router.name}: no model {name!r} in the pool; valid: {', '.join(queries.models)}")
    return queries.models.index(name)


def scored(router: Router, train: Queries) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The training queries that can teach something: those with the score of at least one model.

    Returns:
        Their row numbers, ascending, [n_rows], and their scores, float64 [n_rows, n_models], NaN where missing.

    Raises:
        RouterError: no query, scores of a wrong shape, or not a single score.
    """
    if not train.n_queries:
        raise RouterError(f"{router.name}: no training query; check the split")
    score = column(router, train, "score")
    if score.shape != (train.n_queries, len(train.models)):
        expected = [train.n_queries, len(train.models)]
        raise RouterError(f"{router.name}: training scores have shape {list(score.shape)}; expected {expected}")
    row = np.flatnonzero(~np.isnan(score).all(axis=1))
    if not row.size:
        raise RouterError(f"{router.name}: all {score.size} training scores are missing; score the responses first")
    return row, score[row]


def priced(router: Router, train: Queries, row: NDArray[np.int64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    """The costs of the pairs that have a score, float64 [n_rows, n_models] in USD, NaN where unknown.

    Args:
        row, score: as `scored` gives them.

    Raises:
        RouterError: no pair has both a score and a cost, so that there is nothing to trade off.
    """
    cost = np.where(np.isnan(score), np.nan, column(router, train, "cost")[row])
    if np.isnan(cost).all():
        raise RouterError(
            f"{router.name}: no cost of the training queries is known; give the models prices, "
            "or use a router without a trade-off"
        )
    return cost


def same_pool(router: Router, queries: Queries) -> None:
    """Raise RouterError unless the router was fitted on exactly these models in this order (its `models_`)."""
    models = getattr(router, "models_", None)
    if models is None:
        raise RouterError(f"{router.name}: predict before fit; call fit with the training queries first")
    if models != queries.models:
        raise RouterError(f"{router.name}: fitted on the models {models}, asked about {queries.models}; fit it again")
