"""Brings up a real SLURM of several emulated GPU nodes on this one machine, and takes it down again.

    python tests/slurm/cluster.py up        # then run the printed `export SLURM_CONF=...`
    python tests/slurm/cluster.py status    # exit 0: all daemons live, 1: some do not, 2: no cluster there
    python tests/slurm/cluster.py down

Everything is private to one directory: munge key and socket, database, configuration, logs, spool. All ports are free
ones on the loopback address, so several clusters live side by side, and beside an installed SLURM. The client tools
need nothing but SLURM_CONF. Every daemon is recorded with its process id and start time as soon as it runs, and `down`
ends exactly those and the job processes they left. No init system is needed, but root is (slurmd starts jobs as their
owner), and so are Debian's slurm-wlm, slurmdbd, munge and mariadb-server; `up` installs what is missing.

What differs from a cluster on purpose: a requeued job waits REQUEUE_WAIT_S instead of two minutes, KILL follows TERM
after 5 s instead of 30 s, and a lost node is noticed in half a minute instead of five. The GPUs are names only: they
are counted, allotted and seen in CUDA_VISIBLE_DEVICES, but cannot compute.
"""

import argparse
import contextlib
import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

DEFAULT_DIR = Path("/var/tmp/routeyard-slurm")
PIDS = "pids.json"
GPUS_PER_NODE = 8
REQUEUE_WAIT_S = 10  # also the time that a step has to start: with 5 s, two cores under 200 busy jobs failed 42 of them
READY_LIMIT_S = 60  # per daemon
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sacctmgr", "sinfo")
INSTALL = "apt-get install -y --no-install-recommends munge mariadb-server slurmdbd slurm-wlm"

Process = tuple[int, int]  # process id, and start time in clock ticks since boot: together they are never used twice


class ClusterError(RuntimeError):
    """The cluster cannot be brought up or taken down; the message says what to do."""


def up(directory: Path | str = DEFAULT_DIR, n_nodes: int = 4) -> dict[str, str]:
    """The environment variables under which SLURM's tools speak to the cluster in `directory`, started if need be.

    Args:
        directory: where the cluster lives; made if missing, and otherwise empty or of an earlier cluster. At most 70
            characters, for the sockets below it have names of limited length.
        n_nodes: emulated nodes, named a1, a2, ..., with GPUS_PER_NODE GPUs each. A running cluster keeps its own.

    Returns:
        {"SLURM_CONF": path}; to be set for every client tool and for submitit.

    Raises:
        ClusterError: not root, packages missing, `directory` in use by something else, or a daemon that does not come
            up in time. In the last case everything is ended again and the logs stay for reading.
    """
    directory = Path(directory).resolve()
    _require_root()
    _require_plain(directory)
    _require_programs()
    directory.mkdir(parents=True, exist_ok=True)
    with _locked(directory):
        if not running(directory):
            if any(directory.iterdir()):
                _clear(directory)
            _record(directory, {})
            nodes = [f"a{i + 1}" for i in range(n_nodes)]
            _write_files(directory, nodes)
            try:
                _start_all(directory, nodes)
            except BaseException:
                _end_all(directory)
                raise
    return {"SLURM_CONF": f"{directory}/slurm.conf"}


def down(directory: Path | str = DEFAULT_DIR) -> None:
    """Ends the daemons and the job processes of the cluster in `directory`, then removes the directory.

    Raises:
        ClusterError: not root, or `directory` is not of a cluster. A directory that is not there is no error.
    """
    directory = Path(directory).resolve()
    if directory.exists():
        _require_root()
        with _locked(directory):
            _clear(directory)
            directory.rmdir()


def running(directory: Path | str = DEFAULT_DIR) -> bool:
    """Whether the cluster in `directory` came up and all its daemons live."""
    directory = Path(directory)
    return (directory / "ready").exists() and all(map(_lives, _recorded(directory).values()))


