"""What SLURM says about array tasks: the only place that asks squeue and sacct."""

import subprocess
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate

_UNFINISHED = {
    "CONFIGURING", "COMPLETING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESIZING", "RUNNING",
    "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED", "SUSPENDED",
}  # fmt: skip

_COLUMNS = (("JobArrayID", 40), ("State", 20), ("RestartCnt", 12), ("NodeList", 200), ("Reason", 80))


@dataclass(frozen=True, slots=True)
class Queued:
    """An unfinished task: state in words (PENDING, RUNNING, …), how often it was restarted, nodes, why it waits."""

    state: str
    restarts: str
    nodes: str
    reason: str = ""


def unfinished(job_ids: Collection[str] | None = None) -> dict[str, Queued] | None:
    """`<array job>_<task>` or `<job>` -> what SLURM knows of it, unfinished ones only; None if it does not answer.

    Args:
        job_ids: only the arrays that these belong to; all by default.
    """
    command = ["squeue", "--noheader", "--array", "--states=all"]
    command += ["-O", ",".join(f"{name}:{width}" for name, width in _COLUMNS)]
    if job_ids is not None:
        command.append(f"--jobs={','.join(sorted({job_id.partition('_')[0] for job_id in job_ids}))}")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode and "Invalid job id" not in answer.stderr:
        return None  # the controller is away; nobody is declared dead for that
    rows = (_cells(line) for line in answer.stdout.splitlines())
    return {job: Queued(state, restarts, nodes, reason)
            for job, state, restarts, nodes, reason in rows if state in _UNFINISHED}  # fmt: skip


def release(job_id: str) -> None:
    """Let a task start again that SLURM holds back since it could not be launched."""
    with suppress(subprocess.TimeoutExpired):  # the controller is away; whoever asked sees that it is still held
        subprocess.run(["scontrol", "release", job_id], capture_output=True, timeout=60, check=False)


def _cells(line: str) -> list[str]:
    ends = list(accumulate(width for _, width in _COLUMNS))
    return [line[start:end].strip() for start, end in zip([0, *ends], ends, strict=False)]


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
