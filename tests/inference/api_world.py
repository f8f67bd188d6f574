"""What the tests of the API engine share: a request, an engine at a server, and all that comes back."""

import json
import sqlite3
import time

import pytest

from inference.api_engine import ApiEngine
from inference.engine import EngineError, Request
from inference.spec import ModelSpec, ProviderSpec, Sampling

KEY = "sk-very-secret-0123456789"


def spec(server, **changes):
    return ProviderSpec(server.url, **{"key_env": "TEST_API_KEY", "max_concurrency": 8, "timeout_s": 20.0, **changes})


def engine(server, session, *, name="m", path="wire", limits=None, **changes):
    tries = {name: changes.pop(name) for name in ("max_attempts",) if name in changes}
    model = ModelSpec(name, path, **changes)
    return ApiEngine(model, spec(server, **(limits or {})), Sampling(), session, backoff_s=0.01, **tries)


def request(index=0, text=None, *, repeat=0, max_tokens=64, content=None):
    content = content or text or f"one two three {index}"
    return Request("b", index, repeat, ({"role": "user", "content": content},), max_tokens)


def drain(*engines, limit_s=60.0):
    """All that comes back until nothing is in flight, in the order of the queries."""
    finished, end = [], time.monotonic() + limit_s
    while any(one.n_in_flight for one in engines):
        assert time.monotonic() < end, "nothing more comes back"
        for one in engines:
            finished += [result.response for result in one.step()]
    return sorted(finished, key=lambda response: (response.index, response.repeat))


def ask(one, *requests):
    for each in requests:
        one.submit(each)
    return drain(one)


def ask_until_refused(one, *requests):
    for each in requests:
        one.submit(each)
    with pytest.raises(EngineError) as caught:
        drain(one)
    return str(caught.value)


def cached_costs(path):
    with sqlite3.connect(path) as db:
        rows = [json.loads(answer) for (answer,) in db.execute("SELECT answer FROM answers")]
    db.close()
    return [row["cost_usd"] for row in rows]
