"""RouteLLM's causal language model: it grades what the weak model will answer, from 1 to 5 (arXiv 2406.18665)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from routers.text_pair import TextPair

if TYPE_CHECKING:
    import torch

    from routers.text_networks import Prompts

_GRADES = ("1", "2", "3", "4", "5")
_QUESTION = "How well will a weak model answer this, from 1 (wrong) to 5 (as well as anyone)? Say one number."


class RouteLLMCausal(TextPair):
    """Routes to the weak model where the probability of a grade of 4 or 5 reaches a threshold.

    A softmax over the tokens of five grades, trained by cross-entropy. The original learns grades that GPT-4 gave, and
    adds five tokens for them; here the weak model's score is the grade, 0 a 1 and 1 a 5 and others shared between the
    two nearest, and the grades are the digits. Trade-off u sends about the share u of queries to the strong model, by
    quantiles over held-out training queries, as RouteLLM calibrates its thresholds.

    Args:
        small, large: names of the weak and the strong model; None for the cheapest and the best on the training
            queries.
        n_trade_offs: values of u, evenly from 0 to 1.
        training: see `text_router.Training`; `encoder` is the language model, `max_tokens` cuts the query.
        seed: of the held-out queries, the order of the queries and dropout.
    """

    name: ClassVar[str] = "routellm_causal"
    n_classes: ClassVar[int] = len(_GRADES)
    defaults: ClassVar[Mapping[str, Any]] = {
        "encoder": "meta-llama/Meta-Llama-3-8B-Instruct", "pooling": "last", "max_tokens": 2048, "batch_size": 8,
        "micro_batch": 1, "steps": 2000, "learning_rate": 1e-6, "weight_decay": 0.0, "evaluate_every": 100,
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
        """Shares of the grades of the weak model's answer, [n_queries, 5]."""
        place = np.clip(score[:, :1], 0.0, 1.0) * (self.n_classes - 1)
        return np.maximum(0.0, 1.0 - np.abs(place - np.arange(self.n_classes))).astype(np.float32)

    def good_enough(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of a 4 or a 5: 1 minus the strong model's win rate (RouteLLM, `binary_prob`)."""
        return probability[:, 3:].sum(axis=1)

    def tokens(self, texts: tuple[str, ...]) -> "Prompts":
        """Queries with the question, as the language model reads them."""
        from routers.text_networks import Prompts

        plan = self.plan()
        return Prompts(self.name, plan.encoder, texts, plan.max_tokens, _QUESTION, _GRADES, takes_vector=False)

    def network(self) -> "torch.nn.Module":
        """The language model."""
        from routers.text_networks import Judge

        plan = self.plan()
        return Judge(self.name, plan.encoder, self.tokens(()).answers, plan.gradient_checkpointing)
