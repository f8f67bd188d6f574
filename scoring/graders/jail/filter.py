"""Take system calls away from the calling process and all its children, for good (seccomp).

With namespaces around the program this closes what they leave open: further namespaces, memory that no limit counts,
sockets of families that are not per namespace. Without them it is the only wall and takes more: no new process, no
signal, no write to any file. Where nobody can list the processes of a jail, it takes new processes, too.
"""

import ctypes
import errno
import platform
import struct

from scoring.graders.jail.system import call

_ARCHITECTURE = 0xC000003E  # x86_64, with a 64-bit address space; a call made in any other way is refused
_X32 = 0x40000000
_ALLOW, _DENY = 0x7FFF0000, 0x00050000
_NEW_NAMESPACE = 0x7E020080  # time, mount, cgroup, UTS, IPC, user, PID, network
_THREAD = 0x00010000
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
_UNIX = 1

# system call -> number, by what it would be used for
_ALWAYS = {
    "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsmount": 432, "mount_setattr": 442, "memfd_create": 319, "memfd_secret": 447, "shmget": 29,
    "msgget": 68, "semget": 64, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438,
    "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "add_key": 248, "request_key": 249,
    "keyctl": 250,
}  # fmt: skip
_FORKS = {"fork": 57, "vfork": 58}
_ALONE = {
    "execve": 59, "execveat": 322, "kill": 62, "tkill": 200, "tgkill": 234, "rt_sigqueueinfo": 129,
    "rt_tgsigqueueinfo": 297, "pidfd_open": 434, "pidfd_send_signal": 424, "connect": 42, "bind": 49, "sendto": 44,
    "sendmsg": 46, "sendmmsg": 307, "openat2": 437, "creat": 85, "open_by_handle_at": 304, "truncate": 76,
    "rename": 82, "renameat": 264, "renameat2": 316, "mkdir": 83, "mkdirat": 258, "rmdir": 84, "unlink": 87,
    "unlinkat": 263, "link": 86, "linkat": 265, "symlink": 88, "symlinkat": 266, "mknod": 133, "mknodat": 259,
    "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "chown": 92, "fchown": 93, "lchown": 94,
    "fchownat": 260, "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280, "setxattr": 188,
    "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199,
    "setxattrat": 463, "removexattrat": 466, "file_setattr": 469, "shmat": 30, "shmctl": 31, "semop": 65,
    "semctl": 66, "semtimedop": 220, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "mq_open": 240, "mq_unlink": 241,
    "process_madvise": 440, "migrate_pages": 256, "move_pages": 279,
}  # fmt: skip
# Scheduling: system call, an argument, and what it must be, so that a process changes nothing but itself.
_OF_ITSELF = (
    (203, 0, 0),  # sched_setaffinity
    (142, 0, 0),  # sched_setparam
    (144, 0, 0),  # sched_setscheduler
    (314, 0, 0),  # sched_setattr
    (141, 0, 0), (141, 1, 0),  # setpriority
    (251, 0, 1), (251, 1, 0),  # ioprio_set
)  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _PRLIMIT, _OPEN, _OPENAT, _FCNTL, _IOCTL = 56, 435, 41, 302, 2, 257, 72, 16
_OTHERS_NOTICE = (8, 15, 1024)  # what fcntl may not: say who gets a file's signals (any signal), or take a lease
_HARMLESS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # what ioctl may: look at a terminal, set modes of its own


def install(is_only_wall: bool, may_fork: bool) -> None:
    """Take the system calls away.

    Args:
        is_only_wall: there are no namespaces around the calling process.
        may_fork: it may start processes; never if there are no namespaces.

    Raises:
        OSError: the kernel or the processor does not know this; without other walls that is fatal.
    """
    if platform.machine() != "x86_64":
        if is_only_wall:
            raise OSError(errno.ENOSYS, f"no system call filter for {platform.machine()}")
        return
    rules = [_deny(number) for number in _ALWAYS.values()]
    rules += [_deny(_CLONE3, error=errno.ENOSYS)]  # its flags lie in memory; libraries then use clone
    rules += [_deny_if_not(_SOCKET, 0, _UNIX), _deny_if_not(_PRLIMIT, 0, 0), _deny_if_any(_CLONE, 0, _NEW_NAMESPACE)]
    rules += [_deny_if_not(*rule) for rule in _OF_ITSELF]
    if is_only_wall:
        rules += [_deny(number) for number in _ALONE.values()]
        rules += [_deny_if_any(_OPEN, 1, _WRITING), _deny_if_any(_OPENAT, 2, _WRITING)]
        rules += [*(_deny_if(_FCNTL, 1, command) for command in _OTHERS_NOTICE), _deny_if_not(_IOCTL, 1, *_HARMLESS)]
    if is_only_wall or not may_fork:
        rules += [_deny(number) for number in _FORKS.values()] + [_deny_if_none(_CLONE, 0, _THREAD)]
    load_architecture, load_number = _load(4), _load(0)
    start = [load_architecture, _jump(0x15, _ARCHITECTURE, 1, 0), _refuse(errno.EPERM)]
    start += [load_number, _jump(0x35, _X32, 0, 1), _refuse(errno.EPERM)]
    code = b"".join([*start, *(step for rule in rules for step in rule), _return(_ALLOW)])
    memory = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(memory)))
    call("prctl", 38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    call("prctl", 22, 2, program, 0, 0)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


# The filter's own machine code: an operation of 16 bits, two relative jumps of 8, an operand of 32.


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", 0x20, 0, 0, offset)


def _jump(operation: int, operand: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("HBBI", operation, if_true, if_false, operand)


def _return(value: int) -> bytes:
    return struct.pack("HBBI", 0x06, 0, 0, value)


def _refuse(error: int) -> bytes:
    return _return(_DENY | error)


def _deny(number: int, error: int = errno.EPERM) -> list[bytes]:
    return [_jump(0x15, number, 0, 1), _refuse(error)]


def _deny_if(number: int, position: int, value: int) -> list[bytes]:
    return _if(number, position, [_jump(0x15, value, 0, 1)])


def _deny_if_not(number: int, position: int, *values: int) -> list[bytes]:
    n_after = range(len(values), 0, -1)  # jumps to the end over those that follow and the refusal
    return _if(number, position, [_jump(0x15, value, n, 0) for value, n in zip(values, n_after, strict=True)])


def _deny_if_any(number: int, position: int, bits: int) -> list[bytes]:
    return _if(number, position, [_jump(0x45, bits, 0, 1)])


def _deny_if_none(number: int, position: int, bits: int) -> list[bytes]:
    return _if(number, position, [_jump(0x45, bits, 1, 0)])


def _if(number: int, position: int, unless: list[bytes]) -> list[bytes]:
    argument = _load(16 + 8 * position)  # its lower half
    start = _jump(0x15, number, 0, len(unless) + 3)
    return [start, argument, *unless, _refuse(errno.EPERM), _load(0)]
