"""Bradley-Terry ratings: one strength per model from who beat whom, P(a beats b) = 1 / (1 + 10^((b - a) / 400)).

Two models meet on every query for which both have a score; the higher score wins, equal scores are a draw, half a win
for each.
"""

import numpy as np
from numpy.typing import NDArray

SCALE = 400.0 / np.log(10.0)  # from natural logits to the scale of chess
LEVEL = 1000.0  # the mean rating
DRAWS = 1.0  # imagined draws of every pair: whoever never lost would be infinitely strong
_LONGEST_STEP = 2.0
_N_STEPS = 50
_CLOSE_ENOUGH = 1e-9


def outcomes(score: NDArray[np.float64], model: int) -> NDArray[np.float32]:
    """What one model won against each on each query: 1, 1/2 or 0; 0 also where they did not meet.

    Args:
        score: [n_queries, n_models], NaN where missing.

    Returns:
        float32 [n_queries, n_models].
    """
    one = score[:, model, None]
    return (one > score) + np.float32(0.5) * (one == score)


def ratings(won: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ratings of highest likelihood, several tables at once.

    Newton's method, whose steps are cut to two logits: the logarithm of the likelihood is concave, and only far from
    its summit a full step may be too long.

    Args:
        won: weight of the battles that a won against b, [..., n_models, n_models]; the diagonal does not
            matter.

    Returns:
        [..., n_models], of mean 1000.
    """
    n_models = won.shape[-1]
    won = won + DRAWS / 2.0
    met = won + won.swapaxes(-1, -2)
    wins = won.sum(axis=-1)
    logit = np.zeros(wins.shape)
    for _ in range(_N_STEPS):
        expected = 1.0 / (1.0 + np.exp(logit[..., None, :] - logit[..., :, None]))
        gradient = wins - (met * expected).sum(axis=-1)
        curvature = met * expected * (1.0 - expected)
        # minus the Hessian is the curvature's Laplacian, singular along equal shifts: ones close that direction
        laplacian = 1.0 - curvature
        laplacian[..., np.arange(n_models), np.arange(n_models)] += curvature.sum(axis=-1)
        step = np.linalg.solve(laplacian, gradient[..., None])[..., 0]
        longest = np.abs(step).max(axis=-1, keepdims=True, initial=_CLOSE_ENOUGH)
        logit += step * np.minimum(1.0, _LONGEST_STEP / longest)
        if longest.max(initial=0.0) <= _CLOSE_ENOUGH:
            break
    return SCALE * logit + LEVEL
