"""RouterEval's MLPR and LinearR: one classifier says of all models at once who is right (arXiv 2503.10657)."""

from itertools import pairwise
from typing import ClassVar, Self

import numpy as np

from routers import checks, training
from routers.router import Queries
from routers.training import Loss, Parameters, Tensor, TrainedRouter


class MLPR(TrainedRouter):
    """Perceptron from the query embedding to a logit per model; the highest one is chosen.

    Loss: binary cross-entropy, averaged over the pairs that have a score. The optimiser is Adam; the learning rate
    falls to 0 along a cosine over all steps. The reference takes single queries, and with them a hundred times as long.

    Args:
        hidden: width of the hidden layers.
        n_hidden: number of hidden layers, with ReLU after each; 0 makes it LinearR.
        labels: "soft" teaches the score itself; "near_best" is the reference's rule for graded scores, 1 from 95 % of
            the best score of the query on; "half" teaches whether the score is at least 0.5.
        batch_size: queries per step, with all their models.
        select, epochs, patience, learning_rate, weight_decay: see `training.TrainedRouter`.
        seed: of the held-out part, the initial parameters and the order of training.
    """

    name: ClassVar[str] = "mlp_r"

    def __init__(
        self,
        *,
        hidden: int = 256,
        n_hidden: int = 2,
        labels: str = "soft",
        select: str = "val",
        epochs: int = 100,
        patience: int = 10,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        seed: int = 42,
    ) -> None:
        self.hidden = hidden
        self.n_hidden = n_hidden
        self.labels = labels
        self.select = select
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Train on all scored pairs."""
        for parameter, low in (("hidden", 1), ("n_hidden", 0), ("batch_size", 1)):
            checks.at_least(self, parameter, low)
        checks.one_of(self, "labels", training.LABELS)
        data = training.material(self, train)
        embedding = training.tensor(data.fit.embedding)
        target, held_out = (training.labels(self.labels, part.score) for part in (data.fit, data.held_out))
        rng = np.random.default_rng([self.seed, 0])
        width = [embedding.shape[1], *[self.hidden] * self.n_hidden, len(train.models)]
        start = {}
        for number, (n_in, n_out) in enumerate(pairwise(width)):
            start[f"weight {number}"], start[f"bias {number}"] = training.linear(rng, n_in, n_out)

        def layers(now: Parameters) -> list[tuple[Tensor, Tensor]]:
            return [(now[f"weight {number}"], now[f"bias {number}"]) for number in range(len(width) - 1)]

        def loss(now: Parameters, rows: Tensor) -> Loss:
            *hidden, (weight, bias) = layers(now)
            value = embedding[rows]
            for hidden_weight, hidden_bias in hidden:
                value = (value @ hidden_weight.T + hidden_bias).relu()
            return training.cross_entropy(value @ weight.T + bias, target[rows])

        self.models_ = train.models
        self.networks_ = training.descend(
            self, data, start, loss, layers, lambda logit: training.cross_entropy(logit, held_out),
            batch_size=self.batch_size, schedule="cosine",
        )  # fmt: skip
        return self
