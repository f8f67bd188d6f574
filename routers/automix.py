"""AutoMix: a small model answers, its answer is verified, and the large model is asked where that fails (2310.12963).

AutoMix lets the small model judge its own answer several times. The share of approvals, p_ver, cannot be had from a
fixed matrix. Here p_ver comes from a scorer that learned from other answers of the small model (`answer_scorer`) and
may know more, or less, of them than the model itself; the calls that verifying takes are paid for all the same.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import calling, checks
from routers.answer_scorer import N_COMPONENTS, fit_scorer
from routers.averages import overall_mean
from routers.pair import small_and_large
from routers.query_features import QueryFeatures
from routers.router import Queries, Router, RouterError
from routers.validation import held_out

Zones = tuple[tuple[float, float], ...]  # closed intervals of p_ver in which the large model is asked

RULES = ("threshold", "double_threshold", "triple_threshold", "self_consistency", "pomdp", "union")
_RULE_SHARE = 0.2  # of the training queries; the scorer does not see it


class AutoMix(Router):
    """Asks the large model where p_ver of the small one's answer lies in certain zones, chosen by the lift of IBC.

    IBC is what a dollar more than the small model costs earns: (score - score of small) / (cost - cost of small). The
    zones with the largest lift over the IBC of asking the large model at once are kept, see `lift`; they are sought on
    a fifth of the training queries, which the scorer did not learn from. Where the large model is no better there, or
    no dearer, there is nothing to mix: the better of the two answers everything and nothing is verified.

    An answer that is empty always goes on to the large model. Zones end at quantiles of p_ver; the library has an even
    grid, which suits shares of a few approvals but not a scorer's narrower range.

    Args:
        small, large: names of the models; None for the cheapest and the best on the training queries.
        rule: which zones are tried. "threshold": up to a value. "double_threshold": between two (below them the query
            is hopeless). "triple_threshold": up to the first, and between the second and the third of three values.
            "self_consistency": up to 1/2. "pomdp": the bins of p_ver in which the small model is most often wrong where
            the large one is right, as many as lift most; what AutoMix's POMDP comes down to for one verification.
            "union": all of these.
        n_bins: of p_ver, between the ends of zones.
        n_verifications: calls of the small model that verifying an answer costs, a number of at least 0; the library
            counts them as dear as one answer.
        seed: of the held-out queries and the principal components.
    """

    name: ClassVar[str] = "automix"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding", "answer"})

    def __init__(
        self,
        *,
        small: str | None = None,
        large: str | None = None,
        rule: str = "threshold",
        n_bins: int = 20,
        n_verifications: float = 1,
        seed: int = 42,
    ) -> None:
        self.small = small
        self.large = large
        self.rule = rule
        self.n_bins = n_bins
        self.n_verifications = n_verifications
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Train the scorer of the small model on one part of the queries, choose the zones on the other.

        Raises:
            RouterError: unusable data; no query has scores and costs of both models.
        """
        checks.one_of(self, "rule", RULES)
        checks.at_least(self, "n_bins", 2)
        checks.at_least(self, "n_verifications", 0)
        self.models_ = train.models
        small, large = self.pair_ = small_and_large(self, train, self.small, self.large)
        row, score = checks.scored(self, train)
        self.mean_ = overall_mean(score)
        cost = checks.column(self, train, "cost")[row]
        benchmark = np.unique(checks.column(self, train, "benchmark")[row], return_inverse=True)[1]
        embedding = checks.embedding(self, train)[row]
        answer = checks.answer(self, train)[small, row]
        has_small = ~np.isnan(score[:, small])
        has_both = ~np.isnan(score[:, self.pair_] + cost[:, self.pair_]).any(axis=1)
        if not has_both.any():
            pair = f"{train.models[small]} and {train.models[large]}"
            raise RouterError(f"{self.name}: no training query has scores and costs of both {pair}; name another pair")
        is_held_out = held_out(benchmark, _RULE_SHARE, self.seed)
        learns, chooses = has_small & ~is_held_out, has_both & is_held_out
        if not learns.any() or not chooses.any():  # too few queries to divide
            learns, chooses = has_small, has_both
        self.features_ = QueryFeatures.of(embedding, N_COMPONENTS, self.seed)
        query = self.features_(embedding)
        self.scorer_ = fit_scorer(query[learns], answer[learns], score[learns, small])
        p_ver = self.scorer_.reliability(query[chooses], answer[chooses])
        self.zones_ = best_zones(
            self.rule, int(self.n_bins), p_ver, score[chooses][:, self.pair_], cost[chooses][:, self.pair_],
            self.n_verifications,
        )  # fmt: skip
        self.alone_ = large if score[chooses, large].mean() > score[chooses, small].mean() else small
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """2 for the accepted model, mean training scores for the others, float64 [1, n_queries, n_models]."""
        checks.same_pool(self, queries)
        small, large = self.pair_
        embedding, answer = checks.embedding(self, queries, len(self.features_.mean)), checks.answer(self, queries)
        if self.zones_ is None:
            choice = np.full(queries.n_queries, self.alone_)
        else:
            p_ver = self.scorer_.reliability(self.features_(embedding), answer[small])
            choice = np.where(escalates(p_ver, self.zones_), large, small)
        return calling.accept(choice[None], self.mean_)

    def calls(self) -> NDArray[np.float64]:
        """The small model once for its answer and `n_verifications` times to verify it, then the large one if asked."""
        if self.zones_ is None:
            return np.eye(len(self.models_))[None]
        small, large = self.pair_
        calls = calling.calls_along([self.pair_], len(self.models_))
        calls[0, [small, large], small] += self.n_verifications
        return calls


