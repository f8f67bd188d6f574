"""How reliable an answer looks: the generation scorers of cascades (FrugalGPT's g, AutoMix's verification).

FrugalGPT trains a text encoder on query and answer (`frugalgpt_encoder`). This one is light: a logistic regression on
the leading principal components of the query embedding, the length of the answer and the hashed words of its end, where
the result stands.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_COMPONENTS = 128  # of the query embedding
_N_HASHES = 4096
_END = 500  # characters of an answer that are read
_STRENGTH = 1.0  # of the data against the prior of small weights, C of scikit-learn


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """The fitted scorer of one model.

    Attributes:
        on_query: weights of the query features, [n_components].
        on_answer: weights of the answer features; None for a scorer that sees only the query.
        bias: log odds.
    """

    on_query: NDArray[np.float64]
    on_answer: NDArray[np.float64] | None
    bias: float

    def reliability(self, query: NDArray[np.float64], answer: NDArray[np.object_] | None) -> NDArray[np.float64]:
        """Expected score in (0, 1) of the model's answers, [n_queries].

        Args:
            query: features of the queries, [n_queries, n_components].
            answer: the model's answers, str; an empty one has -inf. Not looked at by a scorer that sees only the query.
        """
        # einsum adds up every row alike, whatever rows stand beside it; a matrix product does not promise that
        logit = self.bias + np.einsum("qc,c->q", query, self.on_query)
        if self.on_answer is None:
            return logistic(logit)
        assert answer is not None
        if not len(answer):
            return logit
        is_empty = np.array([not line.strip() for line in answer], dtype=bool)
        return np.where(is_empty, -np.inf, logistic(logit + _answer_features(answer) @ self.on_answer))


def fit_scorer(query: NDArray[np.float64], answer: NDArray[np.object_] | None, score: NDArray[np.float64]) -> Scorer:
    """The scorer of one model, learned from its scores.

    A score between 0 and 1 counts as that share of a right answer and the rest of a wrong one.

    Args:
        query: features of the queries, [n_queries, n_components].
        answer: the model's answers, str [n_queries]; None for a scorer that sees only the query.
        score: in [0, 1], [n_queries], no NaN, at least one.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    n_components = query.shape[1]
    feature = csr_matrix(query) if answer is None else hstack([query, _answer_features(answer)], format="csr")
    is_right, is_wrong = np.flatnonzero(score > 0), np.flatnonzero(score < 1)
    if not is_right.size or not is_wrong.size:
        mean = float(np.clip(score.mean(), 1e-3, 1 - 1e-3))
        weight, bias = np.zeros(feature.shape[1]), float(np.log(mean / (1 - mean)))
    else:
        row = np.concatenate([is_right, is_wrong])
        label = np.repeat([1, 0], [len(is_right), len(is_wrong)])
        share = np.concatenate([score[is_right], 1 - score[is_wrong]])
        model = LogisticRegression(C=_STRENGTH, solver="liblinear").fit(feature[row], label, sample_weight=share)
        weight, bias = model.coef_[0], float(model.intercept_[0])
    return Scorer(
        on_query=weight[:n_components], on_answer=None if answer is None else weight[n_components:], bias=bias
    )


def _answer_features(answer: NDArray[np.object_]) -> Any:  # a sparse matrix; scipy has no types
    """Logarithm of the length, and hashed words and signs of the end scaled to length 1; sparse [n_queries, ...]."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import HashingVectorizer

    words = HashingVectorizer(n_features=_N_HASHES, alternate_sign=False, token_pattern=r"\w+|[^\w\s]")
    length = np.log1p([len(line) for line in answer]) / 10.0
    return hstack([csr_matrix(length[:, None]), words.transform(line[-_END:] for line in answer)], format="csr")


def logistic(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of log odds, of the same shape."""
    return 0.5 * (1.0 + np.tanh(logit / 2.0))