# Preconditions


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ClusterError("must run as root: slurmd starts jobs as their owner; try again with sudo")


def _require_plain(directory: Path) -> None:
    if not re.fullmatch(r"[\w/.-]{1,70}", str(directory), re.ASCII):
        raise ClusterError(
            f"{directory}: more than 70 characters, or others than letters, digits and /._-, which slurm.conf and the "
            "names of sockets do not bear; choose another directory"
        )


def _require_programs() -> None:
    missing = [program for program in PROGRAMS if not shutil.which(program, path=PATH)]
    if not missing:
        return
    if not shutil.which("apt-get", path=PATH):
        raise ClusterError(f"{', '.join(missing)} not found in {PATH}; on Debian: {INSTALL}")
    print(f"{', '.join(missing)} not found; {INSTALL}", flush=True)
    for command in ("apt-get update", INSTALL):
        result = subprocess.run(
            command.split(), env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, text=True
        )
        if result.returncode:
            raise ClusterError(f"`{command}` failed; do it by hand and try again:\n{result.stderr[-2000:]}")


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One `up` or `down` of a directory at a time, and none of a directory that somebody else prepared."""
    if directory.stat().st_uid != os.geteuid():
        raise ClusterError(f"{directory}: belongs to user {directory.stat().st_uid}; choose a directory of your own")
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


# Files


def _write_files(directory: Path, nodes: list[str]) -> None:
    for folder in ("munge", "database", "log", "run", "state", "gpu", *(f"spool/{node}" for node in nodes)):
        (directory / folder).mkdir(parents=True)
    for gpu in range(GPUS_PER_NODE):
        (directory / f"gpu/gpu{gpu}").symlink_to("/dev/null")  # slurmd insists on a device
    dbd_port, ctld_port, *node_ports = _free_ports(2 + len(nodes))
    host = socket.gethostname().split(".")[0]
    place = f"NodeHostname={host} NodeAddr=127.0.0.1"
    node_lines = [f"NodeName={node} {place} Port={port}" for node, port in zip(nodes, node_ports, strict=True)]
    values = {
        "directory": directory,
        "host": host,
        "nodes": "\n".join(node_lines),
        "dbd_port": dbd_port,
        "ctld_port": ctld_port,
        "requeue_wait_s": REQUEUE_WAIT_S,
        "n_gpus": GPUS_PER_NODE,
    }
    for name in ("slurmdbd.conf", "munge.key"):
        (directory / name).touch(mode=0o600)  # their daemons refuse a file that others can read
    for name in ("slurmdbd.conf", "slurm.conf"):
        (directory / name).write_text((Path(__file__).parent / name).read_text().format_map(values))
    (directory / "munge.key").write_bytes(os.urandom(128))
    gpus = f"{directory}/gpu/gpu[0-{GPUS_PER_NODE - 1}]"
    (directory / "gres.conf").write_text(f"AutoDetect=off\nName=gpu Type=a800 File={gpus}\n")


def _free_ports(n: int) -> list[int]:
    """Free loopback ports below the range that the kernel gives to outgoing connections, which could take one."""
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.SystemRandom().sample(range(10000, 32000), 1000):
            candidate = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                ports.append(port)
            if len(ports) == n:
                return ports
    raise ClusterError(f"{len(ports)} of 1000 ports tried between 10000 and 32000 are free, {n} needed")


# Starting


def _start_all(directory: Path, nodes: list[str]) -> None:
    munge_socket, database_socket = f"{directory}/munge/socket", _environment(directory)["MYSQL_UNIX_PORT"]
    munge_files = [f"--pid-file={directory}/run/munged.pid", f"--seed-file={directory}/run/munged.seed"]
    munge_files += [f"--key-file={directory}/munge.key", f"--socket={munge_socket}"]
    # Forced, for it refuses a socket below a directory that is closed to other users, as those of tests are.
    _start(directory, "munged", "munged", "--foreground", "--force", "--num-threads=10", *munge_files)

    database = ["--no-defaults", "--user=root", f"--datadir={directory}/database", "--innodb-log-file-size=4M"]
    database += ["--innodb-flush-method=nosync"]  # nothing in it outlives the cluster, so it need not wait for the disk
    install = ["mariadb-install-db", "--auth-root-authentication-method=socket", "--skip-test-db", *database]
    if _ask(directory, "mariadbd", *install) is None:
        raise ClusterError(_with_log(directory, "mariadbd", "mariadb-install-db failed"))
    _start(directory, "mariadbd", "mariadbd", *database, "--skip-networking", f"--socket={database_socket}")
    _wait(directory, "mariadbd", lambda: _listens(database_socket) and _listens(munge_socket))

    _start(directory, "slurmdbd", "slurmdbd", "-D")
    add = ("sacctmgr", "-i", "add", "cluster", "routeyard")
    _wait(directory, "slurmdbd", lambda: _ask(directory, "slurmdbd", *add) is not None)

    _start(directory, "slurmctld", "slurmctld", "-D")
    for node in nodes:
        _start(directory, f"slurmd-{node}", "slurmd", "-D", "-N", node)
    states, idle = ("sinfo", "--noheader", "--Node", "--format=%T"), ["idle"] * len(nodes)
    _wait(directory, "slurmctld", lambda: (_ask(directory, "slurmctld", *states) or "").split() == idle)
    (directory / "ready").touch()


def _start(directory: Path, name: str, *command: str) -> None:
    """Starts a daemon that outlives us and is reaped by init; job control keeps bash from making it deaf to INT."""
    background = ["bash", "-c", 'set -m; "$@" >>"$0" 2>&1 </dev/null & echo $!', str(_log(directory, name)), *command]
    shell = subprocess.run(
        background, env=_environment(directory), cwd=directory, start_new_session=True, capture_output=True, text=True
    )
    pid = int(shell.stdout)
    _record(directory, _recorded(directory) | {name: (pid, _start_time(pid) or 0)})


def _wait(directory: Path, name: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while not condition():
        for daemon, process in _recorded(directory).items():
            if not _lives(process):
                raise ClusterError(_with_log(directory, daemon, f"{daemon} ended"))
        if time.monotonic() > deadline:
            raise ClusterError(_with_log(directory, name, f"{name} not ready in {READY_LIMIT_S} s"))
        time.sleep(0.2)


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


def _ask(directory: Path, daemon: str, *command: str) -> str | None:
    """The output of a tool, or None where it failed or hung; its complaints go to the log of the daemon concerned."""
    with _log(directory, daemon).open("a") as log, contextlib.suppress(subprocess.TimeoutExpired):
        environment = _environment(directory)
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, timeout=30)
        return None if result.returncode else result.stdout
    return None


def _with_log(directory: Path, daemon: str, message: str) -> str:
    log = _log(directory, daemon)
    end = "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
    return f"{message}; the end of {log}:\n{end}"


def _environment(directory: Path) -> dict[str, str]:
    """What daemons and tools see: nothing of a job or of another cluster in which we may happen to run."""
    return {
        "PATH": PATH,
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "SLURM_CONF": f"{directory}/slurm.conf",
        "MYSQL_UNIX_PORT": f"{directory}/run/database.sock",  # slurmdbd.conf has no option for the socket
    }


def _log(directory: Path, daemon: str) -> Path:
    return directory / "log" / f"{daemon}.log"


# Processes


def _recorded(directory: Path) -> dict[str, Process]:
    """The daemons by name, in the order of their start; empty where there is no cluster."""
    path = directory / PIDS
    record = json.loads(path.read_text()) if path.exists() else {}
    return {name: (pid, start) for name, (pid, start) in record.items()}


def _record(directory: Path, processes: dict[str, Process]) -> None:
    new = directory / f"{PIDS}.new"
    new.write_text(json.dumps(processes))
    new.replace(directory / PIDS)


def _start_time(pid: int) -> int | None:
    """Clock ticks from boot to the start of the process, None when it is no longer there; a zombie is not."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in "ZX" else int(fields[18])


