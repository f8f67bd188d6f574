"""Scoring over several nodes: SLURM starts it on each of its nodes, Ray joins them."""

import os
from contextlib import ExitStack
from pathlib import Path

from jobs.attempt import current_attempt
from jobs.ray_cluster import join, ray_cluster
from jobs.score import ScoreTask, score
from jobs.stop import held_back


def score_on_nodes(task: ScoreTask, folder: Path) -> dict[str, int]:
    """Rank 0 scores over all nodes, as `jobs.score.score`; the other ranks lend it theirs and give back nothing.

    Args:
        folder: of the run; what the ranks tell each other goes into one below it, of this attempt alone.

    Raises:
        RayClusterError: the nodes do not come together.
        Whatever `jobs.score.score` raises, on rank 0.
    """
    rank = int(os.environ["SLURM_PROCID"])
    meeting_place = folder / f"ray-{current_attempt().owner}"
    if rank:
        join(meeting_place, rank, 0)
        return {}
    with ExitStack() as stack:
        with held_back():
            stack.enter_context(ray_cluster(meeting_place, task.n_nodes, 0))
        return score(task)
