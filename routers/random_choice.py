"""Random: every model that has a score equally likely. The floor that each router must rise above."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.router import Queries, Router


class RandomChoice(Router):
    """Independent uniform utilities, drawn from the seed, the model's name and the query's position in the call.

    It sees nothing of a query, not even its text, so the position is all that tells queries apart: the draws belong
    to the places of the call, the first n of a longer call are those of a call with n queries, and the order of the
    models does not matter. Route a test set in one call; calls for its parts would repeat their draws.

    Each model has a generator of its own that no other router shares. The reference implementation draws with
    one fixed seed in every split, so that its average over seeds never reaches the expectation; the exact
    expectation is the mean over the models.
    """

    name: ClassVar[str] = "random_choice"
    inputs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Learn which models have a score at all."""
        _, score = checks.scored(self, train)
        self.models_ = train.models
        self.is_scored_ = ~np.isnan(score).all(axis=0)  # [n_models]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Utilities in [0, 1), float64 [1, n_queries, n_models]; -inf for a model without a training score."""
        checks.same_pool(self, queries)
        draws = [
            np.random.default_rng([self.seed, *f"{self.name}/{model}".encode()]).random(queries.n_queries)
            for model in self.models_
        ]
        return np.where(self.is_scored_, np.stack(draws, axis=-1), -np.inf)[None]
