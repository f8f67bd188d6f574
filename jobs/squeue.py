"""What SLURM says about array tasks: the only place that asks squeue and sacct."""

import subprocess
from collections.abc import Collection
from dataclasses import dataclass

_UNFINISHED = {
    "CONFIGURING", "COMPLETING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESIZING", "RUNNING",
    "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED", "SUSPENDED",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Queued:
    """An unfinished task: its state in words (PENDING, RUNNING, …), how often it was restarted, its nodes."""

    state: str
    restarts: str
    nodes: str


def unfinished(job_ids: Collection[str] | None = None) -> dict[str, Queued] | None:
    """`<array job>_<task>` or `<job>` -> what SLURM knows of it, unfinished ones only; None if it does not answer.

    Args:
        job_ids: only the arrays that these belong to; all by default.
    """
    command = ["squeue", "--noheader", "--array", "--states=all"]
    command += ["-O", "JobArrayID:40,State:20,RestartCnt:12,NodeList:200"]
    if job_ids is not None:
        command.append(f"--jobs={','.join(sorted({job_id.partition('_')[0] for job_id in job_ids}))}")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode and "Invalid job id" not in answer.stderr:
        return None  # the controller is away; nobody is declared dead for that
    rows = (line.split() for line in answer.stdout.splitlines())
    return {row[0]: Queued(row[1], row[2], row[3] if len(row) > 3 else "")
            for row in rows if len(row) >= 3 and row[1] in _UNFINISHED}  # fmt: skip


def final_state(job_id: str) -> str:
    """How a job ended, as accounting knows it, in words."""
    command = [
        "sacct",
        "--noheader",
        "--parsable2",
        "-X",
        "--duplicates",
        "-j",
        job_id,
        "-o",
        "State,ExitCode,NodeList",
    ]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split("\n")
    except (OSError, subprocess.SubprocessError):
        return "ended without a result (no accounting)"
    rows = [line for line in answer if line]
    if not rows:
        return "ended without a result (unknown to accounting)"
    state, exit_code, node = rows[-1].split("|")
    return f"{state}, exit code {exit_code}, on {node}"
