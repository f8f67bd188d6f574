"""HybridLLM: an encoder says whether the small model is good enough (arXiv 2404.14618)."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from routers import checks, hybrid_labels
from routers.text_pair import TextPair

LABELS = ("det", "prob", "trans")


class HybridLLM(TextPair):
    """Routes to the small model where the probability that it is good enough reaches a threshold.

    A softmax over two classes on the encoder's state, trained by cross-entropy against the label: a hard one under
    "det", a share of pairs of samples under "prob" and "trans" (`hybrid_labels`; with one answer per model "prob" is
    "det"). Trade-off u sends about the share u of queries to the large model, by quantiles of what the network says
    about held-out training queries. (The reference has the one threshold 1/2, with which labels that are mostly ties
    send nearly everything to the small model.)

    Args:
        small, large: names of the models; None for the cheapest and the best on the training queries.
        label: "det", "prob" or "trans".
        cost_weight: score points that a USD is worth in the label: 0 as in the paper.
        n_trade_offs: values of u, evenly from 0 to 1.
        training: see `text_router.Training`.
        seed: of the held-out queries, the head, the order of the queries and dropout.
    """

    name: ClassVar[str] = "hybrid_llm"
    n_classes: ClassVar[int] = 2
    dropout: ClassVar[float] = 0.05
    defaults: ClassVar[Mapping[str, Any]] = {
        "encoder": "Alibaba-NLP/gte-Qwen2-7B-instruct", "pooling": "last", "max_tokens": 2048, "batch_size": 64,
        "micro_batch": 1, "steps": 1000, "learning_rate": 1e-5, "weight_decay": 0.1, "warmup": 0.05,
        "schedule": "linear",
    }  # fmt: skip

    def __init__(
        self,
        *,
        small: str | None = None,
        large: str | None = None,
        label: str = "det",
        cost_weight: float = 0.0,
        n_trade_offs: int = 101,
        training: Mapping[str, Any] | None = None,
        seed: int = 42,
    ) -> None:
        self.small = small
        self.large = large
        self.label = label
        self.cost_weight = cost_weight
        self.n_trade_offs = n_trade_offs
        self.training = training
        self.seed = seed

    def target(self, score: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float32]:
        """The label and what it leaves, [n_queries, 2]."""
        checks.one_of(self, "label", LABELS)
        checks.at_least(self, "cost_weight", 0)
        worth = score - self.cost_weight * np.nan_to_num(cost) if self.cost_weight else score
        label = getattr(hybrid_labels, self.label)(worth[:, :1], worth[:, 1:])
        return np.stack([label, 1 - label], axis=1).astype(np.float32)

    def good_enough(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of the first class."""
        return probability[:, 0]
