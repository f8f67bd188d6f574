"""Multilayer perceptron: the scores of the models as outputs of a small network on the embedding.

RouterBench's MLP router (arXiv 2403.12031) has a network per model, by scikit-learn's MLPRegressor.
"""

import warnings
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import as_utility
from routers.clustering import unit_rows
from routers.components import principal_axes
from routers.router import Queries, Router


class MLP(Router):
    """Least squares by Adam, until the training loss stands still or `max_iter` passes, as the reference.

    Two things differ from the reference by default, whose 20 networks on 3,584 dimensions compute for an hour, and for
    four minutes on 128: the models share the hidden layers, those at least that miss the same queries (a network has no
    gap to fill in, so missing pairs take no part); and the input is the leading principal components of the embeddings
    of length 1. `per_model` and `n_components=0` undo both. The reference's seed is 1234 whatever the split.

    Args:
        hidden_size: units of a hidden layer; 100 in the reference.
        n_layers: hidden layers; 1 or 2 in the reference.
        max_iter: passes over the training queries.
        per_model: a network for each model.
        n_components: principal components of the embeddings; 0 for all.
        seed: of the weights, of the order of the batches and of the search for the components.
    """

    name: ClassVar[str] = "mlp"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        *,
        hidden_size: int = 100,
        n_layers: int = 1,
        max_iter: int = 200,
        per_model: bool = False,
        n_components: int = 128,
        seed: int = 42,
    ) -> None:
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.max_iter = max_iter
        self.per_model = per_model
        self.n_components = n_components
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Train the networks; models in the order of their names, so the order of the pool does not matter."""
        checks.at_least(self, "hidden_size", 1)
        checks.at_least(self, "n_layers", 1)
        checks.at_least(self, "max_iter", 1)
        checks.at_least(self, "n_components", 0)
        row, score = checks.scored(self, train)
        unit = unit_rows(checks.embedding(self, train)[row])
        self.models_ = train.models
        _, self.axes_ = principal_axes(unit, self.n_components, self.seed)
        point = unit @ self.axes_
        known = ~np.isnan(score)
        group = np.arange(len(train.models))
        if not self.per_model:
            group = np.unique(known, axis=1, return_inverse=True)[1]
        by_name = np.argsort(train.models)
        self.networks_ = []  # models, and weight and intercept of every layer
        for number in np.unique(group):
            model = by_name[group[by_name] == number]
            rows = np.flatnonzero(known[:, model[0]])
            if rows.size:
                self.networks_.append((model, self._train(point[rows], score[np.ix_(rows, model)])))
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Expected scores, float64 [1, n_queries, n_models]; -inf for a model without a training score."""
        checks.same_pool(self, queries)
        point = unit_rows(checks.embedding(self, queries, len(self.axes_))) @ self.axes_
        expected = np.full((queries.n_queries, len(self.models_)), np.nan)
        for model, (*hidden, (weight, intercept)) in self.networks_:
            layer = point.astype(np.float64)
            for hidden_weight, hidden_intercept in hidden:
                layer = np.maximum(layer @ hidden_weight + hidden_intercept, 0.0)
            expected[:, model] = layer @ weight + intercept
        return as_utility(expected)[None]

    def _train(
        self, point: NDArray[np.float32], score: NDArray[np.float64]
    ) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Weight and intercept of every layer of one network."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        network = MLPRegressor(
            hidden_layer_sizes=self.n_layers * (self.hidden_size,), max_iter=self.max_iter, random_state=self.seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # `max_iter` passes are what was asked for
            network.fit(point, score if score.shape[1] > 1 else score[:, 0])
        layers = zip(network.coefs_, network.intercepts_, strict=True)
        return [(weight.astype(np.float64), intercept.astype(np.float64)) for weight, intercept in layers]
