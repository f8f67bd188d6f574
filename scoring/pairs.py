"""Contenders against each other: differences in AvgAcc with intervals, corrected for how many there are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoring.significance import holm, normal_p
from scoring.uncertainty import LEVEL, Quantity, rounded


def pair_figures(names: Sequence[str], quantity: Quantity) -> list[dict[str, Any]]:
    """Every contender against every other, with Holm's correction over all pairs.

    Args:
        names: of the contenders. quantity: AvgAcc.

    Returns:
        Rows with a, b, difference (a − b), difference_interval, p_value, p_holm, is_distinguishable (p_holm is at
        most 5 %); contenders without an estimate are left out.
    """
    from scipy.stats import norm

    known = np.flatnonzero(~np.isnan(quantity.estimate))
    estimate, effect = quantity.estimate[known], quantity.influence[:, known]
    a, b = np.triu_indices(len(known), 1)
    product = effect.T @ effect
    variance = np.diag(product)[a] + np.diag(product)[b] - 2 * product[a, b]
    same = variance <= 1e-12 * (np.diag(product)[a] + np.diag(product)[b])  # rounding of what always agrees
    error = np.sqrt(np.where(same, 0.0, variance))
    difference = estimate[a] - estimate[b]
    p = normal_p(difference, error)
    plain, corrected = rounded(p), rounded(holm(p))
    half = norm.ppf((1 + LEVEL) / 2) * error
    interval = rounded(difference[:, None] + half[:, None] * np.array([-1.0, 1.0]))
    return [
        {
            "a": names[known[i]],
            "b": names[known[j]],
            "difference": difference[at],
            "difference_interval": interval[at],
            "p_value": plain[at],
            "p_holm": corrected[at],
            "is_distinguishable": bool(corrected[at] <= 1 - LEVEL),
        }
        for at, (i, j) in enumerate(zip(a, b, strict=True))
    ]
