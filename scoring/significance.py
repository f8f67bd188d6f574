"""Tests from bootstrap resamples: two-sided p-values and Holm's correction for many of them."""

import numpy as np

from scoring.metrics import TIE, Floats


def bootstrap_p(estimate: Floats, deviation: Floats) -> Floats:
    """Two-sided p-value of the hypothesis that the true difference is 0.

    p = (1 + #{resamples with |deviation| ≥ |estimate|}) / (B + 1): the deviations of a paired bootstrap are what the
    estimate would do around 0 if nothing differed. No p is below 1 / (B + 1), so B resamples cannot tell more than
    that; the 1 in front keeps the test valid (Davison & Hinkley 1997, section 4.2).

    Args:
        estimate: differences, [n], NaN where there is none. deviation: their movement in B resamples, [B, n].

    Returns:
        [n] in (0, 1]; NaN where the estimate is. 1 for two contenders that always agree.
    """
    n_beyond = (np.abs(deviation) >= np.abs(estimate) - TIE).sum(axis=0)
    return np.where(np.isnan(estimate), np.nan, (1 + n_beyond) / (len(deviation) + 1))


def holm(p: Floats) -> Floats:
    """Holm's step-down correction (1979): with these, the chance of any false finding stays below the level.

    The i-th smallest of m p-values is multiplied by m − i + 1; none may fall below an earlier one or exceed 1.

    Args:
        p: [m]; NaN are no hypotheses and do not count.

    Returns:
        [m], NaN where p is.
    """
    corrected = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    factor = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factor * p[order]))
    return corrected
