"""Submit calls as a SLURM job array, as processes of this machine, or run them here; then follow them.

The only file that imports submitit. What runs is the same in all three cases: one picklable call per task.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jobs.cluster import ClusterSpec

State = Literal["waiting", "running", "done", "failed"]
_POLL_S = 1.0
_ASK_SLURM_S = 10.0
_FILES_ARRIVE_WITHIN_S = 15.0  # a result may be seen later than the end of its job, on a shared file system


@dataclass(slots=True)
class TaskStatus:
    """One task as the follower sees it.

    Attributes:
        name: what it works on.
        state: where it stands.
        result: what the call returned, once done.
        cause: one line, once failed.
        job_id: SLURM's or the process's.
        log: file with its output.
    """

    name: str
    state: State = "waiting"
    result: Any = None
    cause: str = ""
    job_id: str = ""
    log: Path | None = None


def run_tasks(
    cluster: ClusterSpec,
    folder: Path,
    job_name: str,
    calls: Mapping[str, Callable[[], Any]],
    *,
    gpus_per_task: int = 0,
    on_poll: Callable[[list[TaskStatus]], None] = lambda tasks: None,
) -> list[TaskStatus]:
    """Run every call and wait for all; a task that fails leaves the others alone.

    Args:
        folder: for pickles and logs, one per submission.
        job_name: of the array.
        calls: task name -> picklable call.
        gpus_per_task: unless the cluster says otherwise.
        on_poll: called about once a second with all tasks. What it raises (Ctrl-C) ends the waiting, not the tasks.

    Raises:
        subprocess.CalledProcessError, FileNotFoundError: SLURM refuses the submission or is not there.
    """
    tasks = [TaskStatus(name) for name in calls]
    if not calls:
        return tasks
    if cluster.executor == "inline":
        for task in tasks:
            _run_here(task, calls[task.name])
            on_poll(tasks)
        return tasks
    run = _run_on_slurm if cluster.executor == "slurm" else _run_locally
    for _ in run(cluster, folder, job_name, calls, tasks, gpus_per_task):
        on_poll(tasks)
        if any(task.state in ("waiting", "running") for task in tasks):
            time.sleep(_POLL_S)
    return tasks


def _run_here(task: TaskStatus, call: Callable[[], Any]) -> None:
    try:
        task.result, task.state = call(), "done"
    except Exception as error:  # one bad task stays one bad task
        task.cause, task.state = " ".join(str(error).split()) or type(error).__name__, "failed"


def _run_locally(
    cluster: ClusterSpec, folder: Path, job_name: str, calls: Mapping[str, Callable[[], Any]], tasks: list[TaskStatus],
    gpus_per_task: int,
) -> Iterator[None]:  # fmt: skip
    """At most `max_parallel` processes at a time, in the order of the calls."""
    import submitit

    executor = submitit.LocalExecutor(folder)
    parameters: dict[str, Any] = {"timeout_min": cluster.timeout_min, "signal_delay_s": cluster.signal_delay_s}
    if cluster.setup:
        parameters["setup"] = cluster.setup
    if n_gpus := cluster.gpus_per_worker if cluster.gpus_per_worker is not None else gpus_per_task:
        parameters["gpus_per_node"] = n_gpus
    executor.update_parameters(**parameters)
    jobs: dict[str, Any] = {}
    while True:
        for task in tasks:
            if task.state == "running" and jobs[task.name].done():
                _take_result(task, jobs[task.name], "the process ended without a result")
            if task.state == "waiting" and sum(other.state == "running" for other in tasks) < cluster.max_parallel:
                with _without_interrupts():
                    job = jobs[task.name] = executor.submit(calls[task.name])
                task.state, task.job_id, task.log = "running", job.job_id, job.paths.stderr
        yield
        if all(task.state in ("done", "failed") for task in tasks):
            return


def _run_on_slurm(
    cluster: ClusterSpec, folder: Path, job_name: str, calls: Mapping[str, Callable[[], Any]], tasks: list[TaskStatus],
    gpus_per_task: int,
) -> Iterator[None]:  # fmt: skip
    """One job array; the result files say who is done, squeue every ten seconds who still lives."""
    import submitit

    executor = submitit.SlurmExecutor(folder, max_num_timeout=1_000_000)
    executor.update_parameters(**slurm_parameters(cluster, job_name, gpus_per_task))
    with executor.batch():
        jobs = [executor.submit(call) for call in calls.values()]
    for task, job in zip(tasks, jobs, strict=True):
        task.job_id, task.log = job.job_id, job.paths.stderr
    alive: dict[str, str] = {}
    gone_since: dict[str, float] = {}
    asked_at = float("-inf")
    while True:
        if time.monotonic() - asked_at > _ASK_SLURM_S:
            alive, asked_at = _states(jobs), time.monotonic()
        for task, job in zip(tasks, jobs, strict=True):
            if task.state in ("done", "failed"):
                continue
            if job.paths.result_pickle.exists():
                _take_result(task, job, "the job ended without a result")
            elif job.job_id in alive:
                task.state = "waiting" if alive[job.job_id] == "PENDING" else "running"
                gone_since.pop(job.job_id, None)
            elif time.monotonic() - gone_since.setdefault(job.job_id, time.monotonic()) > _FILES_ARRIVE_WITHIN_S:
                task.state, task.cause = "failed", f"SLURM: {_final_state(job.job_id)}"
        yield
        if all(task.state in ("done", "failed") for task in tasks):
            return


def slurm_parameters(cluster: ClusterSpec, job_name: str, gpus_per_task: int) -> dict[str, Any]:
    """Parameters of submitit's SLURM executor for one array."""
    n_gpus = cluster.gpus_per_worker if cluster.gpus_per_worker is not None else gpus_per_task
    parameters: dict[str, Any] = {
        "job_name": job_name,
        "time": cluster.timeout_min,
        "nodes": 1,
        "ntasks_per_node": 1,
        "array_parallelism": cluster.max_parallel,
        "signal_delay_s": cluster.signal_delay_s,
    }
    if n_gpus:
        parameters["gpus_per_node"] = n_gpus
    if cluster.cpus_per_task:
        parameters["cpus_per_task"] = cluster.cpus_per_task
    if cluster.setup:
        parameters["setup"] = list(cluster.setup)
    parameters |= cluster.slurm
    # A node that dies or a preemption brings the task back; the log of an earlier attempt is kept.
    parameters["additional_parameters"] = {"requeue": True, **parameters.get("additional_parameters", {})}
    return parameters


