"""No process of an engine outlives the one that started it: the kernel ends it, for a killed worker cannot.

An engine left behind would hold its GPU until somebody notices. vLLM forks its processes on GPUs and spawns them
elsewhere, so they learn of it in two ways: by a hook of the fork, and by a plugin that every spawned one calls.
"""

import ctypes
import os
import signal
import sys
from functools import cache

_PARENT = "ROUTEYARD_ENGINE_PARENT"  # process id of who starts engines
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # here, not in a process that was just forked


def variables_for_children() -> dict[str, str]:
    """What has to be in the environment of a process that is to end with this one."""
    return {_PARENT: str(os.getpid())}


def end_children_with_us() -> None:
    """From now on every process that this one forks, and those of vLLM's that it spawns, end with it."""
    os.environ.update(variables_for_children())
    _watch_forks()


def die_with_parent() -> None:
    """Have the kernel kill this process of vLLM's when its parent is gone, and its own children with it.

    vLLM calls this in each process that it spawns, as a plugin of two kinds: `vllm.platform_plugins` while it is
    imported (nothing given back: no platform of ours), that is before an engine waits up to five minutes for its
    worker's first word; `vllm.general_plugins` after that, for where VLLM_TARGET_DEVICE names the platform and nobody
    is asked.
    """
    if "--multiprocessing-fork" in sys.orig_argv:  # spawned by Python's multiprocessing, not by Ray, not by a person
        end_with_parent()


def end_with_parent() -> None:
    """The same for any process whose parent has given it `variables_for_children`. Once is enough."""
    parent = os.environ.get(_PARENT)
    if parent is None or int(parent) == os.getpid():
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        os._exit(1)  # it was gone before the kernel was asked: to import vLLM as far as here takes seconds
    end_children_with_us()


@cache  # hooks cannot be taken back, and a forked process has those of its parent
def _watch_forks() -> None:
    os.register_at_fork(after_in_child=end_with_parent)
