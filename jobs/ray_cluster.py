"""One Ray cluster per SLURM task of several nodes, for a model larger than a node.

SLURM starts the same call once on each node. Rank 0 starts Ray's head and runs the model; every other rank starts a
Ray node that joins the head, and waits. Rank 0 tells them two things by files of a folder they share: its `address`,
and later that it is `done`.

Only who can read the folder's `token` is let in: Ray runs whatever it is sent, and a cluster has other users.

Each rank ends the process group that it started, never `ray stop`, which ends all of a user's Ray on a shared machine.
A rank that is killed takes its Ray along, and leaves only Ray's logs in /tmp. Where rank 0 is gone without a word, Ray
on the other nodes gives up after a minute, and their ranks with it: no heartbeat of ours is needed.
"""

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NoReturn

from jobs.network import free_port, own_ip
from jobs.stop import Stopped
from store.atomic import write_file
from store.errors import RouteyardError

_POLL_S = 1.0
_FILES_ARRIVE_WITHIN_S = 15.0  # a file may be seen later than it was written, on a shared file system
_SETTINGS = {
    "RAY_process_group_cleanup_enabled": "0",  # or each process that computes would leave our process group
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",  # TERM means now: SLURM kills soon after
    "RAY_gcs_rpc_server_connect_timeout_s": "60",  # its 5 s are too few on a busy machine
}
# In a process of its own: vLLM forks its engine out of rank 0, and what Ray starts in a process does not bear that.
_PRINT_RANKS = """
import ray, sys
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
print(*(name[4:] for node in ray.nodes() if node["Alive"] for name in node["Resources"] if name.startswith("rank")))
"""
_LIBC = ctypes.CDLL(None)


class RayClusterError(RouteyardError):
    """The nodes of a task do not come together, or one is lost; the message has the path of a log."""


@dataclass(frozen=True, slots=True)
class RayCluster:
    """The cluster as rank 0 sees it: host:port of the head, its process, and the folder with every rank's log."""

    address: str
    head: subprocess.Popen[bytes]
    folder: Path

    def wait_for(self, ranks: Iterable[int], within_s: float, since: float | None = None) -> None:
        """Return once these ranks' nodes are alive; worth asking again before an engine is started anew.

        Args:
            within_s: seconds from `since` on, a reading of `time.monotonic`; from now on by default.

        Raises:
            RayClusterError: one is not there in time, or the head died.
        """
        deadline = (time.monotonic() if since is None else since) + within_s
        while True:
            if self.head.poll() is not None:
                raise RayClusterError(f"Ray's head ended on {socket.gethostname()}: {self.folder / 'ray-0.log'}")
            missing = sorted(set(ranks) - _ranks_alive(self.address))
            if not missing:
                return
            if time.monotonic() > deadline:
                log = self.folder / f"ray-{missing[0]}.log"
                raise RayClusterError(f"no Ray from rank {missing} at {self.address} after {within_s:.0f} s: {log}")
            time.sleep(_POLL_S)


@contextmanager
def ray_cluster(
    folder: Path, n_nodes: int, n_gpus_per_node: int, *, start_within_s: float = 300.0
) -> Iterator[RayCluster]:
    """On rank 0, from the main thread: Ray over all nodes, found by whatever runs inside (RAY_ADDRESS).

    To be entered before this process imports ray, which reads how to authenticate only then.

    Args:
        folder: of this attempt alone (named by job, task and restart), on a file system that all nodes share.

    Raises:
        RayClusterError: Ray is not installed, does not start, or a node did not join in time.
    """
    # SLURM's own network has a route for sure; Ray and vLLM would look at the way out.
    ip, port = own_ip(os.environ.get("SLURM_LAUNCH_NODE_IPADDR", ""), socket.gethostname()), free_port()
    role = ["--head", f"--port={port}", "--include-dashboard=false"]
    if find_spec("grpc"):  # then Ray listens for remote clients, always on the same port unless it is told
        role.append(f"--ray-client-server-port={free_port()}")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "token", "x", opener=partial(os.open, mode=0o600)) as file:
        file.write(secrets.token_hex(32))
    started, variables = time.monotonic(), _variables(folder, ip)
    with _ray_node(folder, 0, ip, n_gpus_per_node, role) as process:
        cluster = RayCluster(f"{ip}:{port}", process, folder)
        os.environ.update(variables)
        try:
            cluster.wait_for([0], start_within_s, started)
            write_file(folder / "address", cluster.address.encode())
            cluster.wait_for(range(n_nodes), start_within_s, started)
            os.environ["RAY_ADDRESS"] = cluster.address
            yield cluster
        finally:
            for name in ("RAY_ADDRESS", *variables):
                os.environ.pop(name, None)
            with suppress(OSError):  # a full disk; the others end a minute after the head
                write_file(folder / "done", b"")