def _take_result(task: TaskStatus, job: Any, nothing: str) -> None:
    """Result or cause of an ended job."""
    try:
        outcome, value = job._get_outcome_and_result()  # raises if there is no result file
    except Exception:  # submitit raises UncompletedJobError with pages of log; the log file has them
        task.state, task.cause = "failed", nothing
        return
    if outcome == "success":
        task.state, task.result = "done", value
    else:
        task.state, task.cause = "failed", _last_error(value)


def _last_error(trace: str) -> str:
    """The message of a traceback's exception on one line, without the exception's class."""
    lines = trace.strip().splitlines()
    # The message follows the last indented line, the source of the innermost frame.
    frames = [at for at, line in enumerate(lines) if line.startswith((" ", "\t"))]
    text = " ".join(" ".join(lines[frames[-1] + 1 if frames else 0 :]).split())
    name, separator, message = text.partition(": ")
    return message if separator and "." in name and " " not in name else text


def _states(jobs: list[Any]) -> dict[str, str]:
    """Array task -> state, of those SLURM knows as unfinished."""
    arrays = ",".join(sorted({job.job_id.partition("_")[0] for job in jobs}))
    command = ["squeue", "--noheader", "--array", f"--jobs={arrays}", "-O", "JobArrayID:40,State:20"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return {job.job_id: "UNKNOWN" for job in jobs}
    if answer.returncode and "Invalid job id" not in answer.stderr:
        return {job.job_id: "UNKNOWN" for job in jobs}  # the controller is away; nobody is declared dead for that
    rows = (line.split() for line in answer.stdout.splitlines())
    over = {"CANCELLED", "COMPLETED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE", "BOOT_FAIL"}
    return {row[0]: row[1] for row in rows if len(row) == 2 and row[1] not in over}


def _final_state(job_id: str) -> str:
    """How a job ended, as accounting knows it."""
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


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C at the terminal reaches this process and not the ones started meanwhile: it detaches."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # children inherit "ignored" across exec
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
