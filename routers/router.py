"""The interface of a router, what it may see, and how one is found by its name.

A router is one file in `routers/` plus one YAML in `configs/router/`, both called like the router; nothing lists
them. The evaluation hands a router only the columns it declares in `inputs`: anything else is `None`, so that a
leak shows as an error and not as a good number.
"""

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

import routers
from store import registry
from store.errors import RouteyardError


class RouterError(RouteyardError):
    """A router is unknown, or its data cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Queries as a router sees them; a column that the router did not declare in `inputs` is None.

    Attributes:
        models: names of the pool, the order of every model axis.
        text: query text, [n_queries].
        embedding: float32 [n_queries, dim], as the encoder gave it (not necessarily unit length).
        benchmark: int [n_queries], number of the benchmark. Only for references: a real router does not know it.
        score: float64 [n_queries, n_models] in [0, 1], NaN where the pair is missing.
        cost: float64 [n_queries, n_models] in USD, NaN where unknown.
        answer: of every model to every query, [n_models][n_queries], "" where missing. Only for cascades, which may
            look at an answer after they have called its model.
        n_queries: how many.
    """

    models: tuple[str, ...]
    n_queries: int
    text: tuple[str, ...] | None = None
    embedding: NDArray[np.float32] | None = None
    benchmark: NDArray[np.int64] | None = None
    score: NDArray[np.float64] | None = None
    cost: NDArray[np.float64] | None = None
    answer: tuple[tuple[str, ...], ...] | None = None


class HeldOut(NamedTuple):
    """Training queries that were held out, and what a router would do with them.

    Attributes:
        rows: their numbers, [n_held_out].
        utility: float64 [n_trade_offs, n_held_out, n_models], as from `Router.predict`.
        calls: as from `Router.calls`.
    """

    rows: NDArray[np.int64]
    utility: NDArray[np.float64]
    calls: NDArray[np.float64] | None


class Router(ABC):
    """Fit on the training part of a matrix, then predict per query a utility for every model.

    In the manner of scikit-learn: keyword arguments of `__init__` are stored under their own names and nothing
    else happens; `fit` learns and returns `self`; what was learned ends in an underscore.

    Attributes:
        name: equal to the file name and the YAML name.
        inputs: what it needs of a query *at routing time*, from {"text", "embedding", "benchmark", "score", "cost",
            "answer"}; a constant of the class, or a property where it depends on the parameters.
            Training always sees score, cost and benchmark beside these. A router with "score" among its inputs is
            a reference that looks at test scores (Oracle), never a contestant; "benchmark" marks one that is told
            the benchmark.
        seed: every router takes one as a keyword argument, whether it draws anything or not.
    """

    name: ClassVar[str]
    seed: int

    @property
    @abstractmethod
    def inputs(self) -> frozenset[str]:
        """See above."""

    @abstractmethod
    def fit(self, train: Queries) -> Self:
        """Learn from training queries with scores and costs. NaN pairs are not trained on.

        Raises:
            RouterError: the data cannot be used (no query, a model without a single score, …).
        """

    @abstractmethod
    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Utility of every model for every query and trade-off, higher is better.

        Returns:
            float64 [n_trade_offs, n_queries, n_models]; -inf marks a model that must not be chosen. Ties go to the
            lowest model number (`choose`).
        """

    def trade_offs(self) -> NDArray[np.float64]:
        """Values of the router's tunable parameter, ascending; one NaN where it has none. [n_trade_offs]"""
        return np.array([np.nan])

    def calls(self) -> NDArray[np.float64] | None:
        """How often every model is called for an answer by each of them; None: it alone, once. Of a fitted router.

        A cascade calls one model after another until it accepts an answer, and pays for all its calls.

        Returns:
            float64 [n_trade_offs, n_models, n_models], the model whose answer is given first; or None.
        """
        return None

    def validation(self) -> HeldOut | None:
        """What it would do with training queries that `fit` did not learn from; of a fitted router.

        None: whoever wants to know how good a trade-off is fits a copy on a part of the training queries
        (`jobs.validation`). A router that is dear to fit had better hold some out itself.
        """
        return None

    def params(self) -> dict[str, Any]:
        """The constructor's keyword arguments as they are now."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def clone(self) -> Self:
        """An unfitted copy with the same parameters."""
        return type(self)(**self.params())


def choose(utility: NDArray[np.float64]) -> NDArray[np.int64]:
    """The model with the highest utility; among equals the lowest number (spec 0.2).

    Args:
        utility: [..., n_models], -inf where a model must not be chosen, no NaN.

    Raises:
        RouterError: a NaN, or a query for which no model may be chosen.
    """
    if np.isnan(utility).any():
        raise RouterError("a utility is NaN; mark a model that must not be chosen with -inf")
    best = utility.argmax(axis=-1)
    if np.isneginf(np.take_along_axis(utility, best[..., None], axis=-1)).any():
        raise RouterError("a query has no model that may be chosen: every utility is -inf")
    return best


_NOT_ROUTERS = {  # modules of this package that hold no router
    "answer_scorer", "averages", "bradley_terry", "calling", "cascade_search", "checks", "clustering", "components",
    "deepspeed_training", "hybrid_labels", "memory", "pair", "query_features", "ridge", "router", "scored_cascade",
    "text_networks", "text_pair", "text_router", "trade_off", "training", "validation",
}  # fmt: skip


def names() -> list[str]:
    """Names of all routers, sorted; imports none of them."""
    return registry.names(routers, _NOT_ROUTERS)


def find(name: str) -> type[Router]:
    """The router class of that name.

    Raises:
        RouterError: no such router; the message has the nearest name and all valid ones.
    """
    return registry.find(routers, name, names(), Router, RouterError)
