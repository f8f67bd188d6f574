"""The progress of a collection as one table, model x benchmark: live while following, once for a status."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.table import Table
from rich.text import Text

from jobs.executor import TaskStatus
from jobs.progress import Progress, Watch
from jobs.task import CollectTask
from launch.collect_plan import model_of
from launch.follow import console, print_changes

_REFRESH_S = 5.0
_MARGIN = 78  # columns that are not benchmarks


@contextmanager
def following_progress(tasks: dict[str, CollectTask], watch: Watch) -> Iterator[Callable[[list[TaskStatus]], None]]:
    """A callback for `jobs.executor.follow` that shows the table while the block runs; plain lines in a log."""
    seen: dict[str, str] = {}
    shown_at = float("-inf")
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def show(statuses: list[TaskStatus]) -> None:
            nonlocal shown_at
            changed = print_changes("collect", statuses, seen)
            if console.is_terminal and (changed or time.monotonic() - shown_at > _REFRESH_S):
                shown_at = time.monotonic()
                live.update(progress_table(tasks, watch.read(tasks), statuses), refresh=True)

        yield show


def progress_table(
    tasks: dict[str, CollectTask], state: dict[str, dict[str, Progress]], statuses: list[TaskStatus]
) -> Table:
    """One row per model; a column per benchmark where the terminal is wide enough.

    Cells: ✓ complete, 37% of the answers there, bright where a worker is at it, !3 recorded failures, ? unusable rows.
    """
    benchmarks = list(dict.fromkeys(name for pairs in state.values() for name in pairs))
    is_wide = console.width >= _MARGIN + sum(max(len(name), 5) + 2 for name in benchmarks)
    table = Table(box=None, pad_edge=False)
    for title in ("model", "answered", "failed", "running", "missing", "tokens/s", "left"):
        table.add_column(title, justify="left" if title == "model" else "right", no_wrap=True, overflow="ellipsis")
    for name in benchmarks if is_wide else []:
        table.add_column(name, justify="right", no_wrap=True)
    jobs = _jobs(statuses)
    table.add_column("jobs", overflow="fold")
    for model in tasks:
        pairs = state[model]
        cells = [_cell(pairs[name]) if name in pairs else "" for name in benchmarks] if is_wide else []
        table.add_row(model, *_totals(list(pairs.values())), *cells, jobs.get(model, ""))
    if len(tasks) > 1:
        table.add_section()
        totals = _totals([pair for pairs in state.values() for pair in pairs.values()])
        table.add_row("all", *totals, *([""] * len(benchmarks) if is_wide else []), "")
    return table


def _totals(pairs: list[Progress]) -> list[str]:
    """Answered, failed, running (missing and claimed), missing (neither), tokens per second, time left."""
    answered, failed, missing = (sum(getattr(pair, f"n_{name}") for pair in pairs) for name in
                                 ("answered", "failed", "missing"))  # fmt: skip
    running = sum(pair.n_claimed for pair in pairs)
    rate, tokens = sum(pair.rate for pair in pairs), sum(pair.tokens_expected for pair in pairs)
    return [
        f"{answered:,}",
        f"[yellow]{failed:,}[/yellow]" if failed else "0",
        f"[cyan]{running:,}[/cyan]" if running else "0",
        f"[red]{missing - running:,}[/red]" if missing - running else "0",
        f"{rate:,.0f}" if rate and missing else "",
        _duration(tokens / rate) if rate and missing else "",
    ]


def _cell(pair: Progress) -> Text:
    if pair.problem and not pair.n_answered:
        return Text("?", "red")
    n_there = pair.n_expected - pair.n_missing
    if not pair.n_missing:
        cell = Text("✓", "green")
    elif not n_there and not pair.owners:
        cell = Text("·", "dim")
    else:
        cell = Text(f"{int(100 * n_there / max(1, pair.n_expected))}%", "bold cyan" if pair.owners else "dim")
    if pair.n_failed:
        cell.append(f"!{pair.n_failed}", "yellow")
    return cell


def _jobs(statuses: list[TaskStatus]) -> dict[str, str]:
    """Model -> its open jobs with state and node."""
    words: dict[str, list[str]] = {}
    for task in statuses:
        if task.is_open and task.job_id:
            where = f"@{task.node}" if task.node else ""
            words.setdefault(model_of(task.name), []).append(
                f"{task.job_id}{where}" if task.state == "running" else f"{task.job_id} waiting"
            )
    return {model: ", ".join(items) for model, items in words.items()}


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d}"
