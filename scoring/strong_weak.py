"""Figures of a router between a weak and a strong model: PGR, APGR and CPT (RouteLLM, arXiv 2406.18665; C.19)."""

import math

import numpy as np

from scoring.metrics import TIE, Floats


def pgr(quality: Floats, weak: float, strong: float) -> Floats:
    """Performance gap recovered: where each quality lies between the weak model (0) and the strong one (1).

    Args:
        quality: [n_trade_offs], for example AvgAcc. weak, strong: of the two models alone.

    Returns:
        [n_trade_offs], may leave [0, 1]; NaN unless the strong model is better.
    """
    return (quality - weak) / (strong - weak) if strong - weak > TIE else np.full(quality.shape, np.nan)


def apgr(strong_share: Floats, recovered: Floats) -> float:
    """Average PGR: the area under PGR over the share of queries that go to the strong model, by trapezoids.

    The ends belong to the curve whatever the grid: no strong call is the weak model (0), only strong ones are the
    strong model (1). A random choice has 1/2.

    Args:
        strong_share: [n_trade_offs] in [0, 1], in any order. recovered: PGR of the same, from `pgr`.

    Returns:
        NaN where PGR is.
    """
    share, height = _curve(strong_share, recovered)
    return float(np.trapezoid(height, share))


def cpt(strong_share: Floats, recovered: Floats, level: float) -> float:
    """Call-performance threshold: the least share of strong calls at which PGR reaches a level; lower is better.

    Between the trade-offs PGR is interpolated linearly. A random choice has about `level`.

    Args:
        strong_share, recovered: as in `apgr`. level: PGR to reach in (0, 1]; the paper tabulates 0.5 and 0.8.

    Returns:
        In [0, 1]; NaN where PGR is.
    """
    share, height = _curve(strong_share, recovered)
    if np.isnan(height).any():
        return math.nan
    at = int(np.argmax(height >= level - TIE))  # the last point has PGR 1, so there is one
    if at == 0 or height[at] == height[at - 1]:
        return float(share[at])
    part = (level - height[at - 1]) / (height[at] - height[at - 1])
    return float(share[at - 1] + min(1.0, part) * (share[at] - share[at - 1]))


def _curve(strong_share: Floats, recovered: Floats) -> tuple[Floats, Floats]:
    """Both with the ends added, by share; of equal shares the better comes last."""
    share, height = np.concatenate([[0.0], strong_share, [1.0]]), np.concatenate([[0.0], recovered, [1.0]])
    order = np.lexsort((height, share))
    return share[order], height[order]
