"""Judge many responses: in this process, in processes of this machine, or over the nodes of an allocation.

`judge_chunk` does it on whichever machine; over several nodes Ray calls it on each, for a part of the responses. It
hands them out to processes, a fifth of a second of work at a time. When one dies, what it had is judged once more, each
response by itself: one that is alone with a process when that dies, too, goes without a score, and no other.

Processes are added while responses wait: one at first, then as many again each time that all are at work. A few quick
answers cost the start of one process, hours of programs get every core within seconds. A process hears the scheduler's
warnings without minding them, and dies with the one that started it, and with it all that it has started.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

from jobs.attempt import n_cores
from jobs.stop import held_back
from scoring.graders.jail.system import die_with_parent
from store.errors import RouteyardError
from store.records import Query, Score

Row = tuple[Query, str]  # a query, and the text of a response to it
Judge = Callable[[Query, str], Score]
Judged = Score | str  # or why there is no score
Judging = Callable[[Sequence[Row]], Iterator[tuple[int, Judged]]]  # gives the place of each row with what came of it

_COMMAND = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from jobs.grading import serve; serve()"
_ADD_AFTER_S = 0.2
_HAND_OUT_S = 0.2  # work handed to a process at a time, and
_MOST_ROWS = 256
_ENDS_WITHIN_S = 5.0
_CHUNKS_PER_NODE = 4
_FEWEST_ROWS = 64


class GradingError(RouteyardError):
    """The processes that judge do not start: a broken installation, not a property of a response."""


@contextmanager
def judging(judge: Judge, n_processes: int | None = 1, n_nodes: int = 1) -> Iterator[Judging]:
    """A function that judges rows, for as long as the block runs. What it gives comes in any order.

    Args:
        judge: picklable, unless it runs in this process.
        n_processes: on each node; 1 is this process, None one for each core that the task has.
        n_nodes: more than 1 only inside `jobs.ray_cluster.ray_cluster`.
    """
    if n_nodes > 1:
        with _ray():
            yield partial(_over_nodes, judge, n_processes, n_nodes)
    elif n_processes == 1:
        yield lambda rows: ((place, attempted(judge, *row)) for place, row in enumerate(rows))
    else:
        processes = _Processes(judge, n_processes or n_cores())
        try:
            yield processes.judge
        finally:
            processes.end()


def judge_chunk(judge: Judge, rows: Sequence[Row], n_processes: int | None) -> list[Judged]:
    """What comes of each row, in their order."""
    with judging(judge, n_processes) as judge_rows:
        found = dict(judge_rows(rows))
    return [found[place] for place in range(len(rows))]


def attempted(judge: Judge, query: Query, text: str) -> Judged:
    """The score of a response, or what its grader raised."""
    try:
        return judge(query, text)
    except Exception as error:  # costs this response, not the others
        return " ".join(f"{type(error).__name__}: {error}".split())


@contextmanager
def _ray() -> Iterator[None]:
    import ray

    ray.init(log_to_driver=False)  # finds the cluster by RAY_ADDRESS
    try:
        yield
    finally:
        ray.shutdown()


def _over_nodes(
    judge: Judge, n_processes: int | None, n_nodes: int, rows: Sequence[Row]
) -> Iterator[tuple[int, Judged]]:
    """One call at a time on each node; Ray makes those of a lost node again on another."""
    import ray

    n_rows = max(_FEWEST_ROWS, ceil(len(rows) / (n_nodes * _CHUNKS_PER_NODE)))
    call = ray.remote(num_cpus=1)(judge_chunk)
    waiting, under_way = deque(range(0, len(rows), n_rows)), dict[Any, int]()
    while waiting or under_way:
        while waiting and len(under_way) < 2 * n_nodes:  # not all at once, for their texts would fill Ray's memory
            at = waiting.popleft()
            under_way[call.remote(judge, rows[at : at + n_rows], n_processes)] = at
        (done,), _ = ray.wait(list(under_way), num_returns=1)
        try:
            yield from enumerate(ray.get(done), under_way.pop(done))
        except ray.exceptions.RayError as error:
            raise GradingError(f"on another node: {str(error).strip().splitlines()[-1]}") from error


@dataclass(slots=True)
class _Process:
    """A process that judges.

    Attributes:
        process, connection: to it.
        is_ready: it has started.
        places: of the rows that it has.
        since: when it got them.
        n_rows: how many it gets at a time.
    """

    process: subprocess.Popen[bytes]
    connection: Connection
    is_ready: bool = False
    places: list[int] = field(default_factory=list)
    since: float = 0.0
    n_rows: int = 1


class _Processes:
    """Up to so many processes, kept from one call of `judge` to the next."""

    def __init__(self, judge: Judge, n_processes: int):
        self._judge, self._n_processes = judge, n_processes
        self._all: list[_Process] = []
        self._changed_at = 0.0

    def judge(self, rows: Sequence[Row]) -> Iterator[tuple[int, Judged]]:
        """The place of each row with what came of it, as it comes.

        Raises:
            GradingError: no process starts.
        """
        waiting, n_deaths = deque(range(len(rows))), Counter[int]()
        while waiting or any(one.places for one in self._all):
            for one in self._all:
                if waiting and one.is_ready and not one.places:
                    self._hand_out(one, rows, waiting, n_deaths)
            self._add(len(waiting))
            ready = wait([one.connection for one in self._all], timeout=_ADD_AFTER_S)
            for one in [one for one in self._all if one.connection in ready]:
                try:
                    answer = one.connection.recv()
                except (EOFError, ConnectionResetError):
                    yield from self._bury(one, waiting, n_deaths)
                else:
                    yield from zip(one.places, answer, strict=True)
                    self._learn(one)

    def end(self) -> None:
        """End them all."""
        while self._all:
            self._end(self._all[0])

    def _add(self, n_waiting: int) -> None:
        """Start as many again if rows wait and all have been at work for a while."""
        if any(not one.places for one in self._all) or time.monotonic() - self._changed_at < _ADD_AFTER_S:
            return
        n_more = min(n_waiting, max(1, len(self._all)), self._n_processes - len(self._all))
        self._all += [_start(self._judge) for _ in range(n_more)]
        self._changed_at = time.monotonic()

    def _hand_out(self, one: _Process, rows: Sequence[Row], waiting: deque[int], n_deaths: Counter[int]) -> None:
        is_suspect = n_deaths[waiting[0]] > 0  # those that are stand first
        n_rows = 1 if is_suspect else max(1, min(one.n_rows, len(waiting) // (2 * len(self._all))))
        one.places = [waiting.popleft() for _ in range(n_rows)]
        one.since = time.monotonic()
        with suppress(ConnectionError):  # it is dead, and the next look at it shows that
            one.connection.send([rows[place] for place in one.places])

    def _learn(self, one: _Process) -> None:
        """Note that a process has started; or that it is done, and so how much it does at a time."""
        if not one.is_ready:
            one.is_ready, self._changed_at = True, time.monotonic()
            return
        took_s = time.monotonic() - one.since
        if took_s < _HAND_OUT_S / 2:
            one.n_rows = min(_MOST_ROWS, 2 * one.n_rows)
        elif took_s > 2 * _HAND_OUT_S:
            one.n_rows = max(1, one.n_rows // 2)
        one.places = []

    def _bury(self, one: _Process, waiting: deque[int], n_deaths: Counter[int]) -> Iterator[tuple[int, Judged]]:
        """Take what a dead process had back, or give it up."""
        with suppress(subprocess.TimeoutExpired):
            one.process.wait(_ENDS_WITHIN_S)  # to know how
        code = self._end(one)
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
        if not one.is_ready:
            raise GradingError(f"a process that judges {how} before it began; it says why on its standard error")
        n_deaths.update(one.places)
        for place in reversed(one.places):
            if len(one.places) == 1 and n_deaths[place] > 1:
                yield place, f"its process {how}"
            else:
                waiting.appendleft(place)

    def _end(self, one: _Process) -> int:
        self._all.remove(one)
        one.connection.close()
        one.process.kill()
        return one.process.wait()


def _start(judge: Judge) -> _Process:
    mine, theirs = Pipe()
    # One order of sets in all of them, whatever their number.
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    with held_back(), theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND, json.dumps(sys.path)],
            stdin=theirs.fileno(), env=environment, start_new_session=True,
        )  # fmt: skip
    with suppress(ConnectionError):
        mine.send(judge)
    return _Process(process, mine)


def serve() -> None:
    """The life of a process that judges: rows in, what comes of them out, until its parent is gone."""
    die_with_parent()
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # meant for its parent; all that it starts ignores them, too
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # they were held back until here
    connection = Connection(os.dup(0))
    with open(os.devnull, "rb") as null:
        os.dup2(null.fileno(), 0)
    judge = connection.recv()
    connection.send(())
    with suppress(EOFError):
        while True:
            connection.send([attempted(judge, *row) for row in connection.recv()])
