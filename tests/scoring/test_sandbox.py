"""The sandbox: what a program gets, what hostile ones do not, and that nothing is left of them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_escapes import ESCAPES
from hostile_exhaustion import EXHAUSTION
from hostile_forgeries import FORGERIES

from scoring.graders import sandbox
from scoring.graders.sandbox import Limits, SandboxError, check, in_parallel, run

PROJECT = Path(__file__).parents[2]
ATTACKS = ESCAPES | EXHAUSTION
CHECKS = "expected_answer = 42\nanswer = program.load('answer')\nassert answer() == expected_answer\n"
SMALL = Limits(
    cpu_s=1.0,
    wall_s=3.0,
    memory_bytes=512 << 20,
    output_bytes=1 << 20,
    disk_bytes=32 << 20,
    n_files=500,
    n_processes=12,
)

try:
    ISOLATION = sandbox._isolation()
except SandboxError as error:
    pytest.skip(f"no sandbox on this machine: {error}", allow_module_level=True)
needs_namespaces = pytest.mark.skipif(ISOLATION != "namespaces", reason="this kernel allows this user no namespaces")


@pytest.fixture
def own_processes(tmp_path, monkeypatch):
    """Lists the processes of the jails of this test: forks keep the command line, which holds a name of its own."""
    name = str(tmp_path / "project")
    os.symlink(PROJECT, name)
    sandbox._close()
    monkeypatch.setattr(sandbox, "_PROJECT", name)

    def processes():
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if name.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                pass
        return [pid for pid in found if not sandbox._door or pid != sandbox._door[1].pid]  # it stays for the next one

    yield processes
    sandbox._close()


def limits_for(statuses):
    """Little time on the clock only for programs that may use it up, so that a busy machine fails no test."""
    return SMALL if "timeout" in statuses else replace(SMALL, cpu_s=10.0, wall_s=40.0)


def none_left(processes, within_s=5.0):
    deadline = time.monotonic() + within_s
    while (left := processes()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not left


def test_a_program_reads_its_input_and_its_output_comes_back():
    outcome = run(
        "import sys\nname = input()\nprint('Hello', name, sys.stdin.read())\nprint('!', file=sys.stderr)", "you\nä\n"
    )
    assert (outcome.status, outcome.exit_code) == ("passed", 0)
    assert (outcome.stdout, outcome.stderr) == ("Hello you ä\n\n", "!\n")


@pytest.mark.parametrize(
    ("program", "exit_code", "detail"),
    [
        ("raise SystemExit", 0, ""),
        ("import sys; sys.exit(3)", 3, "exit status 3"),
        ("import sys; sys.exit('no')", 1, "exit status 1"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("import os; os.kill(os.getpid(), 9)", -9, "ended by SIGKILL"),
    ],
)
def test_exit_codes_are_pythons(program, exit_code, detail):
    outcome = run(program)
    assert (outcome.exit_code, outcome.detail) == (exit_code, detail)
    assert (outcome.status == "passed") == (exit_code == 0)


def test_a_script_is_main_and_ends_as_python_ends_it():
    program = """
import atexit, threading, time
atexit.register(print, "at exit")
def late():
    time.sleep(0.1)
    print("thread")
if __name__ == "__main__":
    threading.Thread(target=late).start()
    print("main")
"""
    assert run(program).stdout == "main\nthread\nat exit\n"


def test_numpy_and_the_library_are_there_and_files_can_be_written():
    program = """
import numpy as np, decimal, sqlite3, ssl, multiprocessing, ctypes, tempfile, os
with tempfile.NamedTemporaryFile("w+") as file:
    file.write("x" * 1000)
with multiprocessing.Pool(2) as pool:
    print(sum(pool.map(abs, [-1, -2])), np.linalg.inv(np.eye(2)).sum(), open("/dev/stdin").read())
"""
    assert run(program, "in").stdout == "3 2.0 in\n"


def test_sets_have_one_order():
    program = "print({'a', 'b', 'c', 'd', 'e', 'f', 'g'}, hash('x'))"
    assert run(program).stdout == run(program).stdout


def test_checks_call_what_the_program_defines():
    program = """
import collections
class Node:
    def __init__(self, value): self.value, self.next = value, None
def total(node): return 0 if node is None else node.value + total(node.next)
def count(text): return collections.Counter(text)
def squares(n): return (k * k for k in range(n))
Point = collections.namedtuple("Point", "x y")
def point(): return [Point(1, 2.5), {"a": (None, True)}, {1, 2}, 3j, b"x"]
"""
    checks = """
