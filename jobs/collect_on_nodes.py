"""The collecting worker of a model larger than a node: SLURM starts it on each of its nodes, Ray joins them."""

import os
from contextlib import ExitStack
from pathlib import Path

from jobs.attempt import current_attempt
from jobs.collect import collect
from jobs.ray_cluster import join, ray_cluster
from jobs.serve import Summary
from jobs.stop import StopFlag, held_back
from jobs.task import CollectTask


def collect_on_nodes(task: CollectTask, folder: Path) -> list[Summary]:
    """Rank 0 serves the model over all nodes; the other ranks lend it theirs and give back nothing.

    Args:
        folder: of the run; what the ranks tell each other goes into one below it, of this attempt alone.

    Raises:
        RayClusterError: the nodes do not come together.
        Whatever `jobs.collect.collect` raises, on rank 0.
    """
    rank, n_gpus = int(os.environ["SLURM_PROCID"]), task.model.tensor_parallel_size
    meeting_place = folder / f"ray-{current_attempt().owner}"
    if rank:
        join(meeting_place, rank, n_gpus)
        return []
    stop = StopFlag()
    with stop.installed(), ExitStack() as stack:
        with held_back():
            stack.enter_context(ray_cluster(meeting_place, task.model.nodes, n_gpus))
        return collect([task], task.model.name, stop)
