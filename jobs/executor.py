"""Submit calls as a SLURM job array, as processes of this machine, or run them here; then follow them.

The only file that imports submitit. What runs is the same in all three cases: one picklable call per task. What was
submitted is written into the run's folder (`jobs.json`), so that anybody can find it again: `jobs.submissions`.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jobs.attempt import process_start
from jobs.cluster import ClusterSpec
from jobs.squeue import Queued, final_state, release, unfinished
from jobs.submissions import Submission, write_submissions
from store.errors import RouteyardError

State = Literal["waiting", "running", "done", "failed", "retried"]
# -P: a folder called `store` or `configs` where the command is typed must not hide ours.
_PYTHON = f"{shlex.quote(sys.executable)} -P"
_POLL_S = 1.0
_ASK_SLURM_S = 10.0
_NOT_LAUNCHED = "launch failed"  # a node failed at the start of a task; SLURM then holds it until somebody releases it
_MOST_RELEASES = 10
_GPUS_ONLY = ("gres", "mem_per_gpu", "cpus_per_gpu", "gpus_per_node", "gpus_per_task")  # refused without a GPU
_FILES_ARRIVE_WITHIN_S = 15.0  # a result may be seen later than the end of its job, on a shared file system


class SubmissionError(RouteyardError):
    """SLURM refuses the jobs or is not there; the message has its words."""


@dataclass(slots=True)
class TaskStatus:
    """One task as the follower sees it.

    Attributes:
        name: what it works on.
        state: where it stands; "retried" has failed and is tried again as another task.
        result: what the call returned, once done.
        cause: one line, once failed.
        job_id: SLURM's or the process's.
        log: file with its output.
        node: where it runs or ran.
        call, n_gpus: what it runs and on how many GPUs of a node, for one that was submitted here.
        place: of this machine's places for such tasks, counted from 0.
    """

    name: str
    state: State = "waiting"
    result: Any = None
    cause: str = ""
    job_id: str = ""
    log: Path | None = None
    node: str = ""
    call: Callable[[], Any] | None = field(default=None, repr=False)
    n_gpus: int = 0
    place: int = -1
    submission: Submission | None = field(default=None, repr=False)
    n_releases: int = field(default=0, repr=False)
    gone_since: float = field(default=float("inf"), repr=False)
    process: Any = field(default=None, repr=False)

    @property
    def is_open(self) -> bool:
        """Whether it may still bring a result."""
        return self.state in ("waiting", "running")


def run_tasks(
    cluster: ClusterSpec,
    folder: Path,
    job_name: str,
    calls: Mapping[str, Callable[[], Any]],
    *,
    gpus_per_task: int = 0,
    on_poll: Callable[[list[TaskStatus]], None] = lambda tasks: None,
) -> list[TaskStatus]:
    """Submit every call and wait for all; a task that fails leaves the others alone. See `submit` and `follow`."""
    return follow(cluster, submit(cluster, folder, job_name, calls, gpus_per_task=gpus_per_task), on_poll)


def submit(
    cluster: ClusterSpec,
    folder: Path,
    job_name: str,
    calls: Mapping[str, Callable[[], Any]],
    *,
    gpus_per_task: int = 0,
    nodes_per_task: int = 1,
    ranks_per_node: int | None = None,
) -> list[TaskStatus]:
    """Hand the calls over: to SLURM at once, as one array; to this machine when `follow` finds a place free.

    Args:
        folder: for pickles and logs, one per submission.
        job_name: of the array.
        calls: task name -> picklable call.
        gpus_per_task: on each of its nodes, unless the cluster says otherwise.
        nodes_per_task: the call then runs once on each of them,
        ranks_per_node: or so many times, and where one of these ranks fails, all end; the result is that of the first
            one. Only on SLURM.

    Raises:
        SubmissionError: SLURM refuses, or is not there.
    """
    tasks = [
        TaskStatus(
            name, call=call, n_gpus=gpus_per_task, submission=Submission(name, cluster.executor, folder, job_name)
        )
        for name, call in calls.items()
    ]
    if not tasks or cluster.executor != "slurm":
        return tasks
    import submitit

    try:
        executor = submitit.SlurmExecutor(folder, max_num_timeout=1_000_000, python=_PYTHON)
        executor.update_parameters(**slurm_parameters(cluster, job_name, gpus_per_task, nodes_per_task, ranks_per_node))
        with executor.batch():
            jobs = [executor.submit(call) for call in calls.values()]
    except Exception as error:  # submitit raises plain RuntimeErrors and its own FailedJobError with pages around
        raise SubmissionError(f"SLURM takes no jobs: {_sbatch_words(error)}") from error
    for task, job in zip(tasks, jobs, strict=True):
        _started(task, job.job_id)
    write_submissions(folder, [task.submission for task in tasks if task.submission])
    return tasks


def follow(
    cluster: ClusterSpec,
    tasks: list[TaskStatus],
    on_poll: Callable[[list[TaskStatus]], None] = lambda tasks: None,
) -> list[TaskStatus]:
    """Wait until no task is open any more.

    Args:
        tasks: of `submit`, or `attach`ed.
        on_poll: called about once a second with all tasks, to which it may add. What it raises (Ctrl-C) ends the
            waiting, not the tasks.
    """
    queue: dict[str, Queued] | None = {}
    asked_at = float("-inf")
    while True:
        on_slurm = [task.job_id for task in tasks if task.is_open and _kind(task) == "slurm"]
        if on_slurm and time.monotonic() > asked_at + _ASK_SLURM_S:
            queue, asked_at = unfinished(on_slurm), time.monotonic()
        has_run_here = False
        for task in tasks:
            if task.is_open and not has_run_here:
                _advance(cluster, task, tasks, queue)
                has_run_here = _kind(task) == "inline"  # it may have taken long: show it before the next one
        on_poll(tasks)
        if not any(task.is_open for task in tasks):
            return tasks
        if not has_run_here:
            time.sleep(_POLL_S)


def attach(submission: Submission, queued: Queued) -> TaskStatus:
    """The task of an earlier submission that lives (`jobs.submissions.live_submissions`), to be followed again."""
    task = TaskStatus(submission.name, submission=submission)
    _started(task, submission.job_id, submission.started)
    _note_queued(task, queued)
    return task


def slurm_parameters(
    cluster: ClusterSpec, job_name: str, gpus_per_task: int, nodes_per_task: int = 1, ranks_per_node: int | None = None
) -> dict[str, Any]:
    """Parameters of submitit's SLURM executor for one array."""
    n_gpus = _n_gpus(cluster, gpus_per_task)
    parameters: dict[str, Any] = {
        "job_name": job_name,
        "time": cluster.timeout_min,
        "nodes": nodes_per_task,
        "ntasks_per_node": ranks_per_node or 1,
        "array_parallelism": cluster.max_parallel,
        "signal_delay_s": cluster.signal_delay_s,
    }
    if n_gpus:
        parameters["gpus_per_node"] = n_gpus
    if cluster.cpus_per_task:
        parameters["cpus_per_task"] = cluster.cpus_per_task
    if ranks_per_node:
        parameters["srun_args"] = ["--kill-on-bad-exit=1"]  # the other ranks would wait for the one that is gone
    if lines := setup_lines(cluster):
        parameters["setup"] = lines
    parameters |= {key: value for key, value in cluster.slurm.items() if n_gpus or key not in _GPUS_ONLY}
    # A node that dies or a preemption brings the task back; the log of an earlier attempt is kept.
    parameters["additional_parameters"] = {"requeue": True, **parameters.get("additional_parameters", {})}
    return parameters


