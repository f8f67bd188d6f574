"""Decide in a process of its own whether two short mathematical expressions are equal.

Symbolic algebra on model text can run for ever or eat all memory, and its parser ends in `eval`. So the work is done in
one worker process that is kept and used again (about 1 ms a question besides the algebra). The worker arms two timers
of the kernel with their default action before each question: whatever it is doing, it is dead after `CPU_LIMIT_S` of
computing, also when its parent is gone, and the next question starts a new one. Nothing depends on the main thread or
on signal handlers of ours. Computing time counts, so that a busy machine gives the same scores; the wall clock limit is
only there for a worker that cannot compute. What the parser may see is limited by length, characters and names.

Known price: a worker holds about 80 MB, and the first question of a process waits for it to start (1 to 2 s).
"""

import atexit
import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from functools import lru_cache

CPU_LIMIT_S = 5.0
WALL_LIMIT_S = 60.0
MAX_CHARACTERS = 300
_MEMORY_BYTES = 4 << 30

_ALLOWED = re.compile(r"[\w+\-*/^().,!]*")
_FORBIDDEN = re.compile(r"__|\.[^\W\d]")  # attribute access and dunder names
_FUNCTIONS = ("sqrt", "pi", "ln", "re", "im")  # of SymPy's names, those that two letters (or "sqrt") can spell


class SymbolicError(Exception):
    """The worker process cannot be started: a broken installation, not a property of the answer."""


@lru_cache(maxsize=1 << 14)
def is_zero(expression: str) -> bool | None:
    """Whether a plain expression with implicit products, such as "2x-x(2)", simplifies to zero; None if undecided."""
    if len(expression) > 2 * MAX_CHARACTERS or not _ALLOWED.fullmatch(expression) or _FORBIDDEN.search(expression):
        return None
    return _ask(["is_zero", expression])


@lru_cache(maxsize=1 << 14)
def is_verified(gold: str, prediction: str) -> bool | None:
    """Whether math-verify takes the LaTeX prediction for the LaTeX gold answer; None if undecided."""
    if max(len(gold), len(prediction)) > MAX_CHARACTERS:
        return None
    return _ask(["is_verified", gold, prediction])


def _ask(question: list[str]) -> bool | None:
    """The worker's answer; None where the time limit or the memory limit ended it."""
    global _worker
    with _lock:
        for _ in range(2):  # a worker may also die of a signal meant for its parent: then a second one is asked
            if _worker is None:
                _worker = _start()
            answer = _exchange(_worker, question)
            if answer:
                return json.loads(answer)
            if _stop() in (-signal.SIGPROF, -signal.SIGALRM):
                break
    return None


_worker: subprocess.Popen | None = None
_lock = threading.Lock()


def _start() -> subprocess.Popen:
    # -P: the folder of this file has a math.py, which must not stand in for Python's own.
    command = [sys.executable, "-P", "-W", "ignore", __file__]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}  # SymPy's order of terms, and so its answers, depend on it
    pipe = subprocess.PIPE
    worker = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    )
    greeting = worker.stdout.readline() if worker.stdout else b""
    if greeting != b"ready\n":
        reason = greeting.decode(errors="replace").strip() or f"exit status {worker.wait()}"
        worker.kill()
        worker.communicate()
        raise SymbolicError(f"scoring/graders/symbolic.py cannot start its worker: {reason}. Is math-verify installed?")
    return worker


def _exchange(worker: subprocess.Popen, question: list[str]) -> bytes:
    """One line out, one line back; empty where the worker is dead."""
    assert worker.stdin
    assert worker.stdout
    try:
        worker.stdin.write(json.dumps(question).encode() + b"\n")
        worker.stdin.flush()
        return worker.stdout.readline()
    except BrokenPipeError:
        return b""


def _stop() -> int:
    """End the worker and give back its exit status."""
    global _worker
    worker, _worker = _worker, None
    if worker is None:
        return 0
    for pipe in (worker.stdin, worker.stdout):  # an idle worker leaves when its input ends
        with contextlib.suppress(BrokenPipeError):
            if pipe:
                pipe.close()
    try:
        return worker.wait(0.5)
    except subprocess.TimeoutExpired:
        worker.kill()
        return worker.wait()


def _forget() -> None:
    """A forked child must not talk through its parent's pipes."""
    global _worker, _lock
    if _worker is not None:
        _worker.returncode = 0  # not ours to wait for
    _worker, _lock = None, threading.Lock()


def _serve() -> None:
    """The worker's whole life: import, greet, answer one line with one line until the parent closes the pipe."""
    try:
        import math_verify  # noqa: F401
        import sympy  # noqa: F401
    except Exception:
        print(traceback.format_exc(limit=1).strip().splitlines()[-1], flush=True)
        return
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # a scheduler's warning to the parent reaches this process as well
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", flush=True)
    for line in sys.stdin:
        rule, *operands = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT_S)
        signal.setitimer(signal.ITIMER_REAL, WALL_LIMIT_S)
        try:
            answer = bool(_RULES[rule](*operands))
        except Exception:  # whatever a parser or a simplification stumbles over: not shown to be equal
            answer = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(answer), flush=True)


def _simplifies_to_zero(expression: str) -> bool:
    import sympy
    from sympy.parsing import sympy_parser

    names = {name: getattr(sympy, name) for name in ("Symbol", "Integer", "Float", "Rational", "Function", *_FUNCTIONS)}
    names |= {"factorial": sympy.factorial, "factorial2": sympy.factorial2, "__builtins__": {}}
    rules = (*sympy_parser.standard_transformations, sympy_parser.implicit_multiplication_application)
    value = sympy_parser.parse_expr(expression.replace("^", "**"), transformations=rules, global_dict=names)
    return sympy.simplify(value) == 0


def _math_verify(gold: str, prediction: str) -> bool:
    from math_verify import verify

    return verify(_parsed(gold), _parsed(prediction), timeout_seconds=None)


@lru_cache(maxsize=1 << 12)
def _parsed(answer: str) -> list:
    """What math-verify reads in a LaTeX answer. Kept: reading takes longer than comparing, and the gold answers come
    again with every model.
    """
    from math_verify import LatexExtractionConfig, parse

    return parse(f"${answer}$", [LatexExtractionConfig()], parsing_timeout=None)  # type: ignore[arg-type]


_RULES: dict[str, Callable[..., bool]] = {"is_zero": _simplifies_to_zero, "is_verified": _math_verify}

if __name__ == "__main__":
    _serve()
else:
    atexit.register(_stop)
    os.register_at_fork(after_in_child=_forget)
