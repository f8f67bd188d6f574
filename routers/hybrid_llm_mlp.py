"""HybridLLM without its encoder: a perceptron on the query embedding says whether the small model is good enough.

The variant of the LLMRouter library (ulab-uiuc), with the labels of arXiv 2404.14618.
"""

import warnings
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, hybrid_labels
from routers.pair import pair_utility, share_thresholds, small_and_large
from routers.query_features import QueryFeatures
from routers.router import Queries, Router, RouterError
from routers.validation import held_out

LABELS = ("det", "prob", "trans")
_HIDDEN = (128, 64)
_TEMPERATURE = 0.1  # of "prob", the library's
_QUANTILE_SHARE = 0.2  # of the training queries; the perceptron does not see it


class HybridLLMMLP(Router):
    """Routes to the small model where its predicted label reaches a threshold, else to the large one.

    Trade-off u sends about the share u of queries to the large model: its threshold is the u-quantile of the
    predictions for a fifth of the training queries, which the perceptron did not learn from. 0 is always the small
    model and 1 always the large one. (The library has one threshold, 1/2. With scores that are mostly 0 or 1, most
    labels are those of equal scores, so that it nearly always takes the small model.) No other model is chosen.

    Args:
        small, large: names of the models; None for the cheapest and the best on the training queries.
        label: see `hybrid_labels`; "prob" is the library's for one answer per model, softened by a temperature of 0.1.
        n_trade_offs: values of u, evenly from 0 to 1.
        n_components: principal components of the embedding that are seen; 0 for all dimensions, as the library, slow.
        max_iter: most passes over the training queries; training ends before when the loss no longer falls.
        seed: of the held-out queries, the initial weights and the batches.
    """

    name: ClassVar[str] = "hybrid_llm_mlp"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        *,
        small: str | None = None,
        large: str | None = None,
        label: str = "prob",
        n_trade_offs: int = 101,
        n_components: int = 128,
        max_iter: int = 300,
        seed: int = 42,
    ) -> None:
        self.small = small
        self.large = large
        self.label = label
        self.n_trade_offs = n_trade_offs
        self.n_components = n_components
        self.max_iter = max_iter
        self.seed = seed

    def trade_offs(self) -> NDArray[np.float64]:
        """Share of queries for the large model, from 0 to 1, float64 [n_trade_offs]."""
        checks.at_least(self, "n_trade_offs", 2)
        return np.arange(self.n_trade_offs) / (self.n_trade_offs - 1)

    def fit(self, train: Queries) -> Self:
        """Train the perceptron on one part of the queries, take the quantiles on the other.

        Raises:
            RouterError: unusable data, or no query has scores of both models.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor
        from threadpoolctl import threadpool_limits

        checks.one_of(self, "label", LABELS)
        checks.at_least(self, "n_components", 0)
        checks.at_least(self, "max_iter", 1)
        self.models_ = train.models
        self.pair_ = small_and_large(self, train, self.small, self.large)
        score = checks.column(self, train, "score")[:, self.pair_]
        row = np.flatnonzero(~np.isnan(score).any(axis=1))
        if not row.size:
            pair = " and ".join(train.models[m] for m in self.pair_)
            raise RouterError(f"{self.name}: no training query has scores of both {pair}; name another pair")
        embedding = checks.embedding(self, train)
        self.features_ = QueryFeatures.of(embedding[row], int(self.n_components), self.seed)
        is_held_out = held_out(checks.column(self, train, "benchmark")[row], _QUANTILE_SHARE, self.seed)
        learns, holds = row[~is_held_out], row[is_held_out]
        if not learns.size or not holds.size:  # too few queries to divide
            learns = holds = row
        label = _label(self.label, score[learns, :1], score[learns, 1:])
        self.perceptron_ = MLPRegressor(hidden_layer_sizes=_HIDDEN, max_iter=int(self.max_iter), random_state=self.seed)
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # max_iter is a choice, not a mishap
            self.perceptron_.fit(self.features_(embedding[learns]), label)
        self.threshold_ = share_thresholds(self._good_enough(embedding[holds]), self.trade_offs())
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """The prediction for the small model and the threshold for the large one, [n_trade_offs, n_queries, n_models].

        Float64; -inf for all others. Where the prediction equals the threshold the small model is chosen.
        """
        checks.same_pool(self, queries)
        embedding = checks.embedding(self, queries, len(self.features_.mean))
        return pair_utility(self._good_enough(embedding), self.threshold_, self.pair_, len(self.models_))

    def _good_enough(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predicted label of every query, cut to [0, 1]."""
        if not len(embedding):
            return np.empty(0)
        return np.clip(self.perceptron_.predict(self.features_(embedding)), 0.0, 1.0)


def _label(rule: str, small: NDArray[np.float64], large: NDArray[np.float64]) -> NDArray[np.float64]:
    if rule == "prob":
        return hybrid_labels.softened(small, large, _TEMPERATURE)
    return {"det": hybrid_labels.det, "trans": hybrid_labels.trans}[rule](small, large)
