"""Best Single: always the model with the best training average. What a router must beat to be worth having."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import as_utility, group_mean, macro_mean
from routers.router import Queries, Router


class BestSingle(Router):
    """The model with the highest AvgAcc on the training part, for every query.

    AvgAcc is the unweighted mean over benchmarks of the mean score (LLMRouterBench, Best Single). The published rows
    choose on the test part, in hindsight; this router cannot see it. A model that misses a benchmark is averaged over
    other questions than the rest and is not chosen, unless none has them all: then those with the most compete.
    Ties go to the lowest model number.
    """

    name: ClassVar[str] = "best_single"
    inputs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Average the training scores over benchmarks."""
        row, score = checks.scored(self, train)
        benchmark, group = np.unique(checks.column(self, train, "benchmark")[row], return_inverse=True)
        self.models_ = train.models
        self.average_ = macro_mean(group_mean(score, group, len(benchmark)))  # [n_models], NaN: not comparable
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """The training AvgAcc of every model, float64 [1, n_queries, n_models]; -inf where it is not comparable."""
        checks.same_pool(self, queries)
        return np.tile(as_utility(self.average_), (1, queries.n_queries, 1))
