"""vLLM's own server for one checkpoint, on this machine only: for programs that speak to a model over HTTP.

`python -m inference.vllm_server …` is `vllm serve …` in a process that the kernel ends with the one that started it.
"""

import json
import os
import runpy
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

from inference import lifetime
from inference.engine import EngineError, ModelError, OutOfMemoryError
from inference.engine_log import EngineLog, is_out_of_memory
from inference.identity import check_path
from inference.spec import EngineSpec, ModelSpec
from inference.vllm_engine import engine_arguments

_POLL_S = 0.5


class VLLMServer:
    """A running server; `url` is its OpenAI-compatible API, in which the model is called by its name in the pool."""

    def __init__(self, spec: EngineSpec, model: ModelSpec) -> None:
        """Starts it and waits until it serves; takes from seconds to minutes.

        Raises:
            ModelError: the checkpoint is not there, or needs several nodes.
            OutOfMemoryError: the device has too little free memory.
            EngineError: vllm is not installed, or the model does not load.
        """
        check_path(model)
        if model.nodes > 1:
            raise ModelError(f"model {model.name}: it needs {model.nodes} nodes; serve it yourself, as a provider")
        self._model, log = model, EngineLog()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        environment = {**os.environ, **spec.env, **lifetime.variables_for_children()}
        arguments = engine_arguments(spec, model) | {
            "served_model_name": model.name, "host": "127.0.0.1", "port": port,
            "tool_call_parser": model.tool_call_parser, "enable_auto_tool_choice": model.tool_call_parser is not None,
        }  # fmt: skip
        self._process = subprocess.Popen([sys.executable, "-P", "-m", "inference.vllm_server", *_flags(arguments)],
                                         env=environment, stdin=subprocess.DEVNULL)  # fmt: skip
        try:
            while not _serves(port):
                if not self.is_alive:
                    cause = log.cause() or f"its server ended with status {self._process.returncode}"
                    kind = OutOfMemoryError if is_out_of_memory(cause) else EngineError
                    raise kind(f"model {model.name}: vLLM cannot serve {model.path}: {cause}")
                time.sleep(_POLL_S)
        except BaseException:
            self.close()
            raise

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the server and its engine."""
        self._process.kill()  # a signal that it could handle is blocked in it, as in all children of a worker
        self._process.wait()


def _flags(arguments: dict[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in arguments.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value is not None and value is not False:
            words += [flag, json.dumps(value) if isinstance(value, dict | list) else str(value)]
    return words


def _serves(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a cluster's proxy cannot reach this machine
    try:
        with opener.open(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main() -> None:
    """Become vLLM's server, and end with the process that wanted it."""
    lifetime.end_with_parent()
    runpy.run_module("vllm.entrypoints.openai.api_server", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
