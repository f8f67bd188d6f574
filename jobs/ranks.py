"""The ranks of a training job: SLURM starts the same call once per GPU; here they learn of each other.

Rank 0 writes its address and a free port into a file of a folder they share, as for Ray (`jobs.ray_cluster`): names of
nodes need not be known to every node, and two jobs on one node never ask for the same port.
"""

import os
import socket
import time
from pathlib import Path

from jobs.network import free_port, own_ip
from store.atomic import write_file
from store.errors import RouteyardError

_POLL_S = 0.2


class RanksError(RouteyardError):
    """Rank 0 did not say where it is."""


def introduce(folder: Path, *, within_s: float = 300.0) -> int:
    """Number of this rank; afterwards the environment has what `torch.distributed` reads (as torchrun sets it).

    Outside a SLURM task of several ranks nothing is set and it is 0.

    Args:
        folder: on a file system that all ranks see.

    Raises:
        RanksError: rank 0 is not there in time.
    """
    environment = os.environ
    n_ranks = int(environment.get("SLURM_STEP_NUM_TASKS", environment.get("SLURM_NTASKS", "1")))
    if n_ranks == 1 or "SLURM_PROCID" not in environment:
        return 0
    rank = int(environment["SLURM_PROCID"])
    attempt = f"{environment['SLURM_JOB_ID']}.{environment.get('SLURM_RESTART_COUNT', '0')}"
    path = folder / f"rank-0.{attempt}"
    if rank == 0:
        ip = own_ip(environment.get("SLURM_LAUNCH_NODE_IPADDR", ""), socket.gethostname())
        write_file(path, f"{ip} {free_port()}".encode())
    deadline = time.monotonic() + within_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise RanksError(f"rank {rank}: rank 0 of job {attempt} did not say where it is within {within_s:.0f} s "
                             f"({path}); see the log of its task")  # fmt: skip
        time.sleep(_POLL_S)
    ip, port = path.read_text().split()
    os.environ.update(
        RANK=str(rank), WORLD_SIZE=str(n_ranks), LOCAL_RANK=environment["SLURM_LOCALID"], MASTER_ADDR=ip,
        MASTER_PORT=port,
    )  # fmt: skip
    return rank
