"""Programs that try to get out of the sandbox, or at others in it.

A program prints ESCAPED if it gets what it wants. CANARY stands for a file outside that must stay as it is, MARK for a
name that no file outside may have afterwards, PARENT for the process id of the test.
"""

# name -> (program, statuses it may end with)
ESCAPES = {
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
}  # fmt: skip
