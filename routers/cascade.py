"""RouterBench's cascade: models from cheap to dear, and a judge that knows the score but errs at a given rate.

A reference: no judge that sees only answers could be expected to do better than one that is told the score (arXiv
2403.12031, section 4.2). It shows how good a judge must be for a cascade to pay.
"""

import hashlib
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import calling, checks
from routers.averages import overall_mean
from routers.router import Queries, Router, RouterError


class SimulatedCascade(Router):
    """Calls the models in the order of their mean training costs until the judge accepts or the budget is used up.

    The judge accepts a score that reaches a quantile of all training scores (for scores of 0 and 1: a right answer),
    and says the opposite with probability `error_rate`, drawn for each model and query text from the seed. A model
    whose cost at the query does not fit into what is left of the budget ends the cascade; the first one is always
    called. The last answer is given where none was accepted.

    Budgets are costs per query, in equal ratios from the mean cost of the cheapest model to the mean costs of all of
    them together, and are called 0 … 1. A missing pair is never accepted, and not given where there is another; a model
    without a known score and cost is not called.

    Args:
        error_rate: of the judge, in [0, 1]; RouterBench shows 0 to 0.8.
        quantile: of the training scores, from which on an answer is right.
        n_trade_offs: budgets.
        seed: of the judge's errors.
    """

    name: ClassVar[str] = "cascade"
    inputs: ClassVar[frozenset[str]] = frozenset({"text", "score", "cost"})

    def __init__(
        self, *, error_rate: float = 0.1, quantile: float = 0.95, n_trade_offs: int = 21, seed: int = 42
    ) -> None:
        self.error_rate = error_rate
        self.quantile = quantile
        self.n_trade_offs = n_trade_offs
        self.seed = seed

    def trade_offs(self) -> NDArray[np.float64]:
        """Budgets from 0, the cheapest model, to 1, all models together, float64 [n_trade_offs]."""
        checks.at_least(self, "n_trade_offs", 2)
        return calling.fractions(self.n_trade_offs)

    def fit(self, train: Queries) -> Self:
        """Average the training costs, and find the score that counts as right.

        Raises:
            RouterError: unusable data; no cost is known.
        """
        for parameter in ("error_rate", "quantile"):
            checks.at_least(self, parameter, 0)
            if getattr(self, parameter) > 1:
                raise RouterError(f"{self.name}: {parameter} is {getattr(self, parameter)!r}; expected at most 1")
        row, score = checks.scored(self, train)
        cost = overall_mean(np.where(np.isnan(score), np.nan, checks.column(self, train, "cost")[row]))
        if np.isnan(cost).all():
            raise RouterError(f"{self.name}: no cost of the training queries is known; give the models prices")
        self.models_ = train.models
        self.mean_ = overall_mean(score)
        self.right_ = float(np.nanquantile(score, self.quantile))
        by_cost = np.lexsort((np.array(train.models), cost))
        self.order_ = by_cost[~np.isnan(cost[by_cost])]
        known = cost[self.order_]
        self.budget_ = calling.budgets(known[0], known.sum(), self.n_trade_offs)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """2 for the model whose answer is given, mean training scores for the others, as `calling.accept` has it."""
        checks.same_pool(self, queries)
        score = checks.column(self, queries, "score")[:, self.order_]
        cost = checks.column(self, queries, "cost")[:, self.order_]
        is_there = ~np.isnan(score)
        is_wrong = self._draws(checks.column(self, queries, "text")) < self.error_rate
        is_accepted = is_there & ((score >= self.right_) ^ is_wrong)
        place = np.arange(len(self.order_))
        choice = np.empty((len(self.budget_), queries.n_queries), dtype=np.int64)
        for chosen, budget in zip(choice, self.budget_, strict=True):
            with np.errstate(invalid="ignore"):
                is_called = np.cumsum(cost, axis=1) <= budget  # False from an unknown cost on
            is_called |= place == 0
            stop = np.where(is_accepted & is_called, place, len(place)).min(axis=1)
            last = np.where(is_there & is_called, place, 0).max(axis=1)
            chosen[:] = self.order_[np.where(stop < len(place), stop, last)]
        return calling.accept(choice, self.mean_)

    def calls(self) -> NDArray[np.float64]:
        """All models up to the one whose answer is given, once each."""
        return calling.calls_along([self.order_.tolist()] * len(self.budget_), len(self.models_))

    def _draws(self, text: tuple[str, ...]) -> NDArray[np.float64]:
        """Uniform draws in [0, 1) that belong to seed, model and text, [n_queries, n_called]."""
        names = [f"{self.name}/{self.seed}/{self.models_[m]}/".encode() for m in self.order_]
        drawn = b"".join(
            hashlib.blake2b(name + line.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            for line in text
            for name in names
        )
        return np.frombuffer(drawn, dtype="<u8").reshape(len(text), len(names)) / 2.0**64
