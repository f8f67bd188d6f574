"""RouterEval's metrics, and the routers of which they are known in closed form (arXiv 2503.10657, spec C.17)."""

from typing import NamedTuple

import numpy as np

from scoring.metrics import Floats, Integers, take_choice

REFERENCE_P = {"Oracle": 1.0, "r_o(0.5)": 0.5, "Random": 0.0}  # routers r_o(p), known in closed form
DATASETS = {  # benchmark -> its name in the tables, and the accuracy of the strong single model V_R compares with
    "routereval_arc": ("ARC", 0.852),
    "routereval_hellaswag": ("HellaSwag", 0.953),
    "routereval_mmlu": ("MMLU", 0.864),
    "routereval_truthfulqa": ("TruthfulQA", 0.669),
    "routereval_winogrande": ("Winogrande", 0.875),
    "routereval_gsm8k": ("GSM8k", 0.92),
    "routereval_ifeval": ("IFEval", 0.7689),
    "routereval_bbh": ("BBH", 0.8303),
    "routereval_gpqa": ("GPQA", 0.397),
    "routereval_musr": ("MUSR", 0.699),
    "routereval_math": ("MATH Lvl 5", 0.4),
    "routereval_mmlu_pro": ("MMLU-PRO", 0.637),
}


class Figures(NamedTuple):
    """The four metrics of a router on a candidate group, or their mean over groups."""

    mu_o: float
    v_r: float
    v_b: float
    e_p: float


def mu_o(score: Floats, choice: Integers) -> float:
    """Mean score of the chosen models. score: [n_queries, n_models] in [0, 1]; choice: [n_queries], model numbers."""
    return float(take_choice(score, choice).mean())


def v_r(mean_score: float, reference_accuracy: float) -> float:
    """V_R: mu_o over the accuracy of a strong model that is no candidate."""
    return mean_score / reference_accuracy


def v_b(mean_score: float, score: Floats) -> float:
    """V_B: mu_o over the mean of the best single candidate, known in hindsight; NaN if that is 0.

    Args:
        score: of the same queries, [n_queries, n_models] in [0, 1].
    """
    best = float(score.mean(axis=0).max())
    return mean_score / best if best > 0 else float("nan")


def e_p(probability: Floats) -> float:
    """E_p: mean entropy of a router's distribution over models, in bits; from 0 to log2(n_models).

    Args:
        probability: [n_queries, n_models], rows sum to 1.
    """
    logarithm = np.log2(probability, out=np.zeros_like(probability), where=probability > 0)
    return float(-(probability * logarithm).sum(axis=1).mean()) + 0.0


def softmax(utility: Floats) -> Floats:
    """What the reference takes for the probability of a model where a router gives logits or neighbours' means.

    Means lie close together, so that a kNN's entropy is near its upper limit whatever it found: E_p compares a router
    with itself, not routers of different kinds.

    Args:
        utility: [n_queries, n_models]; -inf is never chosen.
    """
    power = np.exp(utility - utility.max(axis=1, keepdims=True))
    return power / power.sum(axis=1, keepdims=True)


def r_o(score: Floats, p: float) -> tuple[float, float]:
    """Expected mu_o, and E_p, of the router that takes a best model with probability p, else any (spec A12.6).

    E_p spreads p over models in proportion to their scores, evenly where all are 0, as the reference does.

    Args:
        score: [n_queries, n_models] in [0, 1], none missing.
    """
    total = score.sum(axis=1, keepdims=True)
    even = np.full_like(score, 1.0 / score.shape[1])
    share = np.divide(score, total, out=even.copy(), where=total > 0)
    mean = p * score.max(axis=1).mean() + (1.0 - p) * score.mean()
    return float(mean), e_p(p * share + (1.0 - p) * even)


def reference_figures(benchmark: str, score: Floats) -> dict[str, Figures]:
    """Oracle, r_o(0.5) and Random on the test queries of a group. score: [n_queries, n_models], none missing."""
    found = {name: r_o(score, p) for name, p in REFERENCE_P.items()}
    return {name: figures(benchmark, score, mean, entropy) for name, (mean, entropy) in found.items()}


def router_figures(benchmark: str, score: Floats, choice: Integers, utility: Floats) -> Figures:
    """Figures of a router that chose and had these utilities, each [n_queries] and [n_queries, n_models]."""
    return figures(benchmark, score, mu_o(score, choice), e_p(softmax(utility)))


def figures(benchmark: str, score: Floats, mean_score: float, entropy: float) -> Figures:
    """The four metrics from mu_o, E_p and the group's test scores."""
    return Figures(mean_score, v_r(mean_score, DATASETS[benchmark][1]), v_b(mean_score, score), entropy)
