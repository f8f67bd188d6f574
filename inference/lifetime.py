"""No process of an engine outlives the one that started it: the kernel ends it, for a killed worker cannot.

An engine left behind would hold its GPU until somebody notices.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

_PARENT = "ROUTEYARD_ENGINE_PARENT"  # process id of who starts engines
_PR_SET_PDEATHSIG = 1


def for_children(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables for the environment in which this process starts vLLM's.

    Forked, as vLLM starts its processes by default on GPUs, they would not call `die_with_parent`.
    """
    method = environment.get("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    return {_PARENT: str(os.getpid()), "VLLM_WORKER_MULTIPROC_METHOD": method}


def die_with_parent() -> None:
    """Have the kernel kill this process of vLLM's when its parent is gone, and its own children with it.

    vLLM calls this in each of its processes as a plugin of two kinds: `vllm.platform_plugins` while it is imported
    (nothing given back: no platform of ours), that is before an engine waits up to five minutes for its worker's first
    word; `vllm.general_plugins` after that, for where VLLM_TARGET_DEVICE names the platform and nobody is asked.
    """
    if "--multiprocessing-fork" in sys.orig_argv:  # started by Python's multiprocessing, not by Ray, not by a person
        end_with_parent()


def end_with_parent() -> None:
    """The same for any process whose parent has given it the variables of `for_children`. Once is enough."""
    parent = os.environ.get(_PARENT)
    if parent is None or int(parent) == os.getpid():
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        os._exit(1)  # it was gone before the kernel was asked: to import vLLM as far as here takes seconds
    os.environ[_PARENT] = str(os.getpid())
