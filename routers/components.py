"""Principal components of embeddings: the few directions that routers with many parameters per direction are fitted on.

Usual encoders have 3,584 dimensions and a few hundred that matter.
"""

import numpy as np
from numpy.typing import NDArray


def principal_axes(
    embedding: NDArray[np.float32], n_components: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and leading principal axes of training embeddings.

    Args:
        embedding: [n_queries, dim].
        n_components: wanted number; 0, or as many as there are dimensions, for the dimensions as they are.
        seed: of the randomised search.

    Returns:
        float32 [dim], and orthonormal columns in descending order of variance, float32 [dim, n_components]: fewer where
        there are fewer queries.
    """
    from sklearn.utils.extmath import randomized_svd  # a second to import

    mean = embedding.mean(axis=0, dtype=np.float64).astype(np.float32)
    dim = embedding.shape[1]
    if not 0 < n_components < dim:
        return mean, np.eye(dim, dtype=np.float32)
    centred = embedding - mean
    if n_components >= len(embedding):
        axes = np.linalg.svd(centred, full_matrices=False)[2]
    else:
        axes = randomized_svd(centred, n_components, n_iter=2, random_state=seed)[2]
    return mean, np.ascontiguousarray(axes.T)