def setup_lines(cluster: ClusterSpec) -> list[str]:
    """Shell lines before the worker: the cluster's environment, then its own lines."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in cluster.environment.items()]
    return [*exports, *cluster.setup]


def sbatch_script(
    cluster: ClusterSpec, folder: Path, job_name: str, n_tasks: int, gpus_per_task: int, nodes_per_task: int = 1,
    ranks_per_node: int | None = None,
) -> str:  # fmt: skip
    """The script that `submit` would hand to sbatch, to the letter; needs no SLURM here.

    Raises:
        SubmissionError: the cluster's `slurm` options have an unknown one.
    """
    from submitit.slurm.slurm import _make_sbatch_string

    command = f"{_PYTHON} -u -m submitit.core._submit {shlex.quote(str(folder))}"
    parameters = slurm_parameters(cluster, job_name, gpus_per_task, nodes_per_task, ranks_per_node)
    try:
        return _make_sbatch_string(command, folder, map_count=n_tasks if n_tasks > 1 else None, **parameters)
    except TypeError as error:
        raise SubmissionError(f"cluster.slurm: {error}") from None


def _kind(task: TaskStatus) -> str:
    return task.submission.kind if task.submission else ""


def _started(task: TaskStatus, job_id: str, started: int | None = None) -> None:
    """Enter what is known once a task has a job."""
    from submitit.core.utils import JobPaths

    assert task.submission is not None
    task.submission.job_id, task.submission.started = job_id, started
    task.job_id, task.log = job_id, JobPaths(task.submission.folder, job_id).stderr
    task.submission.log = task.log


def _advance(cluster: ClusterSpec, task: TaskStatus, tasks: list[TaskStatus], queue: dict[str, Queued] | None) -> None:
    """Bring one open task's state up to date."""
    from submitit.core.utils import JobPaths

    assert task.submission is not None
    kind = task.submission.kind
    if task.state == "waiting" and not task.job_id:
        if kind == "inline":
            _run_here(task)
        else:
            taken = {other.place for other in tasks if other.state == "running"}
            task.place = next((place for place in range(_n_places(cluster, task)) if place not in taken), -1)
            if task.place >= 0:
                _run_locally(cluster, task, tasks)
        return
    if kind == "local" and _lives(task):
        task.state = "running"
        return
    result = JobPaths(task.submission.folder, task.job_id).result_pickle
    is_queued = kind == "slurm" and (queue is None or task.job_id in queue)
    # A failure of a task that SLURM still knows is of an earlier attempt: it was requeued, and will run again.
    if result.exists() and _take_result(task, result, is_final=not is_queued):
        return
    if is_queued:
        if queue is not None:
            known = queue[task.job_id]
            if known.reason.startswith(_NOT_LAUNCHED) and task.n_releases < _MOST_RELEASES:
                release(task.job_id)
                task.n_releases += 1
            _note_queued(task, known)
        task.gone_since = float("inf")
    else:
        task.gone_since = min(task.gone_since, time.monotonic())
        if time.monotonic() - task.gone_since > (_FILES_ARRIVE_WITHIN_S if kind == "slurm" else 0.0):
            words = f"SLURM: {final_state(task.job_id)}" if kind == "slurm" else "the process ended without a result"
            task.state, task.cause = "failed", words