def _lives(process: Process) -> bool:
    return _start_time(process[0]) == process[1]


# Ending


def _clear(directory: Path) -> None:
    """Ends the cluster and empties its directory, the record last: a second try can go on where this one broke."""
    if not (directory / PIDS).exists():
        raise ClusterError(f"{directory}: not empty and not of a cluster, for it has no {PIDS}; nothing was removed")
    _end_all(directory)
    for path in sorted(directory.iterdir(), key=lambda path: path == directory / PIDS):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _end_all(directory: Path) -> None:
    """Ends controller, nodes and jobs, then what these need: accounts, database, munge."""
    daemons = _recorded(directory)
    infrastructure = [daemons.pop(name) for name in ("slurmdbd", "mariadbd", "munged") if name in daemons]
    _end([*daemons.values(), *_job_processes(directory)])  # together, for a slurmd waits for a step that it cancels
    _end(_job_processes(directory))  # what was started in between
    for process in infrastructure:
        _end([process])


def _end(processes: list[Process], patience_s: float = 5) -> None:
    """TERM, patience, KILL; a process id that by now is another process is left alone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in filter(_lives, processes):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process[0], number)
        deadline = time.monotonic() + patience_s
        while any(map(_lives, processes)) and time.monotonic() < deadline:
            time.sleep(0.05)
    if living := list(filter(_lives, processes)):
        raise ClusterError(f"processes {[pid for pid, _ in living]} do not end even by KILL; end them, then try again")


def _job_processes(directory: Path) -> list[Process]:
    """The job steps of this cluster, the processes of its jobs, also those that broke away, and all they started."""
    parents: dict[int, int] = {}
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            pid = int(entry.name)
            parents[pid] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            # A step inherits slurmd's directory, which is ours. A job's process has both variables, a client just one.
            is_step = (entry / "comm").read_text() == "slurmstepd\n" and (entry / "cwd").readlink() == directory
            environment = (entry / "environ").read_bytes().split(b"\0")
            is_ours = f"SLURM_CONF={directory}/slurm.conf".encode() in environment
            if is_step or (is_ours and any(variable.startswith(b"SLURM_JOB_ID=") for variable in environment)):
                found.add(pid)
    while started := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= started
    return [(pid, start) for pid in found - {os.getpid()} if (start := _start_time(pid))]


# Command line


def main() -> int:
    """The exit status of the command: 0 done, 1 (of `status`) some daemon is dead, 2 not possible or no cluster."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["up", "down", "status"])
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIR, help="where the cluster lives (default: %(default)s)")
    parser.add_argument("--nodes", type=int, default=4, help="emulated nodes for `up` (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        if arguments.action == "status":
            return _print_status(arguments.dir.resolve())
        if arguments.action == "down":
            down(arguments.dir)
            return 0
        state = "was already up" if running(arguments.dir) else "is up"
        environment = up(arguments.dir, arguments.nodes)
    except ClusterError as error:
        print(f"cluster.py: {error}", file=sys.stderr)
        return 2
    print(f"# The cluster {state}; for this shell:")
    print("\n".join(f"export {name}={value}" for name, value in environment.items()))
    return 0


def _print_status(directory: Path) -> int:
    daemons = _recorded(directory)
    for name, process in daemons.items():
        print(f"{name:<10} {process[0]:>8} {'lives' if _lives(process) else 'dead'}")
    if not daemons:
        print(f"no cluster in {directory}")
        return 2
    return subprocess.run(["sinfo"], env=_environment(directory)).returncode if running(directory) else 1


if __name__ == "__main__":
    sys.exit(main())
