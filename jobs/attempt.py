"""Who am I: job, array task, attempt, node, GPU. The only place that reads what SLURM puts into the environment."""

import os
import socket
import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of one task.

    Attributes:
        owner: who SLURM or the kernel must be asked about: `slurm.<array job>_<task>.<restart>` or
            `local.<host>.<pid>.<start time>`. See `jobs.liveness`.
        writer: the owner and a random token: a name nobody else has ever had or will have; part of the files it writes.
        requeue_id: what `scontrol requeue` takes, "" outside SLURM. Never the bare job id of an array element: for one
            element that is the id of the whole array.
        node, gpus: where it runs.
    """

    owner: str
    writer: str
    requeue_id: str
    node: str
    gpus: str


def current_attempt() -> Attempt:
    """The attempt this process belongs to."""
    environment, node = os.environ, socket.gethostname().split(".")[0]
    gpus = environment.get("CUDA_VISIBLE_DEVICES", "")
    token = uuid.uuid4().hex[:8]
    if job := environment.get("SLURM_JOB_ID"):
        task = environment.get("SLURM_ARRAY_TASK_ID")
        name = f"{environment['SLURM_ARRAY_JOB_ID']}_{task}" if task is not None else job
        restart = environment.get("SLURM_RESTART_COUNT", "0")
        node = environment.get("SLURMD_NODENAME", node)
        owner = f"slurm.{name}.{restart}"
        return Attempt(owner, f"{owner}.{token}", name, node, gpus)
    owner = f"local.{node}.{os.getpid()}.{process_start(os.getpid())}"
    return Attempt(owner, f"{owner}.{token}", "", node, gpus)


def n_cores() -> int:
    """Cores that this process may use: of those that SLURM gave its task, where it says how many."""
    given = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE")
    here = len(os.sched_getaffinity(0))
    return min(here, int(given)) if given else here


def process_start(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot, None if there is none: a pid alone may be used again."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
