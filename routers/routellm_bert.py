"""RouteLLM's BERT classifier: does the strong model win, is it a tie, or does it lose? (arXiv 2406.18665)"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from routers.text_pair import TextPair


class RouteLLMBERT(TextPair):
    """Routes to the weak model where the probability of a tie or of a loss of the strong one reaches a threshold.

    A softmax over three classes on the encoder's first state, trained by cross-entropy. The original learns from
    preferences of people over answers; here the score says who has won, equal scores are a tie. Trade-off u sends about
    the share u of queries to the strong model, by quantiles over held-out training queries, as RouteLLM calibrates its
    thresholds.

    Args:
        small, large: names of the weak and the strong model; None for the cheapest and the best on the training
            queries.
        n_trade_offs: values of u, evenly from 0 to 1.
        training: see `text_router.Training`.
        seed: of the held-out queries, the head, the order of the queries and dropout.
    """

    name: ClassVar[str] = "routellm_bert"
    n_classes: ClassVar[int] = 3
    dropout: ClassVar[float] = 0.1
    defaults: ClassVar[Mapping[str, Any]] = {
        "encoder": "google-bert/bert-base-uncased", "pooling": "first", "max_tokens": 512, "batch_size": 16,
        "micro_batch": 2, "steps": 2000, "learning_rate": 1e-5, "weight_decay": 0.01, "evaluate_every": 100,
    }  # fmt: skip

    def __init__(
        self,
        *,
        small: str | None = None,
        large: str | None = None,
        n_trade_offs: int = 101,
        training: Mapping[str, Any] | None = None,
        seed: int = 42,
    ) -> None:
        self.small = small
        self.large = large
        self.n_trade_offs = n_trade_offs
        self.training = training
        self.seed = seed

    def target(self, score: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float32]:
        """Whether the strong model wins, ties or loses, 1 for what happened, [n_queries, 3]."""
        outcome = 1 - np.sign(score[:, 1] - score[:, 0]).astype(int)
        return np.eye(3, dtype=np.float32)[outcome]

    def good_enough(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of a tie or a loss: 1 minus the strong model's win rate (RouteLLM, `binary_prob`)."""
        return probability[:, 1] + probability[:, 2]
