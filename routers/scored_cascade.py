"""What the cascades of FrugalGPT share, whatever scorer looks at the answers (arXiv 2305.05176)."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import calling, checks
from routers.averages import group_mean, overall_mean
from routers.cascade_search import Cascade, Evidence, best_cascades
from routers.router import HeldOut, Queries, Router, RouterError
from routers.validation import held_out

SCORER_INPUTS = ("query", "query+answer")
_THRESHOLD_SHARE = 0.2  # of the training queries; the scorers do not see it, so they are not over-confident on it


class ScoredCascade(Router):
    """For every budget the cascade with the highest mean score on held-out training queries that it can pay for.

    Scorers learn from four fifths of the training queries; orders and thresholds are chosen on the rest. (The port in
    LLMRouterBench chooses thresholds on what the scorers were trained on, and its scorers see the query only:
    scorer_input="query".)

    Budgets are costs per query on the held-out queries, in equal ratios from the mean cost of the cheapest model to the
    mean costs of the `depth` dearest models together, which leaves no cascade out, and are called 0 … 1. The threshold
    of a cascade of two is the best there is, found among all sorted reliabilities. Deeper ones grow from the best
    shorter ones: every model is put before each of them, again with its best threshold. All orders are searched up to
    `max_orders`; in a larger pool only the models that no other one beats in both mean score and mean cost, dearer
    ones after cheaper ones.

    A missing answer is never accepted before the last model; in the search its score and cost are the model's means
    over the benchmark. A model without a known score or cost is never called. What the scorer costs is not counted.

    Attributes:
        models: names of the models that may be called, None for the whole pool.
        depth: most models in a cascade.
        scorer_input: "query+answer", or "query" to decide without looking at answers (they are still paid for).
        n_trade_offs: budgets.
        max_orders: pairs of models that are tried in both orders.
        judges_itself: whether `fit` also says how good the trade-offs are, so that no second one has to be fitted:
            for scorers that are dear to train.
    """

    judges_itself: ClassVar[bool] = False

    models: tuple[str, ...] | None
    depth: int
    scorer_input: str
    n_trade_offs: int
    max_orders: int

    @abstractmethod
    def learn_scorers(
        self, train: Queries, row: NDArray[np.int64], score: NDArray[np.float64], column: list[int]
    ) -> None:
        """Train the scorers of some models.

        Args:
            row: of the queries. score: of them, [n_rows, n_models], NaN where it is missing or not to be learned from.
            column: numbers of the models, each with a score.
        """

    @abstractmethod
    def seen(self, queries: Queries, row: NDArray[np.int64], column: list[int]) -> Any:
        """What the scorers of some models see of some queries and the answers to them, for `reliability`."""

    @abstractmethod
    def reliability(self, seen: Any, at: NDArray[np.int64], model: int) -> NDArray[np.float64]:
        """How reliable the answers of a model look, float64 [n]; -inf for a missing answer.

        Args:
            at: places in `row` of `seen`, [n].
        """

    def trade_offs(self) -> NDArray[np.float64]:
        """Budgets from 0, the cheapest model alone, to 1, whatever a cascade costs, float64 [n_trade_offs]."""
        checks.at_least(self, "n_trade_offs", 2)
        return calling.fractions(self.n_trade_offs)

    def fit(self, train: Queries) -> Self:
        """Train a scorer per model on one part of the queries, choose orders and thresholds on the other.

        Raises:
            RouterError: unusable data; no model has a known cost, or none of them an answer.
        """
        checks.at_least(self, "depth", 1)
        checks.one_of(self, "scorer_input", SCORER_INPUTS)
        checks.at_least(self, "max_orders", 0)
        row, score = checks.scored(self, train)
        cost = np.where(np.isnan(score), np.nan, checks.column(self, train, "cost")[row])
        benchmark = np.unique(checks.column(self, train, "benchmark")[row], return_inverse=True)[1]
        self.models_ = train.models
        self.mean_ = overall_mean(score)
        column, any_order = self._candidates(overall_mean(cost), train)
        answer = self.answers(train)
        if answer is not None and not any(answer[column][:, row].flat):
            raise RouterError(f"{self.name}: every answer is empty; collect the answers, or set scorer_input to query")
        is_held_out = held_out(benchmark, _THRESHOLD_SHARE, self.seed)
        if not is_held_out.any():  # too few queries to divide
            is_held_out[:] = True
        taught = np.where(is_held_out[:, None], np.nan, score)
        has_nothing = np.isnan(taught).all(axis=0)
        taught[:, has_nothing] = score[:, has_nothing]
        self.learn_scorers(train, row, taught, column)
        held = row[is_held_out]
        seen = self.seen(train, held, column)
        looks = [self.reliability(seen, np.arange(len(held)), m) for m in column]
        known = ~np.isnan(score[is_held_out][:, column])
        evidence = Evidence(
            reliability=np.where(known, np.stack(looks, axis=1), -np.inf),
            score=_filled(score[:, column], benchmark)[is_held_out],
            cost=_filled(cost[:, column], benchmark)[is_held_out],
        )
        mean_cost = evidence.cost.mean(axis=0)
        dearest = np.sort(mean_cost)[-int(self.depth) :].sum()
        self.budget_ = calling.budgets(mean_cost.min(), dearest, self.n_trade_offs)  # USD per query
        self.cascades_ = self._search(evidence, column, any_order)
        self.held_out_ = None
        if self.judges_itself:
            is_judged = held_out(benchmark[is_held_out], 0.5, self.seed)
            rest = np.flatnonzero(~is_judged) if is_judged.any() else np.arange(len(held))
            judged = np.flatnonzero(is_judged) if is_judged.any() else rest
            found = self._search(evidence.of(rest), column, any_order)
            utility = calling.accept(self._accepted(found, seen, judged), self.mean_)
            calls = calling.calls_along([cascade.order for cascade in found], len(self.models_))
            self.held_out_ = HeldOut(held[judged], utility, calls)
        return self

    def validation(self) -> HeldOut | None:
        """Half of the queries that chose orders and thresholds, under cascades that the other half alone chose.

        The scorers have seen neither half, so none is trained again. Where too few can be divided, both are all.
        """
        return self.held_out_

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """2 for the accepted model, mean training scores for the others, [n_trade_offs, n_queries, n_models]."""
        checks.same_pool(self, queries)
        asked = sorted({m for cascade in self.cascades_ for m in cascade.order[:-1]})
        seen = self.seen(queries, np.arange(queries.n_queries), asked)
        return calling.accept(self._accepted(self.cascades_, seen, np.arange(queries.n_queries)), self.mean_)

    def _search(self, evidence: Evidence, column: list[int], any_order: bool) -> list[Cascade]:
        """The best cascade of each budget."""
        return [
            Cascade(order=tuple(column[place] for place in found.order), threshold=found.threshold)
            for found in best_cascades(evidence, self.budget_, int(self.depth), any_order)
        ]

    def _accepted(self, cascades: list[Cascade], seen: Any, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The model whose answer each cascade accepts, [n_cascades, n_rows]; rows are places in `seen`."""
        reliability = np.full((len(rows), len(self.models_)), np.nan)  # NaN: not asked yet
        choice = np.empty((len(cascades), len(rows)), dtype=np.int64)
        for chosen, cascade in zip(choice, cascades, strict=True):
            waiting = np.arange(len(rows))
            for m, threshold in zip(cascade.order[:-1], cascade.threshold[:-1], strict=True):
                new = waiting[np.isnan(reliability[waiting, m])]
                reliability[new, m] = self.reliability(seen, rows[new], m)
                is_accepted = reliability[waiting, m] >= threshold
                chosen[waiting[is_accepted]] = m
                waiting = waiting[~is_accepted]
            chosen[waiting] = cascade.order[-1]
        return choice

    def calls(self) -> NDArray[np.float64]:
        """Every model of the cascade up to the accepted one, once each."""
        return calling.calls_along([cascade.order for cascade in self.cascades_], len(self.models_))

    def answers(self, queries: Queries) -> NDArray[np.object_] | None:
        """What every model answered, str [n_models, n_queries]; None for scorers that see only the query."""
        return checks.answer(self, queries) if self.scorer_input == "query+answer" else None

    def _candidates(self, mean_cost: NDArray[np.float64], train: Queries) -> tuple[list[int], bool]:
        """Numbers of the models that may be called, cheapest first, and whether a dearer one may come before them."""
        named = [checks.model(self, train, name) for name in self.models or train.models]
        priced = [m for m in named if not np.isnan(mean_cost[m])]
        by_cost = sorted(priced, key=lambda m: (mean_cost[m], train.models[m]))
        if not by_cost:
            names = ", ".join(train.models[m] for m in named)
            raise RouterError(f"{self.name}: no cost of {names} is known; give the models prices")
        if len(by_cost) * (len(by_cost) - 1) <= self.max_orders:
            return by_cost, True
        frontier: list[int] = []
        for m in by_cost:
            if not frontier or self.mean_[m] > self.mean_[frontier[-1]]:
                frontier.append(m)
        return frontier, False


def _filled(value: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """The values, missing ones replaced by their column's mean over the group, or over all rows without one."""
    per_group = group_mean(value, group, int(group.max()) + 1)[group]
    return np.where(np.isnan(value), np.where(np.isnan(per_group), overall_mean(value), per_group), value)
