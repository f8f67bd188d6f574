"""Holds conversations with the tau2 package; runs in the Python that has it, which may be another one than ours.

Started by `inference/tau2_engine.py`, with nothing of the suite imported. Reads JSON lines and writes JSON lines:

    <- {"agent": {"llm": "openai/…", "llm_args": {…}, "key_env": "…"}, "user": {the same}, "max_steps": 200,
        "max_errors": 10, "n_threads": 8}                                                        first, once
    -> {"ready": true}                                                            or {"error": "…"}, and it ends
    <- {"number": 3, "domain": "airline", "task": {…}, "seed": 607}
    -> {"number": 3, "simulation": {…}}          or {"number": 3, "error": "…", "scope": "try" | "request" | "model"}

It ends when its input does, so it never outlives the one who started it. What the packages print goes to stderr.
"""

import contextlib
import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_TRANSIENT = (408, 409, 429)
_REFUSED = (401, 402, 403, 404)
_NO_TOOLS = ("enable-auto-tool-choice", "support tool", "does not support function")


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def say(**fields: Any) -> None:
        with lock:
            answers.write(json.dumps(fields) + "\n")
            answers.flush()

    setup = json.loads(sys.stdin.readline())
    keys = [_give_key(setup[side]) for side in ("agent", "user")]
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the internet for prices, which ours stand for
    try:
        from loguru import logger
        from tau2.data_model.tasks import Task
        from tau2.run import run_task
    except ImportError as error:
        say(error=f"{type(error).__name__}: {error}")
        return
    logger.remove()
    logger.add(sys.stderr, level="WARNING")

    def hold(job: dict[str, Any]) -> None:
        try:
            simulation = run_task(
                domain=job["domain"], task=Task.model_validate(job["task"]), agent="llm_agent", user="user_simulator",
                llm_agent=setup["agent"]["llm"], llm_args_agent=setup["agent"]["llm_args"],
                llm_user=setup["user"]["llm"], llm_args_user=setup["user"]["llm_args"],
                max_steps=setup["max_steps"], max_errors=setup["max_errors"], seed=job["seed"],
            ).model_dump(mode="json")  # fmt: skip
            for message in simulation["messages"]:
                message.pop("raw_data", None)
            say(number=job["number"], simulation=simulation)
        except Exception as error:  # whatever a model makes the packages raise costs its own conversation
            text = " ".join(f"{type(error).__name__}: {error}".split())
            for key in keys:
                text = text.replace(key, "***") if key else text
            say(number=job["number"], error=text[:500], scope=_scope(error, text))

    say(ready=True)
    with ThreadPoolExecutor(setup["n_threads"]) as pool:
        for line in sys.stdin:
            pool.submit(hold, json.loads(line))
        os._exit(0)  # nobody waits any more for what is still under way


def _give_key(side: dict[str, Any]) -> str:
    """Put the key of one side where the package looks for it; it is never written anywhere."""
    key = os.environ.get(side["key_env"] or "", "").strip()
    side["llm_args"]["api_key"] = key or "none"
    return key


def _scope(error: Exception, text: str) -> str:
    """Whether another try may help, no try of this conversation will, or none of this model."""
    status = getattr(error, "status_code", None)
    if any(words in text for words in _NO_TOOLS) or status in _REFUSED:
        return "model"
    return "request" if isinstance(status, int) and 400 <= status < 500 and status not in _TRANSIENT else "try"


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
