"""How long answers will be: a query that made other models write much makes the next one write much too.

The logarithm of an answer's tokens is taken as normal: a mean and a spread of (model, benchmark), a part of the query
that all models share, and the rest, which nobody knows beforehand.
"""

import numpy as np
from numpy.typing import NDArray

# Measured on free-text benchmarks (`tests/speed/scheduling.py`): the correlation of two models' log lengths within a
# benchmark, and their standard deviation.
_CORRELATION, _SPREAD = 0.4, 0.5
_ENOUGH_ANSWERS = 20  # to standardise a model's lengths by
_PRIOR_ANSWERS = 10  # what is believed beforehand counts as so many


def tokens_of_queries(
    index: NDArray[np.int64], answered: NDArray[np.int64], tokens: NDArray[np.int64]
) -> NDArray[np.float64]:
    """A model's mean tokens per query, float64 [n_queries]; NaN where it has not answered.

    Args:
        index: the queries, int64 ascending [n_queries].
        answered: the query of each answer, int64 [n_answers]; one that is not in `index` is left out.
        tokens: of each answer, [n_answers]; 0 for a failure and -1 for unknown are left out.
    """
    position = np.searchsorted(index, answered)
    position[position == len(index)] = 0
    counts = (tokens > 0) & (index[position] == answered) if len(index) else np.zeros(len(answered), bool)
    n = np.bincount(position[counts], minlength=len(index))
    total = np.bincount(position[counts], tokens[counts], minlength=len(index))
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def expected_tokens(tokens: NDArray[np.float64], model: int, believed: float) -> NDArray[np.float64]:
    """Tokens one model's answer to each query of a benchmark is expected to have, float64 [n_queries].

    Args:
        tokens: of the answers that are there, NaN where there is none, [n_models, n_queries].
        model: its row.
        believed: its mean, as the configuration says; gives way to its own answers.
    """
    logs = np.log(np.maximum(tokens, 1))
    has_answered = np.isfinite(logs)
    n_answers = has_answered.sum(axis=1)
    teaches = n_answers >= _ENOUGH_ANSWERS
    teaches[model] = False
    shared, explained = _shared_part(logs[teaches], has_answered[teaches])

    own, n_own = has_answered[model], int(n_answers[model])
    spread = _SPREAD
    if n_own:
        measured = float(logs[model, own].std())
        spread = (n_own * measured + _PRIOR_ANSWERS * _SPREAD) / (n_own + _PRIOR_ANSWERS)
    # The longest are asked first: what the query explains of its own answers does not count as the model's.
    own_sum = float((logs[model, own] - spread * shared[own]).sum())
    prior = np.log(believed) - spread**2 / 2
    mean = (own_sum + _PRIOR_ANSWERS * prior) / (n_own + _PRIOR_ANSWERS)
    return np.exp(mean + spread * shared + spread**2 * (1 - explained) / 2)


def _shared_part(
    logs: NDArray[np.float64], has_answered: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Best guess of a further model's standardised log length, and the share of its variance that is so explained,
    from those of `k` others with the same correlation to each other; each [n_queries].
    """
    n = has_answered.sum(axis=1, keepdims=True)
    mean = np.where(has_answered, logs, 0).sum(axis=1, keepdims=True) / n
    deviation = np.where(has_answered, logs - mean, 0)
    sd = np.sqrt((deviation**2).sum(axis=1, keepdims=True) / n)
    k = has_answered.sum(axis=0)
    # Models that always write the same amount (sd 0) say nothing, and are then as good as an average query.
    total = np.divide(deviation, sd, out=np.zeros_like(deviation), where=sd > 0).sum(axis=0)
    weight = _CORRELATION / (1 + np.maximum(k - 1, 0) * _CORRELATION)
    return weight * total, weight * k * _CORRELATION
