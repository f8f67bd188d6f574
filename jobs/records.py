"""What a worker has finished, on its way into the store: one writer per benchmark; a full disk pauses, never loses."""

import logging
import time
from importlib.metadata import version

from jobs.attempt import Attempt
from jobs.task import CollectTask
from store.errors import StoreError
from store.layout import Layout
from store.records import Response
from store.responses import ResponseWriter

log = logging.getLogger("routeyard.collect")


class Records:
    """The finished responses of one worker to one model's benchmarks.

    Attributes:
        disk_is_full: the last commit failed; its rows wait in memory.
    """

    def __init__(self, task: CollectTask, attempt: Attempt) -> None:
        layout = Layout(task.root)
        made_by = {
            "owner": attempt.owner, "node": attempt.node, "gpus": attempt.gpus,
            "routeyard": version("routeyard"), "started_at": time.time(),
        }  # fmt: skip
        self._model = task.model.name
        self._writers = {
            benchmark.name: ResponseWriter(
                layout, benchmark.name, task.model.name, attempt.writer,
                {"digest": benchmark.digest, "identity": task.metas[benchmark.name], "made_by": made_by},
            )
            for benchmark in task.benchmarks
        }  # fmt: skip
        self.disk_is_full = False

    def append(self, benchmark: str, response: Response) -> None:
        """Take a response into memory; it is not stored before `commit`."""
        self._writers[benchmark].append(response)

    def commit(self) -> None:
        """Store everything; on a full disk keep it and say so."""
        started = time.monotonic()
        try:
            n_rows = sum(writer.commit() for writer in self._writers.values())
        except OSError as error:
            self.disk_is_full = True
            log.error("%s: the store cannot be written (%s); %d responses wait in memory, nothing is lost",
                      self._model, error, self.n_pending)  # fmt: skip
            return
        self.disk_is_full = False
        if n_rows:
            log.info("%s: %d responses stored in %.0f ms", self._model, n_rows, 1e3 * (time.monotonic() - started))

    def commit_when_there_is_room(self, wait_s: float) -> None:
        """Commit, if need be after waiting for room.

        Raises:
            StoreError: there was none in that time.
        """
        until = time.monotonic() + wait_s
        self.commit()
        while self.disk_is_full:
            if time.monotonic() >= until:
                raise StoreError(
                    f"{self._model}: the store's disk is full; {self.n_pending} responses could not be stored and "
                    "will be made again. Free some space and type the same command again."
                )
            time.sleep(min(2.0, wait_s))
            self.commit()

    @property
    def n_pending(self) -> int:
        """Responses that are not stored yet."""
        return sum(writer.n_pending for writer in self._writers.values())
