"""EmbedLLM: a vector per model, multiplied with the projected query, tells if the model is right (arXiv 2410.02223).

The product of its three factors (model vectors, projection, classifier) is one linear layer on the query embedding. So
a step multiplies the factors first and the queries last, [batch_size, width] by [width, n_models], and not a row of the
projection for each pair.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks, training
from routers.router import Queries
from routers.training import Loss, Parameters, Tensor, TrainedRouter


class EmbedLLM(TrainedRouter):
    """Two logits, wrong and right, C (p_m * (W (e(q) + noise) + b)) + c; the highest difference is chosen.

    Loss: cross-entropy, averaged over the pairs that have a score. The noise is normal and drawn for every pair anew.
    So it reaches the difference as a normal number, whose deviation is `noise` times the length of the model's row of
    the linear layer, and is drawn there.

    Args:
        dim: length of the model vectors; 232 in the original, 1024 in LLMRouterBench's code.
        noise: standard deviation of the noise in each dimension of the embedding, where its root mean square length is
            1; 0.05 in the references.
        labels: "soft" teaches the score itself, "half" whether it is at least 0.5; "near_best": see `mlp_r`.
        noise_at_evaluation: also add the noise when routing, as the reference does by mistake. Its published numbers
            have it; the choice then depends on `seed` and on the place of a query in the call.
        batch_size: queries per step, with all their models; the references have 2,048 pairs (code) and 32,768 (paper).
        select, epochs, patience, learning_rate, weight_decay: see `training.TrainedRouter`; the optimiser is Adam.
        seed: of the held-out part, the initial parameters, the order of training and the noise.
    """

    name: ClassVar[str] = "embedllm"

    def __init__(
        self,
        *,
        dim: int = 232,
        noise: float = 0.05,
        labels: str = "soft",
        noise_at_evaluation: bool = False,
        select: str = "val",
        epochs: int = 100,
        patience: int = 10,
        batch_size: int = 512,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-5,
        seed: int = 42,
    ) -> None:
        self.dim = dim
        self.noise = noise
        self.labels = labels
        self.noise_at_evaluation = noise_at_evaluation
        self.select = select
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Train on all scored pairs."""
        for parameter in ("dim", "batch_size"):
            checks.at_least(self, parameter, 1)
        checks.at_least(self, "noise", 0)
        checks.one_of(self, "labels", training.LABELS)
        data = training.material(self, train)
        embedding = training.tensor(data.fit.embedding)
        target, held_out = (training.labels(self.labels, part.score) for part in (data.fit, data.held_out))
        rng = np.random.default_rng([self.seed, 0])
        projection, offset = training.linear(rng, embedding.shape[1], self.dim)
        classifier, bias = training.linear(rng, self.dim, 2)
        start = {
            "model": rng.normal(size=(len(train.models), self.dim)),
            "projection": projection, "offset": offset, "classifier": classifier, "bias": bias,
        }  # fmt: skip
        noise = training.generator(self.seed)

        def layer(now: Parameters) -> tuple[Tensor, Tensor]:
            factor = now["model"] * (now["classifier"][1] - now["classifier"][0])  # [n_models, dim]
            return factor @ now["projection"], factor @ now["offset"] + now["bias"][1] - now["bias"][0]

        def loss(now: Parameters, rows: Tensor) -> Loss:
            weight, bias = layer(now)
            logit = embedding[rows] @ weight.T + bias
            if self.noise:
                draw = logit.new_empty(logit.shape).normal_(generator=noise)
                logit = logit + self.noise * weight.norm(dim=1) * draw
            return training.cross_entropy(logit, target[rows])

        self.models_ = train.models
        self.unit_ = data.length
        self.networks_ = training.descend(
            self, data, start, loss, lambda now: [layer(now)], lambda logit: training.cross_entropy(logit, held_out),
            batch_size=self.batch_size,
        )  # fmt: skip
        return self

    def utility(self, epoch: int, embedding: NDArray[np.float64]) -> NDArray[np.float64]:
        """Difference of the logits of "right" and "wrong", [n_queries, n_models]."""
        logit = super().utility(epoch, embedding)
        if not self.noise_at_evaluation:
            return logit
        weight, _ = self.networks_[epoch][0]
        draw = np.random.default_rng([self.seed, 2, epoch]).normal(size=logit.shape)
        return logit + self.noise * self.unit_ * np.linalg.norm(weight, axis=1) * draw
