"""Clusters of query embeddings: how Avengers and Avengers-Pro form them, find the nearest and blend their verdicts."""

import warnings

import numpy as np
from numpy.typing import NDArray

ASSIGNMENTS = ("dot", "euclidean", "cosine")
N_RESTARTS = 10  # as in LLMRouterBench, Avengers


def unit_rows(embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows scaled to length 1; a zero row stays zero, it has no direction."""
    norm = np.linalg.norm(embedding, axis=1, keepdims=True)
    return np.divide(embedding, norm, out=np.zeros_like(embedding), where=norm > 0)


def k_means(
    point: NDArray[np.float32], n_clusters: int, search_dim: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cluster centres and the cluster of every point, none of them empty.

    Ten restarts in all 3,584 dimensions of the usual encoder cost minutes, most of it in directions that hardly
    matter. So the restarts run on the first `search_dim` principal components, and the best of them is then the start
    of one run on the full points, which ends in a local optimum of the full problem like any other. On two sets of real
    queries 64 components ended in a lower sum of squares than all 384 dimensions of MiniLM, in a quarter of the time.
    The search is in double precision, because the choice of starts takes six times as long in single. All on one thread
    of OpenMP: with more, the order of the sums and so their last digits vary from run to run.

    Args:
        point: float32 [n_points, dim].
        n_clusters: wanted number; fewer come back when there are fewer distinct points.
        search_dim: 0, or more than the points have, for all restarts on the full points.

    Returns:
        float32 [n_clusters, dim], the plain means of the points (not of unit length); int64 [n_points].
    """
    from sklearn.cluster import KMeans  # a second to import
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    n_clusters = min(n_clusters, len(point))
    search = KMeans(n_clusters, n_init=N_RESTARTS, random_state=seed)
    with threadpool_limits(1, user_api="openmp"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters: dealt with below
        if 0 < search_dim < min(point.shape):
            pca = PCA(search_dim, svd_solver="randomized", iterated_power=2, random_state=seed)
            found, label = np.unique(
                search.fit(pca.fit_transform(point).astype(np.float64)).labels_, return_inverse=True
            )
            polish = KMeans(len(found), init=_centres(point, label, len(found)), n_init=1, random_state=seed)
            label = polish.fit(point).labels_
        else:
            label = search.fit(point.astype(np.float64)).labels_
    found, label = np.unique(label, return_inverse=True)
    return _centres(point, label, len(found)), label


def _centres(point: NDArray[np.float32], label: NDArray[np.int64], n_clusters: int) -> NDArray[np.float32]:
    member = (label == np.arange(n_clusters)[:, None]).astype(np.float32)  # [n_clusters, n_points]
    return (member @ point) / member.sum(axis=1, keepdims=True)


def distance(unit: NDArray[np.float32], centre: NDArray[np.float32], assign: str) -> NDArray[np.float64]:
    """Distance of every query to every cluster, float64 [n_queries, n_clusters].

    Args:
        unit: query embeddings of length 1, [n_queries, dim].
        centre: [n_clusters, dim], of any length.
        assign: "dot" is 1 minus the inner product with the centre as it is: the rule of the reference implementation,
            under which a tight cluster (long centre) attracts from further away. "cosine" takes centres of length 1;
            "euclidean" is the distance that k-means itself minimises.
    """
    if assign == "cosine":
        centre = unit_rows(centre)
    dot = (unit @ centre.T).astype(np.float64)
    if assign != "euclidean":
        return 1.0 - dot
    squared = (unit**2).sum(axis=1, dtype=np.float64)[:, None] + (centre**2).sum(axis=1, dtype=np.float64) - 2.0 * dot
    return np.sqrt(np.maximum(squared, 0.0))


def nearest(
    distance: NDArray[np.float64], n_nearest: int, beta: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest clusters of every query and their weights softmax(-beta * distance), both [n_queries, n_nearest].

    Equal distances go to the lowest cluster number; fewer come back when there are fewer clusters. A beta of 0
    weighs them equally.
    """
    index = np.argsort(distance, axis=1, kind="stable")[:, :n_nearest]
    chosen = np.take_along_axis(distance, index, axis=1)
    weight = np.exp(-beta * (chosen - chosen[:, :1]))
    return index, weight / weight.sum(axis=1, keepdims=True)


def reciprocal_rank(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for the highest value along the last axis, 1/2 for the next, …; equal values in order; NaN stays NaN."""
    order = np.argsort(-value, axis=-1, kind="stable")  # NaN last
    place = np.argsort(order, axis=-1)  # the inverse permutation
    return np.where(np.isnan(value), np.nan, 1.0 / (place + 1.0))


def blend(value: NDArray[np.float64], index: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted mean over a query's clusters of what they say about each model.

    Args:
        value: [n_trade_offs, n_clusters, n_models]; NaN, under every trade-off, where a cluster does not know a model.
        index: clusters of each query, [n_queries, n_nearest].
        weight: their weights, adding up to 1, of the same shape.

    Returns:
        float64 [n_trade_offs, n_queries, n_models], the mean over those clusters that know the model; -inf where
        none does.
    """
    known = ~np.isnan(value[0])  # [n_clusters, n_models]
    filled = np.where(known, value, 0.0)
    total = np.zeros((len(value), len(index), value.shape[2]))
    mass = np.zeros(total.shape[1:])
    for cluster, share in zip(index.T, weight.T, strict=True):  # one round per nearest cluster
        total += share[:, None] * filled[:, cluster]
        mass += share[:, None] * known[cluster]
    return np.divide(total, mass, out=np.full_like(total, -np.inf), where=mass > 0)
