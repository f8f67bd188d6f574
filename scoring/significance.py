"""Two-sided p-values from the bootstrap's standard error, and Holm's correction for many of them."""

import numpy as np

from scoring.metrics import TIE, Floats


def standard_error(influence: Floats) -> Floats:
    """The standard deviation that the bootstrap over queries converges to, in closed form.

    Weights of a resample within a benchmark are multinomial with mean 1 and the influence sums to 0 there, so the
    variance of Σ weight × influence is Σ influence². No resample, no noise, and no floor under small p-values.

    Args:
        influence: [n_queries, n], from `scoring.bootstrap.influence` or `scoring.uncertainty`.

    Returns:
        [n].
    """
    return np.sqrt((influence**2).sum(axis=0))


def normal_p(estimate: Floats, error: Floats) -> Floats:
    """Two-sided p-value of the hypothesis that the true difference is 0, for a normal estimate.

    Args:
        estimate: differences, [n], NaN where there is none. error: their standard errors, [n].

    Returns:
        [n]; 1 for two contenders that always agree; NaN where there is no estimate, or one without any spread
        (a single query) that is not 0.
    """
    from scipy.stats import norm

    agree = (np.abs(estimate) <= TIE) & (error <= TIE)
    z = np.divide(np.abs(estimate), error, out=np.full(estimate.shape, np.nan), where=error > TIE)
    return np.where(agree, 1.0, 2 * norm.sf(z))


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