def _note_queued(task: TaskStatus, known: Queued) -> None:
    task.state, task.node = ("waiting" if known.state == "PENDING" else "running"), known.nodes or task.node


def _run_here(task: TaskStatus) -> None:
    assert task.call is not None
    try:
        task.result, task.state = task.call(), "done"
    except Exception as error:  # one bad task stays one bad task
        task.cause, task.state = " ".join(str(error).split()) or type(error).__name__, "failed"


def _run_locally(cluster: ClusterSpec, task: TaskStatus, tasks: list[TaskStatus]) -> None:
    """Start a process of this machine for a task."""
    import submitit

    assert task.submission is not None
    assert task.call is not None
    folder = task.submission.folder
    executor = submitit.LocalExecutor(folder, python=_PYTHON)
    parameters: dict[str, Any] = {"timeout_min": cluster.timeout_min, "signal_delay_s": cluster.signal_delay_s}
    parameters["setup"] = [_share_of_the_cores(cluster, tasks), *setup_lines(cluster)]
    if gpus := _gpus_here():
        first, n_gpus = task.place * _n_gpus(cluster, task.n_gpus), _n_gpus(cluster, task.n_gpus)
        parameters |= {"gpus_per_node": n_gpus, "visible_gpus": gpus[first : first + n_gpus]}
    executor.update_parameters(**parameters)
    with _without_interrupts():
        job = task.process = executor.submit(task.call)
    _started(task, job.job_id, process_start(int(job.job_id)))
    task.state = "running"
    write_submissions(folder, [other.submission for other in tasks
                               if other.submission and other.job_id and other.submission.folder == folder])  # fmt: skip


