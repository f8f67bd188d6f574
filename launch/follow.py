"""Follow tasks: a live table on a terminal, one plain line per event in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from jobs.executor import TaskStatus

_COLOURS = {"waiting": "dim", "running": "cyan", "done": "green", "failed": "red", "retried": "yellow"}
_REFRESH_S = 2.0

console = Console()
if not console.is_terminal:
    console = Console(width=160)  # a log has room; the 80 columns assumed otherwise cut names off


@contextmanager
def following(
    title: str, note: Callable[[TaskStatus], str] = lambda task: ""
) -> Iterator[Callable[[list[TaskStatus]], None]]:
    """A callback for `jobs.executor.run_tasks` that shows the tasks while the block runs.

    Args:
        title: of the table.
        note: what to say about a task beside its state, looked up every two seconds at most.
    """
    seen: dict[str, str] = {}
    shown_at = float("-inf")
    with Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else _Silence() as live:

        def show(tasks: list[TaskStatus]) -> None:
            nonlocal shown_at
            changed = print_changes(title, tasks, seen)
            if console.is_terminal and (changed or time.monotonic() - shown_at > _REFRESH_S):
                shown_at = time.monotonic()
                live.update(_table(title, tasks, note), refresh=True)

        yield show


def print_changes(title: str, tasks: list[TaskStatus], seen: dict[str, str]) -> bool:
    """Whether a task has changed its state since the last call; without a terminal each change is a line.

    Args:
        seen: job or name -> state at the last call; brought up to date.
    """
    changed = [task for task in tasks if seen.get(task.job_id or task.name) != task.state]
    for task in changed:
        seen[task.job_id or task.name] = task.state
        if not console.is_terminal and task.state != "waiting":
            where = f" ({task.job_id}{'@' if task.node else ''}{task.node})" if task.state == "running" else ""
            cause = f": {task.cause}" if task.cause else ""
            words = f"{title}: {task.name} {task.state}{where}{cause}"
            console.print(words, soft_wrap=True, highlight=False, markup=False)
    return bool(changed)


class _Silence:
    def __enter__(self) -> "_Silence":
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self, *_: object, **__: object) -> None: ...


def _table(title: str, tasks: list[TaskStatus], note: Callable[[TaskStatus], str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("task", "state", "job", ""):
        table.add_column(column)
    for task in tasks:
        state = f"[{_COLOURS[task.state]}]{task.state}"
        table.add_row(escape(task.name), state, task.job_id, escape(task.cause or note(task)))
    return table


def print_failures(tasks: list[TaskStatus]) -> bool:
    """List the failed tasks with cause and log; True if there is any."""
    failed = [task for task in tasks if task.state == "failed"]
    for task in failed:
        print_failure(f"{task.name}: {task.cause}")
        if task.log:
            console.print(f"       log: {task.log}", soft_wrap=True, highlight=False, markup=False)
    return bool(failed)


def print_failure(words: str, what: str = "failed") -> None:
    """One line about something that failed; words of others, which may look like markup."""
    console.print(f"[red]{what}[/red] {escape(words)}", soft_wrap=True, highlight=False)