Node, total, count, squares, point = map(program.load, ("Node", "total", "count", "squares", "point"))
node = Node(1)
node.next = Node(2)
assert total(node) == 3
assert node.next.value == 2
assert count("aab") == {"a": 2, "b": 1}
assert list(squares(3)) == [0, 1, 4]
assert point() == [(1, 2.5), {"a": (None, True)}, {1, 2}, 3j, b"x"]
assert total(Node(data["value"])) == data["value"]
"""
    outcome = check(program, checks, {"value": 7})
    assert outcome.is_passed, outcome


def test_numbers_of_other_kinds_are_numbers():
    program = """
import numpy as np
from decimal import Decimal
from fractions import Fraction
def f(): return [np.int64(3), np.float32(0.5), np.bool_(True), np.float64(2), Decimal("0.5"), Fraction(6, 2)]
"""
    assert check(program, "assert program.load('f')() == [3, 0.5, True, 2.0, 0.5, 3]").is_passed


def test_what_stays_with_the_program_can_be_looked_at():
    program = "import collections\ndef f(n): return collections.deque(range(n))"
    checks = """
f = program.load('f')
assert list(f(2)) == [0, 1]
assert len(f(3)) == 3
assert f(3)[-1] == 2
assert f(1)
assert not f(0)
assert f(1) != [0]
"""
    outcome = check(program, checks)
    assert outcome.is_passed, outcome


def test_a_program_that_draws_lots_gets_the_same_verdict_each_time():
    assert run("import random\nprint(random.random())").stdout == run("import random\nprint(random.random())").stdout


@pytest.mark.parametrize(
    ("program", "detail"),
    [
        ("def answer(): return 41", "assert answer() == expected_answer"),
        ("def answer(): return {}[1]", "KeyError: 1"),
        ("answer = 42", "TypeError: 'int' object is not callable at assert answer() == expected_answer"),
        ("anwser = 42", "NameError: 'answer' is not defined"),
        ("def answer(:", "SyntaxError: "),
    ],
)
def test_a_failure_says_why(program, detail):
    outcome = check(program, CHECKS)
    assert outcome.status == "failed"
    assert outcome.detail.startswith(detail)


def test_limits_of_time_hold_for_each_step():
    program = "import time\ndef work():\n    end = time.process_time() + 0.3\n    while time.process_time() < end: pass"
    checks = "work = program.load('work')\nfor _ in range(3):\n    program.step()\n    work()\n"
    limits = Limits(cpu_s=0.6, wall_s=30)
    assert check(program, checks, limits=limits, n_steps=4).is_passed
    assert check(program, checks.replace("    program.step()\n", ""), limits=limits, n_steps=4).status == "timeout"


def test_runs_within_one_jail_do_not_know_one_another():
    program = (
        "import os, builtins\nprint(len(os.listdir('/proc')) > 0, hasattr(builtins, 'x'), input())\nbuiltins.x = 1"
    )
    checks = "assert [program.run(f'{n}\\n').stdout for n in range(3)] == [f'True False {n}\\n' for n in range(3)]"
    outcome = check(program, checks, n_steps=3)
    assert outcome.is_passed, outcome


def test_programs_are_judged_in_order():
    assert [outcome.stdout for outcome in in_parallel(run, [f"print({n})" for n in range(6)], 2)] == [
        f"{n}\n" for n in range(6)
    ]


@pytest.mark.slow
@needs_namespaces
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_contained(name, own_processes, tmp_path, monkeypatch):
    program, statuses = ATTACKS[name]
    canary = tmp_path / "canary"
    canary.write_text("alive")
    mark = f"mark_{tmp_path.name}_{os.getpid()}"
    monkeypatch.setenv("SECRET_OF_THE_TEST", "1")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{mark}")
        abstract.listen()
        words = {"CANARY": canary, "MARK": mark, "PARENT": os.getpid(), "PORT": server.getsockname()[1]}
        for word, value in words.items():
            program = program.replace(word, str(value))
        bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        try:
            good = "import time\ntime.sleep(0.3)\nprint('well')"
            tasks = [(program, limits_for(statuses)), (good, Limits())]
            hostile, other = in_parallel(lambda task: run(task[0], limits=task[1]), tasks, 2)
            assert bystander.poll() is None
        finally:
            bystander.kill()
            bystander.wait()
    assert hostile.status in statuses, hostile
    assert "ESCAPED" not in hostile.stdout + hostile.detail
    assert other.stdout == "well\n", other
    assert canary.read_text() == "alive"
    assert none_left(own_processes)
    for folder in (
        Path("/"),
        Path("/tmp"),
        Path("/dev/shm"),
        Path("/proc"),
        Path.home(),
        Path.cwd(),
        *map(Path, sys.path),
    ):
        assert not list(folder.glob(f"{mark}*"))


@pytest.mark.parametrize("name", FORGERIES)
def test_a_verdict_cannot_be_forged(name, own_processes):
    limits = Limits(cpu_s=1.0, wall_s=3.0, memory_bytes=1 << 30, output_bytes=1 << 20)
    outcome = check(FORGERIES[name], CHECKS, limits=limits)
    assert outcome.status in {"failed", "timeout", "memory"}, outcome
    assert none_left(own_processes)
    honest = check("def answer(): return 42", CHECKS)
    assert honest.is_passed, honest


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_scorer_leaves_nothing(number, own_processes, tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from scoring.graders import sandbox; sandbox._PROJECT = sys.argv[1]\n"
        "sandbox.run('import os, time\\nos.fork()\\nos.setsid() if os.fork() == 0 else 0\\ntime.sleep(60)')"
    )
    scorer = subprocess.Popen([sys.executable, "-c", script, sandbox._PROJECT])
    try:
        deadline = time.monotonic() + 30
        while len(own_processes()) < 7 and time.monotonic() < deadline:  # the scorer itself among them
            time.sleep(0.05)
        assert len(own_processes()) >= 7
        scorer.send_signal(number)
        scorer.wait()
        assert none_left(own_processes)
    finally:
        scorer.kill()
        scorer.wait()


def signalled(number, processes):
    """What a program that sleeps for a second gives, whose jail and everything in it gets a signal."""
    outcomes = []

    def judge():
        try:
            outcomes.append(run("import time\ntime.sleep(1)\nprint('well')"))
        except SandboxError as error:
            outcomes.append(error)

    thread = threading.Thread(target=judge)
    thread.start()
    deadline = time.monotonic() + 30
    while len(processes()) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    for pid in (*processes(), sandbox._door[1].pid):
        with contextlib.suppress(ProcessLookupError):  # it ended with those before it
            os.kill(pid, number)
    thread.join()
    return outcomes[0]


def test_a_schedulers_warning_does_not_change_a_verdict(own_processes):
    assert signalled(signal.SIGUSR2, own_processes).stdout == "well\n"


@pytest.mark.parametrize("isolation", ["namespaces", "filter"])
def test_a_program_that_is_ended_from_outside_gets_no_verdict(own_processes, isolation, monkeypatch):
    if isolation == "namespaces" != ISOLATION:
        pytest.skip("this kernel allows this user no namespaces")
    monkeypatch.setattr(sandbox, "_isolation", lambda: isolation)
    outcome = signalled(signal.SIGTERM, own_processes)
    assert "told to end" in str(outcome)
    assert run("print(1)").stdout == "1\n"


def test_the_process_that_makes_jails_may_die(own_processes):
    assert run("print(1)").stdout == "1\n"
    sandbox._door[1].kill()
    sandbox._door[1].wait()
    assert run("print(2)").stdout == "2\n"


# Without namespaces the filter is the only wall: no way to write, to signal, to start a process, to reach a network.
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "writes where Python lives",
        "thousands of files",
        "kills everything",
        "kills its parents",
        "sockets",
        "abstract sockets",
        "becomes root",
        "traces another process",
        "mounts and namespaces",
        "starts other programs",
        "memory that belongs to no process",
        "memory bomb",
        "fork bomb",
        "endless loop that catches signals",
        "sleeps",
        "huge output",
        "writes to every open file",
    ],
)
def test_the_filter_alone_contains(name, own_processes, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "_isolation", lambda: "filter")
    program, statuses = ATTACKS[name]
    mark = f"mark_{tmp_path.name}_{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        for word, value in {"MARK": mark, "PARENT": os.getpid(), "PORT": server.getsockname()[1]}.items():
            program = program.replace(word, str(value))
        outcome = run(program, limits=limits_for(statuses))
    assert outcome.status in statuses | {"failed"}, outcome
    assert "ESCAPED" not in outcome.stdout
    assert none_left(own_processes)
    for folder in (Path("/"), Path("/tmp"), Path.cwd(), *map(Path, sys.path)):
        assert not list(folder.glob(f"{mark}*"))
