"""What HybridLLM teaches its router: the probability that the small model is good enough (arXiv 2404.14618, section 3).

All rules are about the same event, small >= large - margin. With one answer of each model, as a matrix has it, `prob`
has nothing to average over and equals `det`; so the LLMRouter library softens the gap instead (`softened`).
"""

import numpy as np
from numpy.typing import NDArray


def det(small: NDArray[np.float64], large: NDArray[np.float64], margin: float = 0.0) -> NDArray[np.float64]:
    """1 where the first answer of the small model is as good as that of the large one, else 0, [n_queries].

    Args:
        small, large: scores of the samples, [n_queries, n_small] and [n_queries, n_large].
        margin: by how much the small one may be worse.
    """
    return (small[:, 0] >= large[:, 0] - margin).astype(np.float64)


def prob(small: NDArray[np.float64], large: NDArray[np.float64], margin: float = 0.0) -> NDArray[np.float64]:
    """Share of the pairs of samples in which the small model is good enough, [n_queries]. Arguments as of `det`."""
    return (small[:, :, None] >= large[:, None, :] - margin).mean(axis=(1, 2))


def trans(small: NDArray[np.float64], large: NDArray[np.float64], n_grid: int = 50) -> NDArray[np.float64]:
    """`prob` with the margin under which the labels are spread most. Arguments as of `best_margin`."""
    return prob(small, large, best_margin(small, large, n_grid))


def best_margin(small: NDArray[np.float64], large: NDArray[np.float64], n_grid: int = 50) -> float:
    """The margin t* whose labels differ most between queries (HybridLLM, eq. for t*); the lowest of equals.

    With one sample of each the labels are 0 and 1, their spread is 2 p (1 - p) for a share p of ones, and this is the
    balance criterion of the LLMRouter library too.

    Args:
        small, large: scores of the samples, [n_queries, n_small] and [n_queries, n_large].
        n_grid: margins that are tried, evenly from 0 to the largest gap.
    """
    widest = np.abs(small[:, :, None] - large[:, None, :]).max()
    grid = np.linspace(0.0, widest, n_grid)
    return float(grid[np.argmax([spread(prob(small, large, margin)) for margin in grid])])


def spread(label: NDArray[np.float64]) -> float:
    """Mean absolute difference of two labels drawn with replacement."""
    n = len(label)
    rank = 2 * np.arange(1, n + 1) - n - 1  # how often each sorted label is the greater one minus the lesser one
    return float(2.0 * (rank * np.sort(label)).sum() / n**2)


def softened(small: NDArray[np.float64], large: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Logistic function of (small - large) / temperature for the first samples, [n_queries]: 1/2 for equal scores.

    Arguments otherwise as of `det`.
    """
    return 0.5 * (1.0 + np.tanh((small[:, 0] - large[:, 0]) / (2.0 * temperature)))
