"""FrugalGPT: ask a cheap model first, and the next one only where its answer looks unreliable (arXiv 2305.05176).

A scorer per model says how reliable an answer of it looks. A cascade is an order of models with a threshold for each
but the last: the first answer whose reliability reaches the threshold is accepted, and every model called is paid for.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import calling, checks
from routers.answer_scorer import N_COMPONENTS, SCORER_INPUTS, Scorer, fit_scorer
from routers.averages import group_mean, overall_mean
from routers.query_features import QueryFeatures
from routers.router import Queries, Router, RouterError
from routers.validation import held_out

_THRESHOLD_SHARE = 0.2  # of the training queries; the scorers do not see it, so they are not over-confident on it
_EQUAL = 1e-9  # relative; costs as near as this are equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """Models in the order in which they are called, with the least reliability of an answer that is accepted.

    Attributes:
        order: model numbers. threshold: of the same length; the last one is -inf, whatever it says is accepted.
    """

    order: tuple[int, ...]
    threshold: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What thresholds are chosen by, one row per query and one column per model; no NaN.

    Attributes:
        reliability: of the answers as the scorers see them; -inf for a missing one.
        score: in [0, 1]. cost: USD.
    """

    reliability: NDArray[np.float64]
    score: NDArray[np.float64]
    cost: NDArray[np.float64]


class FrugalGPT(Router):
    """For every budget the cascade with the highest mean score on held-out training queries that it can pay for.

    Scorers learn from four fifths of the training queries; orders and thresholds are chosen on the rest. (The port in
    LLMRouterBench chooses thresholds on what the scorers were trained on, and its scorers see the query only:
    scorer_input="query".) The scorer is a light one, see `answer_scorer`; its cost is not counted.

    Budgets are costs per query on the held-out queries, in equal ratios from the mean cost of the cheapest model to the
    mean costs of the `depth` dearest models together, which leaves no cascade out, and are called 0 … 1. The threshold
    of a cascade of two is the best there is, found among all sorted reliabilities. Deeper ones grow from the best
    shorter ones: every model is put before each of them, again with its best threshold. All orders are searched up to
    `max_orders`; in a larger pool only the models that no other one beats in both mean score and mean cost, dearer
    ones after cheaper ones.

    A missing answer is never accepted before the last model; in the search its score and cost are the model's means
    over the benchmark. A model without a known score or cost is never called.

    Args:
        models: names of the models that may be called, None for the whole pool.
        depth: most models in a cascade.
        scorer_input: "query+answer", or "query" to decide without looking at answers (they are still paid for).
        n_trade_offs: budgets.
        max_orders: pairs of models that are tried in both orders.
        seed: of the held-out queries and the principal components.
    """

    name: ClassVar[str] = "frugalgpt"

    def __init__(
        self,
        *,
        models: tuple[str, ...] | None = None,
        depth: int = 2,
        scorer_input: str = "query+answer",
        n_trade_offs: int = 21,
        max_orders: int = 5000,
        seed: int = 42,
    ) -> None:
        self.models = models
        self.depth = depth
        self.scorer_input = scorer_input
        self.n_trade_offs = n_trade_offs
        self.max_orders = max_orders
        self.seed = seed

    @property
    def inputs(self) -> frozenset[str]:
        """The embedding, and the answers for scorers that look at them."""
        return frozenset({"embedding", "answer"} if self.scorer_input == "query+answer" else {"embedding"})

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
        is_held_out = held_out(benchmark, _THRESHOLD_SHARE, self.seed)
        if not is_held_out.any():  # too few queries to divide
            is_held_out[:] = True
        embedding = checks.embedding(self, train)[row]
        self.features_ = QueryFeatures.of(embedding, N_COMPONENTS, self.seed)
        query, answer = self.features_(embedding), self._answers(train)
        if answer is not None:
            answer = answer[:, row]
            if not any(answer[column].flat):
                raise RouterError(
                    f"{self.name}: every answer is empty; collect the answers, or set scorer_input to query"
                )
        self.scorers_: dict[int, Scorer] = {}
        reliability = np.full((int(is_held_out.sum()), len(column)), -np.inf)
        for place, m in enumerate(column):
            known = ~np.isnan(score[:, m])
            learns = known & ~is_held_out if (known & ~is_held_out).any() else known
            self.scorers_[m] = fit_scorer(query[learns], _said(answer, m, learns), score[learns, m])
            looks = self.scorers_[m].reliability(query[is_held_out], _said(answer, m, is_held_out))
            reliability[:, place] = np.where(known[is_held_out], looks, -np.inf)
        evidence = Evidence(
            reliability=reliability,
            score=_filled(score[:, column], benchmark)[is_held_out],
            cost=_filled(cost[:, column], benchmark)[is_held_out],
        )
        mean_cost = evidence.cost.mean(axis=0)
        dearest = np.sort(mean_cost)[-int(self.depth) :].sum()
        self.budget_ = calling.budgets(mean_cost.min(), dearest, self.n_trade_offs)  # USD per query
        self.cascades_ = [
            Cascade(order=tuple(column[place] for place in found.order), threshold=found.threshold)
            for found in best_cascades(evidence, self.budget_, int(self.depth), any_order)
        ]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """2 for the accepted model, mean training scores for the others, [n_trade_offs, n_queries, n_models]."""
        checks.same_pool(self, queries)
        query = self.features_(checks.embedding(self, queries, len(self.features_.mean)))
        answer = self._answers(queries)
        reliability = np.full((queries.n_queries, len(self.models_)), np.nan)  # NaN: not asked yet
        choice = np.empty((len(self.cascades_), queries.n_queries), dtype=np.int64)
        for chosen, cascade in zip(choice, self.cascades_, strict=True):
            waiting = np.arange(queries.n_queries)
            for m, threshold in zip(cascade.order[:-1], cascade.threshold[:-1], strict=True):
                new = waiting[np.isnan(reliability[waiting, m])]
                reliability[new, m] = self.scorers_[m].reliability(query[new], _said(answer, m, new))
                is_accepted = reliability[waiting, m] >= threshold
                chosen[waiting[is_accepted]] = m
                waiting = waiting[~is_accepted]
            chosen[waiting] = cascade.order[-1]
        return calling.accept(choice, self.mean_)

    def calls(self) -> NDArray[np.float64]:
        """Every model of the cascade up to the accepted one, once each."""
        return calling.calls_along([cascade.order for cascade in self.cascades_], len(self.models_))

    def _answers(self, queries: Queries) -> NDArray[np.object_] | None:
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


