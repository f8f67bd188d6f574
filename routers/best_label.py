"""Classifiers of the best model: which class, that is model, does the embedding belong to? LLMRouter's first routers.

Its knnrouter, svmrouter and mlprouter differ in scikit-learn's classifier alone.
"""

import warnings
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from routers import checks
from routers.router import Queries, Router

CLASSIFIERS = ("knn", "svm", "mlp")


class BestLabel(Router):
    """Predicts which model has the highest score, the first one where several share it, as LLMRouter labels queries.

    For comparison, not for use: where many models are right the label is the first of them in the order of the pool,
    and what the others did is thrown away. On LLMRouter's own example data (13 benchmarks, 9 models) the votes of the
    neighbours reach an AvgAcc of 46, the best single model 65 and the mean scores of neighbours (`knn`) 68.

    Equal votes or probabilities go to the lowest model number. A model that never was the label is not chosen.

    Args:
        classifier: with LLMRouter's settings. "knn", votes of the 5 nearest by Euclidean distance; "svm", support
            vectors with a Gaussian kernel, one class against one, pairs equal in votes by their confidence (the
            reference takes the first; its probabilities it computes and does not use); "mlp", a network with hidden
            layers of 128 and 64 units, 500 passes at most.
        seed: of mlp, 42 in the reference.
    """

    name: ClassVar[str] = "best_label"
    inputs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(self, *, classifier: str = "knn", seed: int = 42) -> None:
        self.classifier = classifier
        self.seed = seed

    def fit(self, train: Queries) -> Self:
        """Label the training queries and fit the classifier."""
        from sklearn.exceptions import ConvergenceWarning

        checks.one_of(self, "classifier", CLASSIFIERS)
        row, score = checks.scored(self, train)
        embedding = checks.embedding(self, train)[row]
        self.models_ = train.models
        self.dim_ = embedding.shape[1]
        by_name = np.argsort(train.models)  # classes in the order of the names: that of the pool does not matter
        label = np.argsort(by_name)[np.nanargmax(score, axis=1)]
        self.class_model_ = by_name[np.unique(label)]  # the model of each class
        if self.classifier == "svm":
            self.embedding_ = embedding
            self.gamma_ = 1.0 / (embedding.shape[1] * embedding.var(dtype=np.float64) or 1.0)  # "scale"
        self.classifier_: Any = None  # with one class there is nothing to tell apart
        if len(self.class_model_) > 1:
            self.classifier_ = self._classifier(len(label))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the passes allowed are what was asked for
                self.classifier_.fit(self._input(embedding), label)
        return self

    def predict(self, queries: Queries) -> NDArray[np.float64]:
        """Votes or probabilities, float64 [1, n_queries, n_models]; -inf for a model that never was the label."""
        checks.same_pool(self, queries)
        embedding = checks.embedding(self, queries, self.dim_)
        utility = np.full((1, queries.n_queries, len(self.models_)), -np.inf)
        if self.classifier_ is None:
            utility[..., self.class_model_] = 1.0
        elif queries.n_queries:  # scikit-learn takes no empty array
            utility[..., self.class_model_] = self._votes(self._input(embedding))
        return utility

    def _classifier(self, n_labels: int) -> Any:
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.neural_network import MLPClassifier
        from sklearn.svm import SVC

        if self.classifier == "knn":
            return KNeighborsClassifier(min(5, n_labels))
        if self.classifier == "svm":
            return SVC(kernel="precomputed")
        return MLPClassifier((128, 64), max_iter=500, random_state=self.seed)

    def _input(self, embedding: NDArray[np.float32]) -> NDArray[Any]:
        """What the classifier is given: for svm the kernel, whole; SVC itself would take minutes entry by entry."""
        return gaussian_kernel(embedding, self.embedding_, self.gamma_) if self.classifier == "svm" else embedding

    def _votes(self, given: NDArray[Any]) -> NDArray[np.float64]:
        """[n_queries, n_classes], the highest for the class that the classifier predicts."""
        if self.classifier != "svm":
            return self.classifier_.predict_proba(given)
        value = self.classifier_.decision_function(given)
        return value if value.ndim == 2 else np.stack([-value, value], axis=1)


def gaussian_kernel(one: NDArray[np.float32], other: NDArray[np.float32], gamma: float) -> NDArray[np.float64]:
    """exp(-gamma * squared distance) of all pairs of rows, float64 [n_one, n_other]."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    squared = one @ (-2.0 * other.T)
    squared += (one**2).sum(axis=1)[:, None]
    squared += (other**2).sum(axis=1)
    squared *= -gamma
    return np.exp(squared, out=squared)