def _share_of_the_cores(cluster: ClusterSpec, tasks: list[TaskStatus]) -> str:
    """A shell line: as many threads per process as keep all cores busy, unless somebody has said otherwise.

    Each process would start a thread per core by itself, and threads that wait for one another spin: two k-means side
    by side on two cores took nine times as long as with one thread each.
    """
    n_side_by_side = min(cluster.max_parallel, sum(task.is_open for task in tasks))
    n_threads = max(1, len(os.sched_getaffinity(0)) // n_side_by_side)
    return f"export OMP_NUM_THREADS=${{OMP_NUM_THREADS:-{n_threads}}}"  # OpenBLAS and MKL obey it, too


def _n_gpus(cluster: ClusterSpec, gpus_per_task: int) -> int:
    """What a task that needs so many gets: the cluster's own number if it has one, and none if it needs none."""
    return cluster.gpus_per_worker if gpus_per_task and cluster.gpus_per_worker is not None else gpus_per_task


def _n_places(cluster: ClusterSpec, task: TaskStatus) -> int:
    """How many such tasks may run on this machine at the same time: each has its own GPUs where there are any."""
    n_gpus, n_here = _n_gpus(cluster, task.n_gpus), len(_gpus_here())
    return min(cluster.max_parallel, max(1, n_here // n_gpus)) if n_gpus and n_here else cluster.max_parallel


@cache
def _gpus_here() -> tuple[int, ...]:
    """Numbers of the GPUs this process may use."""
    if visible := os.environ.get("CUDA_VISIBLE_DEVICES"):
        return tuple(int(number) for number in visible.split(",") if number.strip().isdigit())
    try:
        answer = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(range(sum(line.startswith("GPU ") for line in answer.stdout.splitlines())))


def _lives(task: TaskStatus) -> bool:
    assert task.submission is not None
    if task.process is not None:
        return not task.process.done()  # reaps it, too
    return task.submission.lives_here


def _take_result(task: TaskStatus, path: Path, is_final: bool) -> bool:
    """Result or cause of an attempt; False, and nothing is taken, for a failure that is not final."""
    from submitit.core.utils import pickle_load

    try:
        outcome, value = pickle_load(path)
    except Exception:  # a disk that was full, another version of the suite
        outcome, value = "error", f"its result cannot be read: {path}"
    if outcome != "success" and not is_final:
        return False
    if outcome == "success":
        task.state, task.result = "done", value
    else:
        task.state, task.cause = "failed", _last_error(value)
    return True


def _last_error(trace: str) -> str:
    """The message of a traceback's exception on one line, without the exception's class."""
    lines = trace.strip().splitlines()
    # The message follows the last indented line, the source of the innermost frame.
    frames = [at for at, line in enumerate(lines) if line.startswith((" ", "\t"))]
    text = " ".join(" ".join(lines[frames[-1] + 1 if frames else 0 :]).split())
    name, separator, message = text.partition(": ")
    return message if separator and "." in name and " " not in name else text


def _sbatch_words(error: Exception) -> str:
    """What sbatch printed, on one line."""
    lines = [line for line in str(error).splitlines() if "sbatch:" in line]
    return " ".join(lines or [str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__])


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C at the terminal reaches this process and not the ones started meanwhile: it detaches."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # children inherit "ignored" across exec
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