def escalates(p_ver: NDArray[np.float64], zones: Zones) -> NDArray[np.bool_]:
    """Where the large model is asked: in the zones, and where there is no answer (-inf). [n_queries]"""
    asks = np.isneginf(p_ver)
    for low, high in zones:
        asks |= (low <= p_ver) & (p_ver <= high)
    return asks


def lift(score: float, cost: float, small: tuple[float, float], large: tuple[float, float]) -> float:
    """How much more a dollar earns than by asking the large model at once: 0.5 for half as much again.

    Args:
        score, cost: means of the mix. small, large: mean score and mean cost of each model, large better and dearer.
    """
    base = (large[0] - small[0]) / (large[1] - small[1])
    spent = cost - small[1]
    return ((score - small[0]) / spent - base) / base if spent > 0 else -np.inf


def best_zones(
    rule: str,
    n_bins: int,
    p_ver: NDArray[np.float64],
    score: NDArray[np.float64],
    cost: NDArray[np.float64],
    n_verifications: float,
) -> Zones | None:
    """The zones of the rule with the largest lift, the first of equals; None where there is nothing to mix.

    Args:
        p_ver: [n_queries]. score, cost: of the small and the large model, [n_queries, 2].
        n_verifications: calls of the small model for each.
    """
    small, large = zip(score.mean(axis=0), cost.mean(axis=0), strict=True)
    if large[0] <= small[0] or large[1] <= small[1]:
        return None
    lifts = []
    candidates = list(dict.fromkeys(_candidates(rule, n_bins, p_ver, score)))
    for zones in candidates:
        asks = escalates(p_ver, zones)
        spent = (1 + n_verifications) * cost[:, 0] + np.where(asks, cost[:, 1], 0.0)
        lifts.append(lift(np.where(asks, score[:, 1], score[:, 0]).mean(), spent.mean(), small, large))
    return candidates[int(np.argmax(lifts))]


def _candidates(rule: str, n_bins: int, p_ver: NDArray[np.float64], score: NDArray[np.float64]) -> Iterator[Zones]:
    known = p_ver[np.isfinite(p_ver)]
    edge = np.unique(np.quantile(known, np.arange(n_bins + 1) / n_bins)).tolist() if known.size else [0.5]
    if rule in ("self_consistency", "union"):
        yield ((0.0, 0.5),)
    if rule in ("threshold", "union"):
        yield from (((0.0, high),) for high in edge)
    if rule in ("double_threshold", "union"):
        yield from _between(edge, 2)
    if rule in ("triple_threshold", "union"):
        yield from _between([0.0, *edge], 4)
    if rule in ("pomdp", "union"):
        yield from _neediest(edge, p_ver, score)


def _between(edge: list[float], n: int) -> Iterable[Zones]:
    """Zones between the first and second, third and fourth of n edges; of four, the first is the lowest edge."""
    for ends in combinations(edge, n):
        if n == 2 or ends[0] == edge[0]:
            yield tuple(zip(ends[::2], ends[1::2], strict=True))


def _neediest(edge: list[float], p_ver: NDArray[np.float64], score: NDArray[np.float64]) -> Iterator[Zones]:
    """The needy bins, then more and more of them: those where the large model gains most over answers that are worse.

    For scores of 0 and 1 the mean gain is the share of queries that only the large model solves.
    """
    bins = [(low, np.nextafter(high, 0.0)) for low, high in pairwise(edge)]
    bins = [*bins[:-1], (bins[-1][0], edge[-1])] if bins else [(edge[0], edge[0])]
    gain = np.maximum(score[:, 1] - score[:, 0], 0.0)
    inside = [(low <= p_ver) & (p_ver <= high) for low, high in bins]
    need = [gain[where].mean() if where.any() else 0.0 for where in inside]
    order = np.argsort(-np.array(need), kind="stable")
    for n in range(1, len(bins) + 1):
        yield tuple(bins[place] for place in sorted(order[:n].tolist()))
