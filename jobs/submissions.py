"""What was submitted, and what of it still runs: found again from any node, by anybody who can read the store.

Every run's folder has a `jobs.json`; status, cancel and a second `collect` read them all.
"""

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from jobs.attempt import process_start
from jobs.squeue import Queued, unfinished
from store.atomic import write_file
from store.errors import RouteyardError
from store.layout import Layout

_FILE = "jobs.json"


@dataclass(slots=True)
class Submission:
    """One task that was handed over.

    Attributes:
        name: what it works on.
        kind: slurm, local or inline.
        folder: of the run: pickles, logs, configuration.
        job_name: of the submission it belongs to.
        job_id: SLURM's or the process's, "" before it has one.
        started: of a process: its start in clock ticks since boot, which with the id is never used twice.
        log: its output.
        host: whose process it is.
    """

    name: str
    kind: str
    folder: Path
    job_name: str
    job_id: str = ""
    started: int | None = None
    log: Path | None = None
    host: str = os.uname().nodename

    @property
    def lives_here(self) -> bool:
        """Whether it is a process of this machine that still runs."""
        return (
            self.kind == "local"
            and self.host == os.uname().nodename
            and process_start(int(self.job_id)) == self.started
        )


def write_submissions(folder: Path, submissions: Sequence[Submission]) -> None:
    """Record what a run has submitted so far, beside what other submissions of the run have recorded."""
    known = {one.job_id: one for one in _read(folder / _FILE)} | {one.job_id: one for one in submissions}
    write_file(folder / _FILE, orjson.dumps(list(known.values()), default=str, option=orjson.OPT_INDENT_2))


def live_submissions(layout: Layout, job_name: str | None = None) -> list[tuple[Submission, Queued]]:
    """What this store's runs have submitted and what still lives, each with what is known of it.

    Args:
        job_name: only what was submitted under it.

    Raises:
        RouteyardError: SLURM does not answer, so nobody knows.
    """
    found = [one for path in sorted(layout.runs.glob(f"*/{_FILE}")) for one in _read(path)]
    found = [one for one in found if job_name in (None, one.job_name)]
    queue = unfinished() if any(one.kind == "slurm" for one in found) else {}
    if queue is None:
        raise RouteyardError("SLURM does not answer (squeue); nobody knows what runs. Try again when it is back.")
    live = []
    for one in found:
        if one.lives_here:
            live.append((one, Queued("RUNNING", "0", one.host)))
        elif one.kind == "slurm" and one.job_id in queue and queue[one.job_id].state != "COMPLETING":
            live.append((one, queue[one.job_id]))
    return live


def cancel(submissions: Sequence[Submission]) -> None:
    """Tell exactly these to end: workers commit, free their claims and leave.

    Raises:
        RouteyardError: SLURM refuses or does not answer.
    """
    on_slurm = [one.job_id for one in submissions if one.kind == "slurm"]
    if on_slurm:
        try:
            answer = subprocess.run(["scancel", *on_slurm], capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            raise RouteyardError("scancel: SLURM's controller does not answer; try again once it does") from None
        if answer.returncode:
            raise RouteyardError(f"scancel: {' '.join(answer.stderr.split())}")
    for one in submissions:
        if one.lives_here:
            for pid in _controllers(int(one.job_id)):
                os.kill(pid, signal.SIGTERM)


def _controllers(pid: int) -> list[int]:
    """submitit's process that passes signals on to the worker: itself, or below the shell of the setup lines."""
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children] if name in ("sh", "bash") else [pid]


def _read(path: Path) -> list[Submission]:
    try:
        rows = orjson.loads(path.read_bytes())
        return [
            Submission(**{**row, "folder": Path(row["folder"]), "log": row["log"] and Path(row["log"])}) for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []  # of another version, or damaged: its jobs go on, only not found here
