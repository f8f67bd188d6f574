"""Why an engine process failed. vLLM's engine core is a process of its own that prints the cause and dies; what the
worker is told is only that it died. So the worker looks at what was printed to its own log meanwhile.
"""

import os
import re
import stat

# The last line of a traceback, bare or behind the engine's log prefix; warnings that mention an error are not meant.
_ERROR = re.compile(r"(?:\([^)]*\) )?(?:ERROR [^\]]*\] )?([\w.]*(?:Error|Exception)): (\S.*)")
_AFTERMATH = (
    "Engine core initialization failed",
    "Engine core proc",
    "EngineCore encountered",
    "EngineDeadError",
    "WorkerProc init",
)
_OUT_OF_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|desired GPU memory utilization|less than requested memory for kv", re.IGNORECASE
)
_READ_BYTES = 1 << 20


class EngineLog:
    """What this process and its children print from now on, where that goes to a file."""

    def __init__(self) -> None:
        self._starts = {descriptor: os.fstat(descriptor).st_size for descriptor in (1, 2) if _is_file(descriptor)}

    def cause(self) -> str:
        """Class and message of the first exception printed since, on one line; "" if none was seen."""
        found = [line for start in self._starts.items() for line in _errors(_text(*start))]
        return next((line for line in found if not any(word in line for word in _AFTERMATH)), "")


def is_out_of_memory(cause: str) -> bool:
    """Whether a smaller share of the device's memory may help."""
    return bool(_OUT_OF_MEMORY.search(cause))


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _text(descriptor: int, start: int) -> str:
    try:
        with open(f"/proc/self/fd/{descriptor}", "rb") as file:
            file.seek(start)
            return file.read(_READ_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _errors(text: str) -> list[str]:
    matches = (_ERROR.match(line) for line in text.splitlines())
    return [f"{match[1]}: {match[2]}".strip() for match in matches if match]
