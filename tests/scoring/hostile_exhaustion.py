"""Programs that try to use the sandbox up, or to break what runs in it.

A program prints ESCAPED if it gets what it wants. CANARY stands for a file outside that must stay as it is, MARK for a
name that no file outside may have afterwards, PARENT for the process id of the test.
"""

# name -> (program, statuses it may end with)
EXHAUSTION = {
    "endless loop that catches signals": (
        """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, lambda *_: None)
    except (OSError, ValueError):
        pass
while True:
    pass
""",
        {"timeout"},
    ),
    "endless loop that swallows every exception": (
        """
def forever():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
forever()
""",
        {"timeout"},
    ),
    "raises its own time limit": (
        """
import resource
for limit in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        raise SystemExit("ESCAPED")
    except (OSError, ValueError):
        pass
while True:
    pass
""",
        {"timeout"},
    ),
    "sleeps": ("import time; time.sleep(1000)", {"timeout"}),
    "waits for input": ("import os, time\nwhile True:\n    os.read(0, 1); time.sleep(1)", {"timeout"}),
    "computes in one long call": ("9 ** 9 ** 9", {"timeout", "memory"}),
    "spreads its computing over processes": (
        """
import os
for _ in range(3):
    os.fork()
while True:
    pass
""",
        {"timeout"},
    ),
    "computes in threads": (
        """
import threading
def work():
    while True:
        pass
for _ in range(4):
    threading.Thread(target=work).start()
""",
        {"timeout"},
    ),
    "fork bomb": ("import os\nwhile True:\n    os.fork()", {"failed", "processes", "timeout"}),
    "fork bomb that tries on": (
        """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
        {"processes", "timeout"},
    ),
    "thread bomb": (
        """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(1000,)).start()
""",
        {"failed", "timeout", "memory"},
    ),
    "memory bomb": ("x = []\nwhile True:\n    x.append(bytearray(1 << 24))", {"memory"}),
    "memory bomb in one step": ("x = bytearray(1 << 40)", {"memory"}),
    "memory bomb that tries on": (
        """
x = []
while True:
    try:
        x.append(bytearray(1 << 24))
    except MemoryError:
        pass
""",
        {"memory", "timeout"},
    ),
    "memory bomb of several processes": (
        """
import os, time
for _ in range(3):
    os.fork()
x = bytearray(b"x" * (200 << 20))
time.sleep(1000)
""",
        {"memory"},
    ),
    "memory that belongs to no process": (
        """
import os
try:
    file = os.memfd_create("x")
    print("ESCAPED")
except OSError:
    pass
import ctypes
if ctypes.CDLL(None).shmget(0, 1 << 30, 0o1600) >= 0:
    print("ESCAPED")
""",
        {"passed"},
    ),
    "big file": (
        """
import os, tempfile
with open(tempfile.mktemp(), "wb") as file:
    while True:
        file.write(b"x" * (1 << 20))
""",
        {"failed"},
    ),
    "fills the disk": (
        """
import errno, os
number = 0
try:
    while number < 10000:
        with open(f"/tmp/MARK{number}", "wb") as file:
            for _ in range(16):
                file.write(b"x" * (1 << 20))
        number += 1
    print("ESCAPED")
except OSError as error:
    print(error.errno == errno.ENOSPC or error)
""",
        {"passed"},
    ),
    "thousands of files": (
        """
try:
    for number in range(100000):
        open(f"MARK{number}", "w").close()
    print("ESCAPED")
except OSError:
    pass
""",
        {"passed"},
    ),
    "opens files without end": ("x = []\nwhile True:\n    x.append(open('/dev/null'))", {"failed"}),
    "huge output": ("while True:\n    print('x' * 100000)", {"output"}),
    "huge errors": ("import sys\nwhile True:\n    print('x' * 100000, file=sys.stderr)", {"output"}),
    "huge output of a child that stays": (
        """
import os
if os.fork() == 0:
    os.setsid()
    while True:
        os.write(1, b"x" * 100000)
import time; time.sleep(1000)
""",
        {"output"},
    ),
    "output that is no text": (
        "import os; os.write(1, bytes(range(256)) * 100); os.write(2, b'\\xff\\x00')",
        {"passed"},
    ),
    "daemon": (
        """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/")
        for number in range(3):
            os.close(number)
        time.sleep(1000)
    os._exit(0)
""",
        {"passed"},
    ),
    "daemon that keeps the output open": (
        """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
print("done")
""",
        {"passed"},
    ),
    "backtracks": ("import re\nre.fullmatch('(a|a|b?)*c', 'a' * 50)", {"timeout"}),
    "writes out a huge number": (
        "import sys\nsys.set_int_max_str_digits(0)\nprint(len(str(7 ** (10 ** 8))))",
        {"timeout", "memory"},
    ),
    "counts without end": ("import itertools\nsum(itertools.count())", {"timeout"}),
    "keeps what a generator without end gives": (
        "import itertools\nx = list(bytes(1 << 20) for _ in itertools.count())",
        {"memory", "timeout"},
    ),
    "unpacks a bomb": (
        """
import zlib
packed = zlib.compress(bytes(1 << 28), 9)
x = [zlib.decompress(packed) for _ in range(8)]
""",
        {"memory"},
    ),
    "fills pipes and sockets": (
        """
import os, socket, time
kept = []
try:
    while True:
        reader, writer = os.pipe()
        kept.append(reader)
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, bytes(1 << 16))
        except BlockingIOError:
            pass
except OSError:
    pass
print(len(kept) < 256 or "ESCAPED")
""",
        {"passed"},
    ),
    "deep recursion": ("def f():\n    return f()\nf()", {"failed"}),
    "very deep recursion": (
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(x):\n    return [f(x)]\nmap(f, [1]).__next__()\n",
        {"failed", "memory", "timeout"},
    ),
    "deep recursion inside the interpreter": (
        """
import sys
sys.setrecursionlimit(10 ** 9)
class A:
    def __repr__(self):
        return repr(self)
repr(A())
""",
        {"failed", "memory", "timeout"},
    ),
    "crashes the interpreter": ("import ctypes\nctypes.string_at(0)", {"failed"}),
    "aborts": ("import os\nos.abort()", {"failed"}),
    "traces itself": (
        """
import sys
def trace(*_):
    return trace
sys.settrace(trace)
sys.setprofile(trace)
while True:
    pass
""",
        {"timeout"},
    ),
    "never lets go of the interpreter": (
        "import sys\nsys.setswitchinterval(1e6)\nsum(range(10 ** 12))",
        {"timeout"},
    ),
    "does not end": (
        """
import atexit, time, threading
threading.Thread(target=time.sleep, args=(1000,)).start()
atexit.register(time.sleep, 1000)
""",
        {"timeout"},
    ),
    "is no Python": ("for for for", {"failed"}),
    "NUL": ("print(1)\x00", {"failed"}),
    "lone surrogate": ("x = '\ud800'", {"failed"}),
    "brackets": ("(" * 100000, {"failed"}),
    "deep expression": ("x = " + "-" * 100000 + "1", {"failed", "memory"}),
    "grows while it is compiled": ("x = ((1,) * 10000,) * 10000\ny = 2 ** 10 ** 8", {"passed", "memory", "timeout"}),
}  # fmt: skip
