"""The process that gives birth to the program, once or once per run, and knows nothing worth stealing.

It is forked off before the judge has read the checks, and has Python's common modules loaded, so a run starts within
milliseconds and the memory that a program gets to see holds no expected answer.
"""

import atexit
import builtins
import contextlib
import os
import random
import signal
import socket
import sys
import threading
import traceback
import types
from typing import Any, NoReturn

from scoring.graders.jail import filter, walls
from scoring.graders.jail.remote import Channel, serve
from scoring.graders.jail.system import die_with_parent, hide_memory

_OWN_MODULES = "scoring"
_FILE_NAME = "solution.py"
_N_STREAMS = 3


def nurse(orders: socket.socket, program: str, limits: dict[str, Any], is_only_wall: bool, may_fork: bool) -> NoReturn:
    """Start the program for each order that comes, and report its process id and then its wait status.

    Args:
        orders: carries "serve" or "run" with the program's streams, for "serve" also the channel to the judge.
        program: Python source.
        limits: of `walls.limit`.
        is_only_wall, may_fork: of `filter.install`.
    """
    die_with_parent()
    hide_memory(True)
    os.environ.clear()
    os.environ.update(HOME="/tmp", TMPDIR="/tmp")
    sys.argv[:] = [_FILE_NAME]
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # which Python's start-up file defines
    for name in [name for name in sys.modules if name.split(".")[0] == _OWN_MODULES]:
        del sys.modules[name]
    while True:
        order, streams, _, _ = socket.recv_fds(orders, 64, _N_STREAMS + 1)
        if not order:
            os._exit(0)
        try:
            pid = os.fork()
        except OSError as error:  # the machine's doing
            orders.send(str(error).encode())
            os._exit(1)
        if pid == 0:
            orders.close()
            _be_program(order == b"serve", streams, program, limits, is_only_wall, may_fork)
        for stream in streams:
            os.close(stream)
        orders.send(b"%d" % pid)
        _, status = os.waitpid(pid, 0)
        orders.send(b"%d" % status)


def _be_program(
    is_server: bool, streams: list[int], program: str, limits: dict[str, Any], is_only_wall: bool, may_fork: bool
) -> NoReturn:
    """The rest of the life of the program's process."""
    status = 1
    try:
        die_with_parent()
        os.setsid()
        for number in range(_N_STREAMS):
            os.dup2(streams[number], number)
        channel = Channel(socket.socket(fileno=streams[_N_STREAMS])) if is_server else None
        for stream in streams[:_N_STREAMS]:
            os.close(stream)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        walls.limit(**limits)
        filter.install(is_only_wall, may_fork)
        hide_memory(False)
        random.seed(0)  # the same store gives the same scores
        module = types.ModuleType("solution" if channel else "__main__")
        module.__dict__["__file__"] = _FILE_NAME
        sys.modules[module.__name__] = module

        def start() -> None:
            exec(compile(program, _FILE_NAME, "exec", dont_inherit=True), module.__dict__)

        if channel:
            serve(channel, module.__dict__, start)
            os._exit(0)
        status = _run(start)
    finally:
        os._exit(status)


def _run(start: Any) -> int:
    """Run a program to its end as Python itself would, and give back its exit status."""
    status = 0
    try:
        start()
    except SystemExit as error:
        if error.code is not None:
            status = error.code & 0xFF if isinstance(error.code, int) else 1
    except BaseException as error:
        status = 1
        with contextlib.suppress(BaseException):
            own = error.__traceback__ and error.__traceback__.tb_next  # ours are the first two
            traceback.print_exception(type(error), error, own and own.tb_next, limit=-4)
    for finish in (threading._shutdown, atexit._run_exitfuncs, sys.stdout.flush, sys.stderr.flush):  # type: ignore
        try:
            finish()
        except BaseException:
            status = status or 1
    return status
