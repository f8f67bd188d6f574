"""The leading principal components of query embeddings, as features of light models."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from routers.clustering import unit_rows
from routers.components import principal_axes


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryFeatures:
    """Principal components of embeddings of unit length, scaled to a mean square of 1 over the training queries.

    Attributes:
        mean: of the training embeddings, float32 [dim]. axes: float32 [dim, n_components].
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]

    @classmethod
    def of(cls, embedding: NDArray[np.float32], n_components: int, seed: int) -> Self:
        """Found on training embeddings, [n_queries, dim]; n_components and seed as of `principal_axes`."""
        unit = unit_rows(embedding)
        mean, axes = principal_axes(unit, n_components, seed)
        size = float(np.sqrt((((unit - mean) @ axes) ** 2).mean())) or 1.0
        return cls(mean=mean, axes=axes / np.float32(size))

    def __call__(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        """Features of queries, float64 [n_queries, n_components]."""
        return ((unit_rows(embedding) - self.mean) @ self.axes).astype(np.float64)