def best_cascades(evidence: Evidence, budget: NDArray[np.float64], depth: int, any_order: bool = True) -> list[Cascade]:
    """The cascade with the highest mean score that each budget can pay for; of equals the cheaper, then the first.

    Args:
        evidence: columns are the models, cheapest first.
        budget: USD per query, [n_budgets]; the lowest pays for some model alone.
        depth: most models in a cascade. Up to two the search is exhaustive.
        any_order: whether a dearer model may come before a cheaper one.
    """
    n_models = evidence.score.shape[1]
    singles = [Cascade(order=(m,), threshold=(-np.inf,)) for m in range(n_models)]
    best = [(-np.inf, np.inf, singles[0]) for _ in budget]
    for single in singles:
        score, cost = evidence.score[:, single.order[0]].mean(), evidence.cost[:, single.order[0]].mean()
        for b in np.flatnonzero(cost <= budget * (1 + _EQUAL)):
            best[b] = _better(best[b], (score, cost, single))
    ends = singles
    for length in range(2, depth + 1):
        for end in ends:
            end_score, end_cost = _outcome(evidence, end)
            for m in range(n_models):
                if m in end.order or not (any_order or m < min(end.order)):
                    continue
                threshold, score, cost = _cuts(evidence, m, end_score, end_cost)
                first = np.searchsorted(-cost, -budget * (1 + _EQUAL))  # the first cut that the budget can pay for
                for b in np.flatnonzero(first < len(cost)):
                    cut = first[b] + _last_argmax(score[first[b] :])
                    longer = Cascade(order=(m, *end.order), threshold=(float(threshold[cut]), *end.threshold))
                    best[b] = _better(best[b], (score[cut], cost[cut], longer))
        ends = list({found[2]: None for found in best if len(found[2].order) == length})
    return [found[2] for found in best]


def _cuts(
    evidence: Evidence, m: int, end_score: NDArray[np.float64], end_cost: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Every threshold of model m that accepts another set of answers, when the rest of a cascade follows it.

    Args:
        end_score, end_cost: what the rest scores and costs at each query.

    Returns:
        Thresholds in descending order, half way between neighbouring reliabilities, with mean scores and mean costs;
        costs do not increase.
    """
    n_queries = len(end_score)
    order = np.argsort(-evidence.reliability[:, m], kind="stable")
    reliability = evidence.reliability[order, m]
    score = np.concatenate([[0.0], np.cumsum((evidence.score[:, m] - end_score)[order])]) + end_score.sum()
    cost = np.concatenate([[0.0], np.cumsum(-end_cost[order])]) + evidence.cost[:, m].sum() + end_cost.sum()
    upper = np.concatenate([[np.inf], reliability])
    lower = np.concatenate([reliability, [-np.inf]])
    is_cut = upper > lower
    is_cut[-1] = False  # accepts everything: model m alone
    with np.errstate(invalid="ignore"):
        half_way = 0.5 * (upper + lower)
    half_way = np.where(np.isfinite(half_way) & (half_way > lower), half_way, upper)
    return half_way[is_cut], score[is_cut] / n_queries, np.minimum.accumulate(cost[is_cut] / n_queries)


def _outcome(evidence: Evidence, cascade: Cascade) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score and cost of a cascade at each query, each [n_queries]."""
    last = cascade.order[-1]
    score, cost = evidence.score[:, last], evidence.cost[:, last]
    for m, threshold in list(zip(cascade.order, cascade.threshold, strict=True))[-2::-1]:
        is_accepted = evidence.reliability[:, m] >= threshold
        score = np.where(is_accepted, evidence.score[:, m], score)
        cost = evidence.cost[:, m] + np.where(is_accepted, 0.0, cost)
    return score, cost


def _better(old: tuple[float, float, Cascade], new: tuple[float, float, Cascade]) -> tuple[float, float, Cascade]:
    """The one with the higher score, at equal scores the cheaper one, else the old one."""
    if abs(new[0] - old[0]) <= _EQUAL:
        return new if new[1] < old[1] * (1 - _EQUAL) else old
    return new if new[0] > old[0] else old


def _last_argmax(value: NDArray[np.float64]) -> int:
    """Place of the highest value; of equals the last, which costs least."""
    return int(np.flatnonzero(value >= value.max() - _EQUAL)[-1])


def _filled(value: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """The values, missing ones replaced by their column's mean over the group, or over all rows without one."""
    per_group = group_mean(value, group, int(group.max()) + 1)[group]
    return np.where(np.isnan(value), np.where(np.isnan(per_group), overall_mean(value), per_group), value)


def _said(answer: NDArray[np.object_] | None, m: int, rows: NDArray) -> NDArray[np.object_] | None:
    """Answers of model m in these rows; None for a scorer that sees only the query."""
    return None if answer is None else answer[m, rows]
