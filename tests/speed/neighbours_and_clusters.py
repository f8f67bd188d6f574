"""What kNN and k-means of the suite take beside those of scikit-learn and faiss, on the same arrays in the same run.

    python tests/speed/neighbours_and_clusters.py            # faiss only where it is installed (pip install faiss-cpu)

Sizes of LLMRouterBench: 8,036 training and 3,444 test queries of 3,584 dimensions. Neighbours: the 40 nearest by cosine
and the mean of their 20 scores; the results are compared. Clusters: 64, ten restarts; beside the time the inertia (mean
squared distance to the centre, over all dimensions), since a k-means that stops early is quick and worse.
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from routers.clustering import N_RESTARTS, k_means, unit_rows
from routers.knn import KNN
from tests.speed.router_training import synthetic

N_NEIGHBORS, N_CLUSTERS, SEEDS = 40, 64, (42,)


def suite_knn(train, test):
    return KNN(n_neighbors=N_NEIGHBORS, shrinkage=0.0).fit(train).predict(test)[0]


def sklearn_knn(train, test):
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=N_NEIGHBORS, metric="cosine", algorithm="brute").fit(train.embedding)
    return train.score[index.kneighbors(test.embedding, return_distance=False)].mean(axis=1)


def faiss_knn(train, test):
    import faiss

    index = faiss.IndexFlatIP(train.embedding.shape[1])
    index.add(unit_rows(train.embedding))
    return train.score[index.search(unit_rows(test.embedding), N_NEIGHBORS)[1]].mean(axis=1)


def suite_clusters(point, seed):
    return k_means(point, N_CLUSTERS, 64, seed)[1]


def sklearn_clusters(point, seed):
    from sklearn.cluster import KMeans

    return KMeans(N_CLUSTERS, n_init=N_RESTARTS, random_state=seed).fit(point).labels_


def faiss_clusters(point, seed):
    import faiss

    means = faiss.Kmeans(
        point.shape[1], N_CLUSTERS, niter=300, nredo=N_RESTARTS, seed=seed, max_points_per_centroid=len(point)
    )
    means.train(point)
    return means.index.search(point, 1)[1][:, 0]


def inertia(point, label):
    total = 0.0
    for cluster in np.unique(label):
        member = point[label == cluster]
        total += float(((member - member.mean(axis=0)) ** 2).sum())
    return total / len(point)


def has_faiss() -> bool:
    try:
        import faiss  # noqa: F401
    except ImportError:
        return False
    return True


def main() -> None:
    train, test = synthetic(3584)
    point = unit_rows(train.embedding)
    names = ["suite", "faiss", "scikit-learn"] if has_faiss() else ["suite", "scikit-learn"]
    print(f"{'':<14}{'kNN s':>8}{'same as suite':>16}{'k-means s':>12}{'inertia':>10}")
    ours = suite_knn(train, test)
    sides = {
        "suite": (suite_knn, suite_clusters), "faiss": (faiss_knn, faiss_clusters),
        "scikit-learn": (sklearn_knn, sklearn_clusters),
    }  # fmt: skip
    for name in names:
        neighbours, clusters = sides[name]
        start = time.perf_counter()
        found = neighbours(train, test)
        knn_s = time.perf_counter() - start
        same = np.isclose(found, ours).all(axis=1).mean()
        taken, spread = [], []
        for seed in SEEDS:
            start = time.perf_counter()
            label = clusters(point, seed)
            taken.append(time.perf_counter() - start)
            spread.append(inertia(point, label))
        print(f"{name:<14}{knn_s:>8.2f}{same:>15.1%}{np.mean(taken):>13.1f}{np.mean(spread):>10.4f}", flush=True)


if __name__ == "__main__":
    main()
