"""Functions of the C library that Python 3.11 does not have."""

import ctypes
import os
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_SET_DEATH_SIGNAL, _SET_DUMPABLE, _KILL = 1, 4, 9


def call(name: str, *arguments: Any) -> int:
    """Call a function of the C library; integers are passed as long.

    Raises:
        OSError: it gave back a negative number; with its name.
    """
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = getattr(_libc, name)(*converted)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"{name}()")
    return result


def die_with_parent() -> None:
    """The kernel kills this process as soon as the thread that started it is gone."""
    call("prctl", _SET_DEATH_SIGNAL, _KILL, 0, 0, 0)


def hide_memory(is_hidden: bool) -> None:
    """Whether other processes of the same user may look into this one (its memory, files, environment)."""
    call("prctl", _SET_DUMPABLE, int(not is_hidden), 0, 0, 0)
