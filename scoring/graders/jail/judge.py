"""The first process of a jail: runs the checks, and reports the verdict.

As the first process of its namespace it cannot be killed or stopped from inside, and with it everything inside ends.
It alone holds the pipe to the outside.
"""

import json
import os
import select
import signal
import socket
import threading
import traceback
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import IO, Any, NoReturn

from scoring.graders.jail.remote import Channel, Peer, ProgramError, describe
from scoring.graders.jail.watch import Watch

_MAX_DETAIL = 300
_CHECKS = "<checks>"


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of the program as a script ended. A negative exit code is the signal that ended it."""

    exit_code: int
    stdout: str
    stderr: str


class JailError(Exception):
    """The machine does not let the program start, which is not the program's doing."""


class Judge:
    """What the checks see as `program`.

    Args:
        orders: to the nursery.
        report: where the verdict goes, as a JSON object.
        watch: ends a step that takes too much.
        output_bytes: the most that the program may say, in one run or as one value.
    """

    def __init__(self, orders: socket.socket, report: IO[bytes], watch: Watch, output_bytes: int):
        self._orders, self._report, self._watch, self._output_bytes = orders, report, watch, output_bytes
        self._peer: Peer | None = None
        self._lock = threading.Lock()

    def step(self) -> None:
        """Begin a new step: the limits of time hold for each."""
        self._watch.begin_step()

    def load(self, name: str) -> Any:
        """What the program defines under that name, for use from here. The first call starts the program.

        Raises:
            ProgramError: it raised, or defines no such name.
            EOFError: it ended.
        """
        if self._peer is None:
            mine, theirs = socket.socketpair()
            with open(os.devnull, "r+b", buffering=0) as null, theirs:
                self._start(b"serve", [null.fileno()] * 3 + [theirs.fileno()])
            self._peer = Peer(Channel(mine), self._output_bytes)
            self._peer.answer()
        return self._peer.ask("get", name)

    def run(self, stdin: str) -> Run:
        """Run the program as a script with that input; a step of its own."""
        self.step()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        with open(os.memfd_create("stdin"), "r+b") as file:
            file.write(stdin.encode(errors="surrogatepass"))
            file.seek(0)
            self._start(b"run", [file.fileno(), out_end, err_end])
        os.close(out_end)
        os.close(err_end)
        output = self._read_all((out, err))
        code = os.waitstatus_to_exitcode(self._ordered())
        return Run(code, *(bytes(part).decode(errors="replace") for part in output))

    def examine(self, checks: str | None, data: Any) -> NoReturn:
        """Run the checks, or the program once where there are none, and report. Does not come back.

        Raises:
            JailError: there is no verdict.
        """
        try:
            if checks is None:
                self._report_run(self.run(data))
            exec(compile(checks, _CHECKS, "exec"), {"__name__": "checks", "program": self, "data": data})
        except EOFError:
            code = os.waitstatus_to_exitcode(self._ordered())
            self.stop("failed", f"ended itself with exit status {code}" if code >= 0 else _signal(code))
        except ProgramError as error:
            self.stop(_status(str(error)), str(error))
        except JailError:
            raise
        except BaseException as error:
            self.stop("failed", _where(error, checks or ""))
        self.stop("passed", "")

    def stop(self, status: str, detail: str, run: Run | None = None) -> NoReturn:
        """Report, and end everything inside."""
        with self._lock:
            verdict = {"status": status, "detail": detail[:_MAX_DETAIL], **(asdict(run) if run else {})}
            self._report.write(json.dumps(verdict).encode() + b"\n")
            self._report.flush()
            os._exit(0)

    def _report_run(self, run: Run) -> NoReturn:
        if run.exit_code == 0:
            self.stop("passed", "", run)
        if run.exit_code < 0:
            self.stop("failed", _signal(run.exit_code), run)
        last = run.stderr.strip().rpartition("\n")[2]
        self.stop(_status(last), last or f"exit status {run.exit_code}", run)

    def _start(self, order: bytes, streams: list[int]) -> None:
        try:
            socket.send_fds(self._orders, [order], streams)
        except OSError:
            self.stop("failed", "killed the process that had started it")
        self._watch.pid = self._ordered()

    def _ordered(self) -> int:
        """The nursery's next word: a process id, or how the process ended."""
        word = self._orders.recv(64)
        if not word:
            self.stop("failed", "killed the process that had started it")
        if not word.isdigit():
            raise JailError(word.decode())
        return int(word)

    def _read_all(self, streams: Iterable[int]) -> list[bytearray]:
        """Read to the end of the program; children that keep the pipes open are not waited for."""
        output = {stream: bytearray() for stream in streams}
        are_open = set(output)
        while are_open:
            streams_and_end: list[Any] = [*are_open, self._orders]
            ready = set(select.select(streams_and_end, [], [])[0])
            if ready == {self._orders}:
                break
            for stream in ready & are_open:
                part = os.read(stream, 1 << 16)
                output[stream] += part
                if not part:
                    are_open.remove(stream)
            if sum(map(len, output.values())) > self._output_bytes:
                self.stop("output", f"more than {self._output_bytes} bytes of output")
        for stream in output:
            os.close(stream)
        return list(output.values())


def _status(reason: str) -> str:
    return "memory" if reason.startswith("MemoryError") else "failed"


def _signal(code: int) -> str:
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _where(error: BaseException, checks: str) -> str:
    """The line of the checks that an exception stopped, and the exception where it says more."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _CHECKS]
    line = checks.split("\n")[lines[-1] - 1].strip() if lines and lines[-1] else ""
    if isinstance(error, AssertionError):
        return str(error) or line
    return f"{describe(error)} at {line}"
