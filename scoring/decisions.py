"""What a router's single decisions are worth, which models they went to, and what deciding took."""

from typing import Any

import numpy as np

from scoring.contenders import Contender
from scoring.evaluation import Evaluation, RouterRun
from scoring.metrics import entropy_bits
from scoring.routing_quality import optimality

# of a router that was collected: it chose among models of its own
COLLECTED = dict.fromkeys(
    ("entropy_bits", "opt_selection", "opt_cost", "opt_accuracy", "fit_s", "route_s", "overhead_ms", "overhead_usd",
     "apgr", "cpt_50", "cpt_80"), np.nan,
)  # fmt: skip


def decision_figures(
    data: Evaluation, router: RouterRun, contender: Contender, usd_per_hour: float | None
) -> dict[str, Any]:
    """Figures of a router at its headline trade-off, means over seeds.

    Args:
        contender: its scores and costs. usd_per_hour: price of the machine that routes; None: unknown.

    Returns:
        share (of the test queries, per model), entropy_bits; opt_selection, opt_cost, opt_accuracy
        (`routing_quality.optimality`); fit_s, route_s; overhead_ms per query: to embed its text where the router
        reads embeddings, and to route it; overhead_usd of one test set. The last two as measured in batches, on
        the machine that routed.
    """
    chosen = [choice[router.headline] for choice in router.choice]
    share = np.bincount(np.concatenate(chosen), minlength=len(data.models)) / max(1, sum(map(len, chosen)))
    found = [
        optimality(data.score[rows], data.cost[rows], choice, paid)
        for rows, choice, paid in zip(data.test, chosen, contender.cost, strict=True)
    ]
    selection, cost, accuracy = np.mean(found, axis=0)
    encode_s = np.full(len(data.seeds), np.nan) if router.encode_s is None else np.array(router.encode_s)
    overhead_s = encode_s + np.array(router.route_s)
    n_test = np.array([len(rows) for rows in data.test])
    return {
        "share": share,
        "entropy_bits": entropy_bits(share),
        "opt_selection": selection,
        "opt_cost": cost,
        "opt_accuracy": accuracy,
        "fit_s": np.mean(router.fit_s),
        "route_s": np.mean(router.route_s),
        "overhead_ms": np.mean(1000 * overhead_s / n_test),
        "overhead_usd": np.nan if usd_per_hour is None else np.mean(overhead_s) / 3600 * usd_per_hour,
    }
