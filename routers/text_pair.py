"""What HybridLLM and RouteLLM's classifier share: an encoder that says whether the small model is good enough.

The probability is compared with thresholds that send given shares of held-out training queries to the large model.
"""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.pair import pair_utility, share_thresholds, small_and_large
from routers.router import HeldOut, Queries, RouterError
from routers.text_router import TextRouter

if TYPE_CHECKING:
    import torch

    from routers.text_networks import Tokens


class TextPair(TextRouter):
    """A classifier of queries, and a choice between two models by what it says.

    Attributes:
        n_classes: of the classifier. dropout: before its last layer.
        small, large: names of the models; None for the cheapest and the best on the training queries.
        n_trade_offs: shares of queries for the large model, evenly from 0 to 1.
    """

    n_classes: ClassVar[int]
    dropout: ClassVar[float]
    small: str | None
    large: str | None
    n_trade_offs: int

    @abstractmethod
    def target(self, score: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float32]:
        """Probabilities of the classes that are taught, [n_queries, n_classes].

        Args:
            score, cost: of the small and the large model, [n_queries, 2]; every score is there.
        """

    @abstractmethod
    def good_enough(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Whether the small model is good enough, in [0, 1], [n_queries], from those of the classes."""

    def trade_offs(self) -> NDArray[np.float64]:
        """Share of queries for the large model, from 0 to 1, float64 [n_trade_offs]."""
        checks.at_least(self, "n_trade_offs", 2)
        return np.arange(self.n_trade_offs) / (self.n_trade_offs - 1)

    def fit(self, train: Queries) -> Self:
        """Train on nine tenths of the queries; the rest says which step was the best, and gives the quantiles.

        Raises:
            RouterError: unusable data, or no query has scores of both models.
        """
        self.check_packages()
        self.models_ = train.models
        self.pair_ = small_and_large(self, train, self.small, self.large)
        pair = list(self.pair_)
        score, cost = (checks.column(self, train, name)[:, pair] for name in ("score", "cost"))
        row = np.flatnonzero(~np.isnan(score).any(axis=1))
        if not row.size:
            names = " and ".join(train.models[m] for m in pair)
            raise RouterError(f"{self.name}: no training query has scores of both {names}; name another pair")
        benchmark = checks.column(self, train, "benchmark")[row]
        learns, holds = self.divide(benchmark)
        texts = self.texts(train, row)
        self._train(texts, self.target(score[row], cost[row]), learns, holds)
        said = self._said(tuple(texts[number] for number in holds.tolist()))
        self.threshold_ = share_thresholds(said, self.trade_offs())
        self.held_out_ = HeldOut(row[holds], pair_utility(said, self.threshold_, self.pair_, len(self.models_)), None)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """How far the small model is good enough against a threshold for the large one; see `pair`."""
        checks.same_pool(self, queries)
        return pair_utility(self._said(self.texts(queries)), self.threshold_, self.pair_, len(self.models_))

    def validation(self) -> HeldOut | None:
        """The queries that gave the quantiles; they were not trained on."""
        return self.held_out_

    def network(self) -> "torch.nn.Module":
        """The encoder with its classes."""
        return self.classifier(self.n_classes, self.dropout)

    def _train(
        self, texts: tuple[str, ...], target: NDArray[np.float32], learns: NDArray[np.int64], holds: NDArray[np.int64]
    ) -> None:
        import torch

        from routers.deepspeed_training import Problem

        tokens = self.tokens(texts)
        self.learn(
            Problem(
                n_rows=len(learns),
                loss=lambda net, rows, rng: soft_cross_entropy(
                    _logit(net, tokens, learns[rows]), target[learns[rows]]
                ),
                n_held_out=len(holds),
                output=lambda net, rows: _logit(net, tokens, holds[rows]),
                quality=lambda logit: -float(soft_cross_entropy(torch.from_numpy(logit), target[holds])),
                n_tokens=tokens.n_tokens[learns],
            ),
            texts, target, learns,
        )  # fmt: skip

    def _said(self, texts: tuple[str, ...]) -> NDArray[np.float64]:
        tokens = self.tokens(texts)
        logit = self.ask(len(texts), lambda net, rows: _logit(net, tokens, rows)).astype(np.float64)
        if not len(texts):
            return np.empty(0)
        share = np.exp(logit - logit.max(axis=1, keepdims=True))
        return self.good_enough(share / share.sum(axis=1, keepdims=True))


def _logit(network: Any, tokens: "Tokens", rows: NDArray[np.int64]) -> "torch.Tensor":
    return network(*tokens.batch(rows))


def soft_cross_entropy(logit: "torch.Tensor", target: NDArray[np.float32]) -> "torch.Tensor":
    """Mean cross-entropy against probabilities of the classes, in single precision.

    Args:
        logit, target: [n, n_classes].
    """
    import torch

    from routers.deepspeed_training import moved

    return torch.nn.functional.cross_entropy(logit.float(), moved(target, logit.device))
