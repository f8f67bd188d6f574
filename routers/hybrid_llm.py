"""HybridLLM: an encoder says whether the small model is good enough (arXiv 2404.14618)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, hybrid_labels
from routers.pair import pair_utility, share_thresholds, small_and_large
from routers.router import Queries, RouterError
from routers.text_router import TextRouter
from routers.validation import mean_reward

if TYPE_CHECKING:
    import torch

    from routers.text_networks import Tokens

LABELS = ("det", "prob", "trans")
_DROPOUT = 0.05


class HybridLLM(TextRouter):
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
    defaults: ClassVar[Mapping[str, Any]] = {
        "encoder": "Alibaba-NLP/gte-Qwen2-7B-instruct", "pooling": "last", "max_tokens": 2048, "batch_size": 64,
        "micro_batch": 1, "steps": 1000, "learning_rate": 1e-5, "weight_decay": 0.1, "warmup": 0.05,
        "schedule": "linear", "n_parameters": 7.6e9, "hidden_size": 3584, "n_layers": 28,
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

    def trade_offs(self) -> NDArray[np.float64]:
        """Share of queries for the large model, from 0 to 1, float64 [n_trade_offs]."""
        checks.at_least(self, "n_trade_offs", 2)
        return np.arange(self.n_trade_offs) / (self.n_trade_offs - 1)

    def fit(self, train: Queries) -> Self:
        """Train on nine tenths of the queries; the rest says which step was the best, and gives the quantiles.

        Raises:
            RouterError: unusable data, or no query has scores of both models.
        """
        checks.one_of(self, "label", LABELS)
        checks.at_least(self, "cost_weight", 0)
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
        worth = score[row] - self.cost_weight * np.nan_to_num(cost[row]) if self.cost_weight else score[row]
        label = getattr(hybrid_labels, self.label)(worth[:, :1], worth[:, 1:]).astype(np.float32)
        learns, holds = self.divide(benchmark)
        texts = self.texts(train, row)
        self._train(texts, label, learns, holds)
        good_enough = self._good_enough(tuple(texts[number] for number in holds.tolist()))
        self.threshold_ = share_thresholds(good_enough, self.trade_offs())
        utility = pair_utility(good_enough, self.threshold_, self.pair_, len(self.models_))
        self.validation_ = mean_reward(utility, train.score[row[holds]], benchmark[holds])  # type: ignore[index]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """The probability that the small model is good enough against a threshold for the large one; see `pair`."""
        checks.same_pool(self, queries)
        return pair_utility(self._good_enough(self.texts(queries)), self.threshold_, self.pair_, len(self.models_))

    def validation(self) -> NDArray[np.float64] | None:
        """AvgAcc on the held-out training queries, float64 [n_trade_offs]."""
        return self.validation_

    def network(self) -> "torch.nn.Module":
        """A classifier of two classes: 0 is "the small model is good enough"."""
        from routers.text_networks import Classifier, Encoder

        plan = self.plan()
        encoder = Encoder(self.name, plan.encoder, plan.pooling, plan.gradient_checkpointing)
        return Classifier(encoder, 2, _DROPOUT)

    def output(self, network: Any, tokens: "Tokens", rows: NDArray[np.int64]) -> "torch.Tensor":
        """Logits of the two classes, [n_rows, 2]."""
        return network(*tokens.batch(rows))

    def _train(
        self, texts: tuple[str, ...], label: NDArray[np.float32], learns: NDArray[np.int64], holds: NDArray[np.int64]
    ) -> None:
        from routers.deepspeed_training import Problem

        tokens = self.tokens(texts)
        self.learn(
            Problem(
                n_rows=len(learns),
                loss=lambda net, rows, rng: soft_cross_entropy(
                    self.output(net, tokens, learns[rows]), label[learns[rows]]
                ),
                n_held_out=len(holds),
                output=lambda net, rows: self.output(net, tokens, holds[rows]),
                quality=lambda logit: -float(soft_cross_entropy(_tensor(logit), label[holds])),
            ),
            texts, label, learns,
        )  # fmt: skip

    def _good_enough(self, texts: tuple[str, ...]) -> NDArray[np.float64]:
        """Probability of class 0, float64 [n_texts]."""
        tokens = self.tokens(texts)
        logit = self.ask(len(texts), lambda net, rows: self.output(net, tokens, rows)).astype(np.float64)
        return 0.5 * (1.0 + np.tanh((logit[:, 0] - logit[:, -1]) / 2.0))


def soft_cross_entropy(logit: "torch.Tensor", label: NDArray[np.float32]) -> "torch.Tensor":
    """Mean cross-entropy of two classes against [label, 1 - label], in single precision (spec A8.1).

    Args:
        logit: [n, 2]. label: probability of class 0, [n].
    """
    import torch

    target = torch.stack([_tensor(label), 1 - _tensor(label)], dim=1).to(logit.device)
    return torch.nn.functional.cross_entropy(logit.float(), target)


def _tensor(value: NDArray[np.float32]) -> "torch.Tensor":
    import torch

    return torch.from_numpy(value)
