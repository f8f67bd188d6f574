"""Latency as LLMRouterBench estimates it: time to the first token plus output tokens over tokens a second (C.15).

Both figures of a model come from its provider on some day, which stands beside them (`scoring.provider_figures`).
Latencies measured while collecting say how busy the machine was, not how fast a model is.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.metrics import Floats


def estimated_latency(completion_tokens: Floats, ttft_s: Floats, tokens_per_s: Floats) -> Floats:
    """Seconds of each answer: TTFT + output tokens / tokens a second.

    A conversation of several calls counts one TTFT: how many calls it had is not in a matrix.

    Args:
        completion_tokens: [n_queries, n_models], NaN unknown. ttft_s: [n_models], seconds. tokens_per_s: [n_models],
            above 0. NaN unknown.

    Returns:
        [n_queries, n_models], NaN unknown.
    """
    return ttft_s + completion_tokens / tokens_per_s


def non_dominated(accuracy: Floats, cost: Floats, latency_s: Floats) -> NDArray[np.bool_]:
    """The accuracy-cost-latency front: no point is as good in all three and better in one.

    Args:
        accuracy: [n_points] in [0, 1], higher is better. cost, latency_s: lower is better. No NaN.

    Returns:
        bool [n_points]; equal points stand or fall together.
    """
    loss = np.stack([-accuracy, cost, latency_s], axis=1)
    on_front = np.ones(len(loss), bool)
    for at in range(len(loss)):  # over points of a report, some thousands; blocks of pairs would need gigabytes
        if on_front[at]:
            on_front &= ~((loss >= loss[at]).all(axis=1) & (loss > loss[at]).any(axis=1))
    return on_front
