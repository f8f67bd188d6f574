"""What stands between a program and the machine: namespaces, a file system of its own, limits.

The file system is a small one in memory with Python's library bound into it read-only, and nothing else of the
machine: no home, no program to start, no /etc. It disappears with the last process inside.
"""

import contextlib
import ctypes
import os
import resource
from collections.abc import Iterable
from pathlib import Path

from scoring.graders.jail.system import call

_NEW_MOUNTS, _NEW_UTS, _NEW_IPC, _NEW_USERS = 0x00020000, 0x04000000, 0x08000000, 0x10000000
_NEW_PIDS, _NEW_NETWORK = 0x20000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_RECURSIVE, _PRIVATE, _RELATIVE_TIME, _DETACH = 16384, 1 << 18, 1 << 21, 2
_NEW_ROOT = "/sys"  # a folder that exists everywhere and from which nothing is bound
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_FIRST_FREE_USER = 0x70000000


def enter_namespaces() -> None:
    """Put the children of this process into namespaces of their own. Root does it as such, others as their own root.

    Raises:
        OSError: this kernel does not let this user do it.
    """
    namespaces = _NEW_MOUNTS | _NEW_UTS | _NEW_IPC | _NEW_PIDS | _NEW_NETWORK
    if os.geteuid() == 0:
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
    for path in dict.fromkeys((*_SYSTEM_LIBRARIES, *libraries)):
        if os.path.exists(path):
            _bind(path, root)
            _forbid_writing(root / path.lstrip("/"))
    for device in _DEVICES:
        _bind(f"/dev/{device}", root)
    for stream, name in enumerate(("stdin", "stdout", "stderr")):
        (root / "dev" / name).symlink_to(f"/proc/self/fd/{stream}")
    (root / "dev/shm").symlink_to("/tmp")
    (root / "tmp").mkdir()
    (root / "proc").mkdir()
    options = f"mode=1777,size={disk_bytes},nr_inodes={n_files}"
    call("mount", b"tmpfs", bytes(root / "tmp"), b"tmpfs", _NO_SUID | _NO_DEVICES, options.encode())
    # Not where parts of /proc are covered up, as in some containers: programs then do without.
    with contextlib.suppress(OSError):
        flags = _NO_SUID | _NO_DEVICES | _NO_EXEC | _READ_ONLY
        call("mount", b"proc", bytes(root / "proc"), b"proc", flags, None)
    _forbid_writing(root)
    os.chdir(root)
    call("pivot_root", b".", b".")
    call("umount2", b".", _DETACH)
    os.chdir("/tmp")


def _bind(path: str, root: Path) -> None:
    target = root / path.lstrip("/")
    if os.path.isdir(path):
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    call("mount", os.fsencode(path), bytes(target), None, _BIND | _RECURSIVE, None)


def _forbid_writing(target: Path) -> None:
    old = os.statvfs(target).f_flag
    kept = old & (_NO_SUID | _NO_DEVICES | _NO_EXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    kept |= _RELATIVE_TIME if old & os.ST_RELATIME else 0  # a flag may not be taken away, so each is asked for again
    call("mount", None, bytes(target), None, _BIND | _REMOUNT | _READ_ONLY | kept, None)


def become_nobody(number: int) -> None:
    """Root becomes a user that nothing belongs to; others stay what they are.

    Args:
        number: tells jails apart.
    """
    if os.getuid() == 0:
        user = _FIRST_FREE_USER + number
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


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
    hard = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if n_processes is not None:
        hard[resource.RLIMIT_NPROC] = n_processes
    for kind, value in hard.items():
        _, old = resource.getrlimit(kind)
        value = value if old == resource.RLIM_INFINITY else min(value, old)
        resource.setrlimit(kind, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
