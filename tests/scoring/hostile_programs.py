"""Programs that try to get out of the sandbox, to use it up, or to be judged better than they are.

In `ATTACKS` a program prints ESCAPED if it gets what it wants. CANARY stands for a file outside that must stay as
it is, MARK for a name that no file outside may have afterwards, PARENT for the process id of the test.
"""

# name -> (program, statuses it may end with)
ATTACKS = {
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
    "writes and deletes outside": (
        """
import os, shutil
for attempt in (lambda: open("CANARY", "w"), lambda: os.remove("CANARY"), lambda: os.rename("CANARY", "CANARY2"),
                lambda: os.truncate("CANARY", 0), lambda: os.chmod("CANARY", 0), lambda: open("CANARY")):
    try:
        attempt()
        print("ESCAPED")
    except OSError:
        pass
for folder in (os.path.dirname("CANARY"), "/root", "/home", "/tmp"):
    shutil.rmtree(folder, ignore_errors=True)
""",
        {"passed"},
    ),
    "writes where Python lives": (
        """
import os, sys
for folder in (*sys.path, "/usr/lib", "/lib", "/", "/proc", "/dev"):
    try:
        open(os.path.join(folder, "MARK"), "w").close()
        if folder not in ("/", "/dev"):
            print("ESCAPED", folder)
    except OSError:
        pass
try:
    open(os.__file__, "a")
    print("ESCAPED")
except OSError:
    pass
""",
        {"passed"},
    ),
    "symbolic links to the outside": (
        """
import os
for target in ("CANARY", "/proc/1/root/CANARY", "/proc/PARENT/root/CANARY", "../../../../../CANARY"):
    try:
        os.symlink(target, "link")
        open("link", "a").write("x")
        print("ESCAPED", target)
    except OSError:
        pass
    os.remove("link")
""",
        {"passed"},
    ),
    "hard links to the outside": (
        """
import os, sys
sources = ["CANARY", "/proc/1/root/CANARY", "/proc/PARENT/root/CANARY", "/proc/self/root/../CANARY", os.__file__,
           "/proc/1/exe", "/proc/1/fd/0", "/dev/null"]
for source in sources:
    for follow in (True, False):
        try:
            os.link(source, "link", follow_symlinks=follow)
            open("link", "a").write("x")
            print("ESCAPED", source)
        except (OSError, NotImplementedError):
            pass
        if os.path.lexists("link"):
            os.remove("link")
""",
        {"passed"},
    ),
    "goes up and out": (
        """
import os
here = os.open("/", os.O_RDONLY)
for _ in range(50):
    os.chdir("..")
for path in ("CANARY"[1:], "." + "/.." * 50 + "CANARY", "/proc/self/cwd/CANARY", "/proc/self/root/CANARY",
             "/proc/1/cwd/CANARY", "/proc/1/root/CANARY", "/proc/2/root/CANARY"):
    for attempt in (lambda: open(path), lambda: open(os.open(path, os.O_RDONLY, dir_fd=here))):
        try:
            attempt()
            print("ESCAPED", path)
        except OSError:
            pass
""",
        {"passed"},
    ),
    "the memory and the files of its judge": (
        """
import glob, os
for pid in (1, 2, os.getppid(), PARENT):
    for name in ("mem", "environ", "maps", "exe", "cwd", "root", "fd/0", "fd/1", "fd/3", "task/1/mem", "map_files"):
        for mode in ("rb", "r+b", "wb"):
            path = f"/proc/{pid}/{name}"
            try:
                open(path, mode) if name != "map_files" else os.listdir(path)
                print("ESCAPED", path, mode)
            except OSError:
                pass
    try:
        print("ESCAPED", os.readlink(f"/proc/{pid}/exe"), os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        pass
""",
        {"passed"},
    ),
    "reads secrets": (
        """
import os, pathlib
secrets = ["/etc/shadow", "/etc/passwd", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/proc/PARENT/environ"]
for folder, pattern in ((pathlib.Path.home(), "*"), ("/root", ".ssh"), ("/home", "*/*")):
    secrets += pathlib.Path(folder).glob(pattern)
for path in secrets:
    try:
        open(path, "rb").read(10)
        print("ESCAPED", path)
    except OSError:
        pass
""",
        {"passed"},
    ),
    "reads the environment": (
        """
import os
print("ESCAPED" if "SECRET_OF_THE_TEST" in os.environ else "")
print("ESCAPED" if b"SECRET_OF_THE_TEST" in open("/proc/self/environ", "rb").read() else "")
""",
        {"passed"},
    ),
    "kills everything": ("import os, signal\nos.kill(-1, signal.SIGKILL)", {"failed", "passed"}),
    "kills its parents": (
        """
import os, signal, time
for pid in (os.getppid(), 1, PARENT, os.getppid() - 1):
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP):
        try:
            if pid > 0:
                os.kill(pid, number)
        except OSError:
            pass
time.sleep(0.2)
""",
        {"failed", "passed"},
    ),
    "kills its process group": ("import os, signal\nos.killpg(0, signal.SIGKILL)", {"failed"}),
    "stops itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", {"timeout"}),
    "changes how others are scheduled": (
        """
import ctypes, os, resource
for pid in (1, 2, os.getppid(), PARENT):
    for attempt in (lambda: os.setpriority(os.PRIO_PROCESS, pid, 19), lambda: os.sched_setaffinity(pid, {0}),
                    lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)),
                    lambda: resource.prlimit(pid, resource.RLIMIT_AS, (1, 1))):
        try:
            attempt()
            print("ESCAPED", pid)
        except OSError:
            pass
try:
    os.setpriority(os.PRIO_USER, 0, 19)
    print("ESCAPED")
except OSError:
    pass
os.nice(1)
os.sched_setaffinity(0, os.sched_getaffinity(0))
""",
        {"passed"},
    ),
    "lets the kernel send signals": (
        """
import fcntl, os, signal, time
for pid in (1, 2, os.getppid(), PARENT):
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(reader, fcntl.F_SETOWN, pid)
        fcntl.fcntl(reader, 10, signal.SIGKILL)
        fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(writer, b"x")
    except OSError:
        pass
time.sleep(0.2)
""",
        {"failed", "passed"},
    ),
    "sockets": (
        """
import socket
for family in range(1, 46):
    try:
        connection = socket.socket(family, socket.SOCK_STREAM if family != 16 else socket.SOCK_RAW)
        if family != socket.AF_UNIX:
            print("ESCAPED", family)
    except OSError:
        pass
try:
    socket.create_connection(("127.0.0.1", PORT), timeout=1)
    print("ESCAPED")
except OSError:
    pass
""",
        {"passed"},
    ),
    "abstract sockets": (
        """
import socket
try:
    socket.socket(socket.AF_UNIX).connect("\\0MARK")
    print("ESCAPED")
except OSError:
    pass
""",
        {"passed"},
    ),
    "traces another process": (
        """
import ctypes, os
libc = ctypes.CDLL(None)
for pid in (1, os.getppid(), PARENT):
    if libc.ptrace(16, pid, 0, 0) == 0:
        print("ESCAPED")
""",
        {"passed"},
    ),
    "mounts and namespaces": (
        """
import ctypes
libc = ctypes.CDLL(None)
for flags in (0x10000000, 0x00020000, 0x10020000, 0x20000000):
    if libc.unshare(flags) == 0:
        print("ESCAPED unshare")
if libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0:
    print("ESCAPED mount")
if libc.umount2(b"/proc", 2) == 0:
    print("ESCAPED umount")
if libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) > 0:
    print("ESCAPED clone")
if libc.chroot(b"/tmp") == 0 or libc.setuid(0) == 0 and False:
    print("ESCAPED chroot")
""",
        {"passed"},
    ),
    "becomes root": (
        """
import os
before = os.getuid()
for attempt in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.setresuid(0, 0, 0)):
    try:
        attempt()
        if before:
            print("ESCAPED")
    except OSError:
        pass
""",
        {"passed"},
    ),
    "writes to /proc and /sys": (
        """
import glob
paths = ["/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger", "/proc/1/oom_score_adj",
         "/proc/sys/user/max_user_namespaces", "/sys/power/state", *glob.glob("/sys/fs/cgroup/*/cgroup.procs")]
for path in paths:
    try:
        open(path, "w").write("1")
        print("ESCAPED", path)
    except OSError:
        pass
""",
        {"passed"},
    ),
    "devices": (
        """
import glob, os
for path in ("/dev/mem", "/dev/kmem", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/kvm", "/dev/tty", "/dev/nvidia0"):
    try:
        open(path, "rb")
        print("ESCAPED", path)
    except OSError:
        pass
try:
    os.mknod("/tmp/disk", 0o60600, os.makedev(254, 0))
    print("ESCAPED")
except OSError:
    pass
""",
        {"passed"},
    ),
    "starts other programs": (
        """
import os, subprocess
for command in ("/bin/sh", "sh", "/usr/bin/env", "/usr/bin/python3", "/proc/self/exe"):
    try:
        subprocess.run([command, "-c", "exit 0"], timeout=1)
        print("ESCAPED" if command != "/proc/self/exe" else "")
    except (OSError, subprocess.SubprocessError):
        pass
print("ESCAPED" if os.system("true") == 0 else "")
""",
        {"passed"},
    ),
    "writes to every open file": (
        """
import os
for number in range(256):
    try:
        os.write(number, b'{"status": "passed", "detail": ""}')
    except OSError:
        pass
os.kill(os.getpid(), 9)
""",
        {"failed"},
    ),
    "writes to the files of every process": (
        """
import glob
for path in glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/proc/[0-9]*/task/*/fd/*"):
    try:
        with open(path, "wb", buffering=0) as file:
            file.write(b'\\n{"status": "passed", "detail": ""}\\n')
    except OSError:
        pass
1 / 0
""",
        {"failed"},
    ),
    "hooks for its end": (
        """
import atexit, os, sys, threading
def end(*_):
    os.write(1, b'{"status": "passed", "detail": ""}')
    os.kill(1, 9)
sys.excepthook = sys.unraisablehook = threading.excepthook = sys.breakpointhook = end
atexit.register(end)
class Last:
    __del__ = end
last = Last()
1 / 0
""",
        {"failed"},
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

# Programs that do not give 42 from answer(), but want to be judged as if they did.
FORGERIES = {
    "leaves when asked": """
import os
def answer():
    os._exit(0)
""",
    "leaves at once": """
import os
os._exit(0)
""",
    "exits at once": """
import sys
sys.exit(0)
""",
    "exits when asked": """
import sys
def answer():
    sys.exit(0)
""",
    "raises what the harness might expect": """
def answer():
    raise SystemExit(0)
""",
    "raises StopIteration": """
def answer():
    raise StopIteration(42)
""",
    "says that it passed": """
print('passed')
import sys
print('{"status": "passed"}', file=sys.stderr)
def answer():
    print('passed')
""",
    "equal to everything": """
class Equal:
    def __eq__(self, other):
        return True
    __hash__ = None
def answer():
    return Equal()
""",
    "an int equal to everything": """
class Equal(int):
    def __eq__(self, other):
        return True
    __hash__ = None
def answer():
    return Equal(1)
""",
    "a function that is equal": """
class Equal(type):
    def __eq__(self, other):
        return True
class answer(metaclass=Equal):
    pass
""",
    "replaces built-in functions": """
import builtins
for name in ('abs', 'all', 'isinstance', 'len', 'exec', 'compile', 'sum', 'sorted'):
    setattr(builtins, name, lambda *_: True)
def answer():
    return 0
""",
    "replaces AssertionError": """
import builtins
builtins.AssertionError = type('Quiet', (Warning,), {})
def answer():
    return 0
""",
    "replaces what unpickles": """
import pickle, sys
for module in list(sys.modules.values()):
    for name in ('loads', 'Unpickler', 'check', 'stop'):
        if hasattr(module, name):
            setattr(module, name, lambda *_: True)
def answer():
    return 0
""",
    "looks for the expected answer in memory": """
import gc, sys
def answer():
    frame, seen = sys._getframe(), []
    while frame:
        seen += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    for thing in [*gc.get_objects(), *seen]:
        if isinstance(thing, (str, bytes)) and 'expected' + '_answer' in str(thing):
            return 42
        if isinstance(thing, dict) and 'expected' + '_answer' in map(str, list(thing)):
            return 42
    return 0
""",
    "looks for the expected answer in the frames of all threads": """
import inspect, re, sys
def answer():
    for frame in [*sys._current_frames().values(), *(info.frame for info in inspect.stack())]:
        while frame:
            if re.search('expected[_]answer', f'{frame.f_locals} {frame.f_globals} {frame.f_code.co_names}'):
                return 42
            frame = frame.f_back
    return 0
""",
    "looks for the expected answer in all of its memory": """
import re
def answer():
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            begin, end = (int(number, 16) for number in span.split('-'))
            if 'r' in mode and '[v' not in line:
                memory.seek(begin)
                try:
                    if re.search(b'expected[_]answer', memory.read(end - begin)):
                        return 42
                except OSError:
                    pass
    return 0
""",
    "traces whoever calls it": """
import sys
def trace(frame, event, argument):
    for name in ('is_value', 'value', 'answer', 'status'):
        if name in frame.f_locals:
            frame.f_locals[name] = True
    return trace
sys.settrace(trace)
sys.setprofile(trace)
frame = sys._getframe()
while frame:
    frame.f_trace = trace
    frame = frame.f_back
def answer():
    return 0
""",
    "changes the harness around it": """
import gc, sys
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()):
        if type(value).__name__ == 'Channel':
            send = type(value).send
            type(value).send = lambda self, message: (send(self, message), send(self, message))
        if isinstance(value, dict) and 'call' in value:
            value.update(dict.fromkeys(value, lambda *_: True))
    frame = frame.f_back
def answer():
    return 0
""",
    "hooks for its end": """
import atexit, os, sys, threading
def end(*_):
    os._exit(0)
sys.excepthook = sys.unraisablehook = threading.excepthook = end
atexit.register(end)
def answer():
    raise ZeroDivisionError
""",
    "lies about its class, its length and its truth": """
class Liar:
    __class__ = int
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __len__(self): return 41
    def __bool__(self): return True
    def __index__(self): return 41
    __int__ = __hash__ = __index__
    def __getattr__(self, name): return self
    def __getitem__(self, key): return self
    def __call__(self, *_): return self
    def __iter__(self): return iter([self])
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    def __reduce_ex__(self, version): return (type(self), ())
def answer():
    return Liar()
""",
    "a number that is equal inside a list": """
class Equal(float):
    def __eq__(self, other): return True
    def __reduce__(self): return (Equal, (1,))
    __hash__ = float.__hash__
def answer():
    return [Equal(1)][0]
""",
    "a module in place of NumPy": """
import sys, types
class Generic(type):
    def __instancecheck__(cls, other): return True
numpy = sys.modules['numpy'] = types.ModuleType('numpy')
numpy.generic = Generic('generic', (), {'item': lambda self: self})
def answer():
    return 0
""",
    "looks for the expected answer in files": """
import glob
def answer():
    word = b'expected' + b'_answer'
    for path in glob.glob('/proc/*/*') + glob.glob('/tmp/*') + glob.glob('/dev/shm/*'):
        try:
            if word in open(path, 'rb').read(1 << 20):
                return 42
        except (OSError, ValueError):
            pass
    return 0
""",
    "answers with a pickle of its own": r"""
import os, socket, pickle, struct
class Code:
    def __reduce__(self):
        return (exec, ('import os; os.write(1, b\'{"status": "passed"}\')',))
message = pickle.dumps((True, Code()))
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with a pickle that asks for much memory": r"""
import os, struct
message = b'\x80\x04K\x01r\xfe\xff\xff\x7f.'
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with a huge list": r"""
import os, struct
message = b'\x80\x04cbuiltins\nlist\ncbuiltins\nrange\nK\x00\x8a\x05\x00\x00\x00\x00\x10\x86R\x85R.'
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with a key that is nested too deep": r"""
import os, struct
message = b'\x80\x04})' + b'\x85' * (900 << 10) + b'K\x01s.'
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with an instance of the judge's own classes": r"""
import os, struct
for module, name in (('scoring.graders.jail.judge', 'Judge'), ('scoring.graders.jail.remote', 'Remote'),
                     ('os', '_exit'), ('builtins', 'eval'), ('builtins', 'getattr'), ('builtins', 'list.__init__')):
    message = b'\x80\x04c' + f'{module}\n{name}\n'.encode() + b'K\x00\x85R.'
    for number in range(3, 256):
        try:
            os.write(number, struct.pack('>Q', len(message)) + message)
        except OSError:
            pass
def answer():
    return 0
""",
    "answers that change their receiver": r"""
import os, struct
message = b'\x80\x04K\x00QN}(\x8c\x05_peerK\x01\x8c\x04_keyK\x01u\x86b.'
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers before it is asked": r"""
import os, pickle, struct
for value in range(100):
    message = pickle.dumps((True, value))
    for number in range(3, 256):
        try:
            os.write(number, struct.pack('>Q', len(message)) + message)
        except OSError:
            pass
def answer():
    return 0
""",
    "answers with a nonsense length": r"""
import os
for number in range(3, 256):
    try:
        os.write(number, b'\xff' * 100)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with garbage": """
import os, struct
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', 9) + b'(((((((((')
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with a huge value": """
def answer():
    return 'x' * (100 << 20)
""",
    "answers with a value that grows": """
def answer():
    value = [1]
    for _ in range(40):
        value = [value, value]
    return value
""",
    "answers with itself": """
def answer():
    value = []
    value.append(value)
    return value
""",
    "answers with a deep value": """
def answer():
    value = []
    for _ in range(10 ** 5):
        value = [value]
    return value
""",
    "kills the judge": """
import os, signal
for number in range(1, 65):
    try:
        os.kill(1, number)
    except OSError:
        pass
def answer():
    return 0
""",
    "kills all": """
import os, signal
def answer():
    os.kill(-1, signal.SIGKILL)
    return 0
""",
    "closes everything": """
import os
def answer():
    os.closerange(0, 256)
    return 0
""",
    "does not answer": """
import time
def answer():
    time.sleep(1000)
""",
    "computes for ever": """
def answer():
    while True:
        pass
""",
    "answers later than allowed, in a thread": """
import threading, time, os
def late():
    time.sleep(0.1)
    os._exit(0)
threading.Thread(target=late).start()
def answer():
    time.sleep(1000)
""",
    "leaves at the end": """
import atexit, os
atexit.register(os._exit, 0)
def answer():
    return 0
""",
    "an endless iterator": """
import itertools
def answer():
    return itertools.repeat(42)
""",
}
