"""FrugalGPT: ask a cheap model first, and the next one only where its answer looks unreliable (arXiv 2305.05176).

A scorer per model says how reliable an answer of it looks. A cascade is an order of models with a threshold for each
but the last: the first answer whose reliability reaches the threshold is accepted, and every model called is paid for.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.answer_scorer import N_COMPONENTS, Scorer, fit_scorer
from routers.query_features import QueryFeatures
from routers.router import Queries
from routers.scored_cascade import ScoredCascade

Seen = tuple[NDArray[np.float64], NDArray[np.object_] | None]  # features of the queries, and the answers


class FrugalGPT(ScoredCascade):
    """A cascade for every budget, with a light scorer: see `scored_cascade` and `answer_scorer`.

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

    def learn_scorers(
        self, train: Queries, row: NDArray[np.int64], score: NDArray[np.float64], column: list[int]
    ) -> None:
        """A logistic regression per model."""
        self.features_ = QueryFeatures.of(checks.embedding(self, train)[row], N_COMPONENTS, self.seed)
        query, answer = self.seen(train, row, column)
        self.scorers_: dict[int, Scorer] = {}
        for m in column:
            known = np.flatnonzero(~np.isnan(score[:, m]))
            self.scorers_[m] = fit_scorer(query[known], _said(answer, m, known), score[known, m])

    def seen(self, queries: Queries, row: NDArray[np.int64], column: list[int]) -> Seen:
        """Features of the queries, and the answers."""
        answer = self.answers(queries)
        query = self.features_(checks.embedding(self, queries, len(self.features_.mean))[row])
        return query, None if answer is None else answer[:, row]

    def reliability(self, seen: Seen, at: NDArray[np.int64], model: int) -> NDArray[np.float64]:
        """Expected scores."""
        query, answer = seen
        return self.scorers_[model].reliability(query[at], _said(answer, model, at))


def _said(answer: NDArray[np.object_] | None, m: int, at: NDArray[np.int64]) -> NDArray[np.object_] | None:
    """Answers of model m to these queries; None for a scorer that sees only the query."""
    return None if answer is None else answer[m, at]
