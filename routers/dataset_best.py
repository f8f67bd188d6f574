"""Dataset-Best: the best model of each benchmark, chosen on the training part and told the benchmark.

A router that only recovers which benchmark a query is from, and learns nothing inside benchmarks, ends here.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.averages import as_utility, group_mean, macro_mean
from routers.router import Queries, Router


class DatasetBest(Router):
    """The model with the highest mean training score on the query's benchmark.

    The honest counterpart of the Dataset Oracle, which chooses on the test part. A query of a benchmark without
    training scores goes to the Best Single of the training part. Ties go to the lowest model number.
    """

    name: ClassVar[str] = "dataset_best"
    inputs: ClassVar[frozenset[str]] = frozenset({"benchmark"})

    def __init__(self, *, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Average the training scores of every benchmark."""
        row, score = checks.scored(self, train)
        self.models_ = train.models
        self.benchmark_, group = np.unique(checks.column(self, train, "benchmark")[row], return_inverse=True)
        mean = group_mean(score, group, len(self.benchmark_))
        # one row per benchmark, then one for all others
        self.mean_ = np.vstack([mean, macro_mean(mean)])  # [n_benchmarks + 1, n_models]
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Mean training scores on the query's benchmark, float64 [1, n_queries, n_models]; -inf where none."""
        checks.same_pool(self, queries)
        benchmark = checks.column(self, queries, "benchmark")
        row = np.searchsorted(self.benchmark_, benchmark)
        is_known = np.isin(benchmark, self.benchmark_)
        return as_utility(self.mean_[np.where(is_known, row, len(self.benchmark_))])[None]