def join(folder: Path, rank: int, n_gpus: int, *, start_within_s: float = 300.0) -> None:
    """On every other rank, from the main thread: be a node of the cluster until rank 0 is done.

    SLURM's warnings are rank 0's affair and are ignored from here on, until this process ends.

    Raises:
        RayClusterError: Ray is not installed, rank 0 gave no address in time, or Ray ended here before rank 0 was done.
        Stopped: by TERM.
    """

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)  # once: Ray is being ended
        raise Stopped(f"rank {rank}: stopped by {signal.Signals(number).name}")

    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    done, deadline = folder / "done", time.monotonic() + start_within_s
    while not (folder / "address").exists():
        if done.exists():
            return
        if time.monotonic() > deadline:
            raise RayClusterError(f"rank {rank}: no address of rank 0 after {start_within_s:.0f} s in {folder}")
        time.sleep(_POLL_S)
    address = (folder / "address").read_text()
    with _ray_node(folder, rank, own_ip(address.partition(":")[0]), n_gpus, [f"--address={address}"]) as process:
        while not done.exists():
            if process.poll() is not None:
                time.sleep(_FILES_ARRIVE_WITHIN_S)
                if not done.exists():
                    where = f"{socket.gethostname()} before rank 0 was done: {folder / f'ray-{rank}.log'}"
                    raise RayClusterError(f"rank {rank}: Ray ended on {where}")
            time.sleep(_POLL_S)


@contextmanager
def _ray_node(folder: Path, rank: int, ip: str, n_gpus: int, role: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """This machine's Ray processes, in a process group of their own."""
    if find_spec("ray") is None:
        raise RayClusterError(f"rank {rank}: ray is not installed; pip install 'routeyard[inference]'")
    with (
        # Below /tmp whatever TMPDIR says: the name of a socket has 107 bytes.
        tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as temporary,
        open(folder / f"ray-{rank}.log", "wb") as log,
    ):
        words = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *role, f"--temp-dir={temporary}"]
        words += [f"--node-ip-address={ip}", f'--resources={{"rank{rank}": 1}}', f"--num-gpus={n_gpus}"]
        words += ["--num-cpus=1", f"--object-store-memory={2**28}", "--disable-usage-stats"]
        environment = os.environ | _SETTINGS | _variables(folder, ip)
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            process_group=0, preexec_fn=_in_child,
        )  # fmt: skip
        try:
            yield process
        finally:
            _end_group(process)


def _variables(folder: Path, ip: str) -> dict[str, str]:
    """For all that has to do with the cluster: vLLM finds its own node by the address, and strangers are kept out."""
    return {"VLLM_HOST_IP": ip, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token")}


def _in_child() -> None:
    """Before Ray takes over: deaf to SLURM's warning, which every process of a step gets; ended when its rank is."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # TERM may be held back in the parent
    pr_set_pdeathsig = 1
    _LIBC.prctl(pr_set_pdeathsig, signal.SIGTERM)  # of KILL, some of Ray's processes would hear a minute later


def _end_group(process: subprocess.Popen[bytes], term_s: float = 10.0, kill_s: float = 5.0) -> None:
    """End a process and everything in its group: asked first, then killed."""
    with suppress(ProcessLookupError):  # nobody is left
        for number, within_s in ((signal.SIGTERM, term_s), (signal.SIGKILL, kill_s)):
            os.killpg(process.pid, number)
            deadline = time.monotonic() + within_s
            while time.monotonic() < deadline:
                process.poll()  # reaps it
                os.killpg(process.pid, 0)
                time.sleep(0.1)


def _ranks_alive(address: str) -> set[int]:
    words = [sys.executable, "-c", _PRINT_RANKS, address]
    with suppress(subprocess.SubprocessError):
        answer = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True, preexec_fn=_in_child)
        return {int(rank) for rank in answer.stdout.split()}
    return set()
