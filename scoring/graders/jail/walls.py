"""What stands between a program and the machine: namespaces, a file system of its own, limits.

The file system is a small one in memory with Python's library bound into it read-only, and nothing else of the
machine: no home, no program to start, no /etc. It disappears with the last process inside.
"""

import contextlib
import ctypes
import functools
import os
import re
import resource
from collections.abc import Iterable
from pathlib import Path

from scoring.graders.jail.system import call

_NEW_MOUNTS, _NEW_UTS, _NEW_IPC, _NEW_USERS = 0x00020000, 0x04000000, 0x08000000, 0x10000000
_NEW_PIDS, _NEW_NETWORK = 0x20000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_RECURSIVE, _PRIVATE, _RELATIVE_TIME, _DETACH = 16384, 1 << 18, 1 << 21, 2
_NEW_ROOT = "/sys"  # a folder that exists everywhere and from which nothing is bound
_WRITABLE = ("tmp", "dev/shm")  # one small file system, seen in both places
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_FIRST_FREE_USER = 0x70000000


def enter_namespaces() -> None:
    """Put the children of this process into namespaces of their own. Root does it as such, others as their own root.

    Raises:
        OSError: this kernel does not let this user do it.
    """
    namespaces = _NEW_MOUNTS | _NEW_UTS | _NEW_IPC | _NEW_PIDS | _NEW_NETWORK
    if _can_become_others():
        call("unshare", namespaces)
        return
    user, group = os.geteuid(), os.getegid()
    call("unshare", namespaces | _NEW_USERS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def change_root(libraries: Iterable[str], disk_bytes: int, n_files: int) -> None:
    """Make the file system and go there.

    Args:
        libraries: files and folders that programs may read, besides the system's libraries.
        disk_bytes, n_files: how much may be written to it.

    Raises:
        OSError: this kernel does not let this user do it.
    """
    call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    call("mount", b"tmpfs", _NEW_ROOT.encode(), b"tmpfs", _NO_SUID | _NO_DEVICES, b"mode=755,size=1m")
    root = Path(_NEW_ROOT)
    for folder in ("proc", *_WRITABLE):
        (root / folder).mkdir(parents=True)
    bound: list[str] = []
    for path in sorted({*_SYSTEM_LIBRARIES, *libraries, *(f"/dev/{name}" for name in _DEVICES)}):
        if os.path.exists(path) and not any(Path(path).is_relative_to(above) for above in bound):
            bound.append(path)
            _bind(path, root / path.lstrip("/"))
    for stream, name in enumerate(("stdin", "stdout", "stderr")):
        (root / "dev" / name).symlink_to(f"/proc/self/fd/{stream}")
    _forbid_writing(root)
    _add_writable(root, disk_bytes, n_files)
    # Not where parts of /proc are covered up, as in some containers: programs then do without, and without children.
    with contextlib.suppress(OSError):
        flags = _NO_SUID | _NO_DEVICES | _NO_EXEC | _READ_ONLY
        call("mount", b"proc", bytes(root / "proc"), b"proc", flags, None)
    os.chdir(root)
    call("pivot_root", b".", b".")
    call("umount2", b".", _DETACH)
    os.chdir("/tmp")


def _bind(source: str | Path, target: Path) -> None:
    if os.path.isdir(source):
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    call("mount", os.fsencode(source), bytes(target), None, _BIND | _RECURSIVE, None)


def _forbid_writing(root: Path) -> None:
    """Make everything that is mounted so far read-only, also what came along below a folder that was bound."""
    inside: dict[bytes, bytes] = {}  # mounts below the last one at the root's place, by number
    for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
        number, parent, _, _, place = line.split()[:5]
        if place == bytes(root):
            inside = {number: place}
        elif parent in inside:
            inside[number] = re.sub(rb"\\(\d{3})", lambda code: bytes([int(code[1], 8)]), place)
    for place in inside.values():
        old = os.statvfs(place).f_flag
        kept = old & (_NO_SUID | _NO_DEVICES | _NO_EXEC | os.ST_NOATIME | os.ST_NODIRATIME)
        kept |= _RELATIVE_TIME if old & os.ST_RELATIME else 0  # a flag may not be taken away: each is asked for again
        call("mount", None, place, None, _BIND | _REMOUNT | _READ_ONLY | kept, None)


def _add_writable(root: Path, disk_bytes: int, n_files: int) -> None:
    """The folders that programs write to. Libraries below them (a Python that lives in /tmp) stay in their place.

    What lies below comes back as mounts, which nobody inside can move away to put something of the same name there:
    the judge imports from these paths, too. It is all put together over the machine's own /tmp, which nobody here needs
    any more.
    """
    options = f"mode=1777,size={disk_bytes},nr_inodes={n_files}"
    call("mount", b"tmpfs", b"/tmp", b"tmpfs", _NO_SUID | _NO_DEVICES, options.encode())
    for folder in _WRITABLE:
        for path in (root / folder).iterdir():
            _bind(path, Path("/tmp", path.name))
    for folder in _WRITABLE:
        _bind("/tmp", root / folder)


def become_nobody(number: int) -> None:
    """Root becomes a user that nothing belongs to; others stay what they are.

    Args:
        number: tells jails apart.
    """
    if _can_become_others():
        user = _FIRST_FREE_USER + number
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


@functools.cache  # as it was before the namespaces, which know one user
def _can_become_others() -> bool:
    """Whether this is root over all users, and not the root of a container that knows only a few."""
    n_users = int(Path("/proc/self/uid_map").read_text().split()[2])
    return os.geteuid() == 0 and n_users > 2 * _FIRST_FREE_USER


def drop_capabilities() -> None:
    """Give up every right beyond those of the user, for good."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())
    call("prctl", 38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS


def counts_per_jail() -> bool:
    """Whether the kernel counts this user's processes in this jail alone: as a user of its own, or since Linux 5.14."""
    release = [int(part) for part in os.uname().release.split("-")[0].split(".")[:2]]
    return os.getuid() >= _FIRST_FREE_USER or release >= [5, 14]


def limit(cpu_s: int, memory_bytes: int, file_bytes: int, n_processes: int | None) -> None:
    """The limits that the kernel keeps per process. The sum over processes is the judge's to watch.

    Args:
        cpu_s: computing time; a second later comes a signal that cannot be caught.
        memory_bytes: address space.
        file_bytes: size of one file.
        n_processes: of the user; None where other processes of the same user would count.
    """
    limit_memory(memory_bytes)
    hard = {
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if n_processes is not None:
        hard[resource.RLIMIT_NPROC] = n_processes
    for kind, value in hard.items():
        _lower(kind, value)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))


def limit_memory(n_bytes: int) -> None:
    """Bound the calling process's address space."""
    _lower(resource.RLIMIT_AS, n_bytes)


def _lower(kind: int, value: int) -> None:
    _, old = resource.getrlimit(kind)
    value = value if old == resource.RLIM_INFINITY else min(value, old)
    resource.setrlimit(kind, (value, value))
