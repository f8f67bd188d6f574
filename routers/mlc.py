"""RouterEval's MLC: a text encoder with a label per model, right or not (arXiv 2503.10657)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.router import Queries
from routers.text_router import TextRouter
from routers.training import LABELS, labels

if TYPE_CHECKING:
    import torch


class MLC(TextRouter):
    """Routes to the model with the highest logit of a classifier with one label per model.

    Binary cross-entropy over the pairs that have a score. (The reference divides logits, cut at 0, by their sum: where
    all are negative it divides by 0 and takes the first model. The order of the logits needs no such step.)

    Args:
        labels: "near_best" as the reference, "half" or "soft"; see `training.labels`.
        training: see `text_router.Training`.
        seed: of the held-out queries, the head, the order of the queries and dropout.
    """

    name: ClassVar[str] = "mlc"
    defaults: ClassVar[Mapping[str, Any]] = {
        "encoder": "FacebookAI/roberta-base", "pooling": "first", "max_tokens": 512, "batch_size": 16,
        "micro_batch": 2, "steps": 5000, "learning_rate": 5e-5, "weight_decay": 0.01, "warmup": 0.1,
        "schedule": "linear", "evaluate_every": 250, "checkpoint_every": 250,
    }  # fmt: skip

    def __init__(self, *, labels: str = "near_best", training: Mapping[str, Any] | None = None, seed: int = 42) -> None:
        self.labels = labels
        self.training = training
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Train on nine tenths of the queries; the loss on the rest says which step was the best.

        Raises:
            RouterError: unusable data.
        """
        checks.one_of(self, "labels", LABELS)
        self.check_packages()
        row, score = checks.scored(self, train)
        self.models_ = train.models
        self.by_name_ = np.argsort(np.array(train.models), kind="stable")
        self.is_known_ = ~np.isnan(score).all(axis=0)
        target = labels(self.labels, score[:, self.by_name_]).float().numpy()
        self.learn_labels(self.texts(train, row), target, *self.divide(checks.column(self, train, "benchmark")[row]))
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Logits, float64 [1, n_queries, n_models]; -inf for a model without a training score."""
        checks.same_pool(self, queries)
        tokens = self.tokens(self.texts(queries))
        logit = self.ask(queries.n_queries, lambda net, rows: net(*tokens.batch(rows))).astype(np.float64)
        utility = np.full((queries.n_queries, len(self.models_)), -np.inf)
        if queries.n_queries:
            utility[:, self.by_name_] = logit
        return np.where(self.is_known_, utility, -np.inf)[None]

    def network(self) -> "torch.nn.Module":
        """The encoder with a logit for every model."""
        return self.classifier(len(self.models_), 0.1)
