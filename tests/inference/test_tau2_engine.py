"""The engine of τ²-Bench: what the package is told, what becomes of failures, who pays, and that nothing is left."""

import json
import subprocess
import sys
import time

import pytest

from inference.api_session import ApiSession
from inference.engine import EngineError, ModelError, Request
from inference.identity import simulation_identity
from inference.spec import EngineSpec, ModelSpec, ProviderSpec, Sampling, SimulatorSpec
from inference.tau2_engine import Side, Tau2Engine
from inference.tau2_process import Tau2Process, tau2_version
from tests.inference.tau2_stand_in import make_python

MODEL = ModelSpec(name="m", path="org/m", provider="p", price_prompt_usd=10.0, price_completion_usd=20.0)
USER = ModelSpec(name="u", path="user-1", request_args={"temperature": 0.0, "top_p": None}, price_prompt_usd=1.0,
                 price_completion_usd=1.0)  # fmt: skip
AGENT_USD, USER_USD = 0.012, 0.0011  # of one conversation of the stand-in
AGENT = Side("http://127.0.0.1:9/v1", "org/m", "AGENT_KEY", {"temperature": 0.2, "top_p": None}, 60.0)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return make_python(tmp_path_factory.mktemp("tau2") / "python")


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("AGENT_KEY", "sk-agent-0123456789")
    monkeypatch.setenv("USER_KEY", "sk-user-0123456789")


def simulator(python, **changes):
    options = {"max_steps": 200, "max_errors": 10, "seed": 300, "max_concurrency": 2, "python": python, **changes}
    provider = ProviderSpec("http://127.0.0.1:9/v1", key_env="USER_KEY")
    return SimulatorSpec(name="s", user=USER, provider=provider, **options)


@pytest.fixture
def make(python):
    engines = []

    def make(*what, session=None, **changes):
        tasks = {index: ("airline", {"id": str(index), "do": one}) for index, one in enumerate(what)}
        engines.append(Tau2Engine(MODEL, simulator(python, **changes), tasks, AGENT, session=session))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def request(index, **changes):
    return Request("tau2", index, **{"repeat": 0, "messages": (), "max_tokens": 64, **changes})


def finish(engine):
    finished = []
    while engine.n_in_flight:
        finished += engine.step()
    return sorted(finished, key=lambda one: one.request.index)


def test_conversations_come_back_as_responses(make):
    engine = make("talk", "talk", "talk")
    for index in range(3):
        engine.submit(request(index, repeat=index))
    finished = finish(engine)
    assert [(one.response.index, one.response.repeat, one.response.error) for one in finished] == [
        (0, 0, ""), (1, 1, ""), (2, 2, "")
    ]  # fmt: skip
    response = finished[0].response
    assert response.cost_usd == pytest.approx(AGENT_USD)
    assert response.extra["user_cost"] == pytest.approx(USER_USD)
    assert "raw_data" not in response.text


def test_what_the_package_is_told(make):
    engine = make("talk", "talk")
    engine.submit(request(0))
    engine.submit(request(1, repeat=1))
    told = [json.loads(json.loads(one.response.text)["messages"][0]["content"]) for one in finish(engine)]
    common = ["airline", "openai/org/m", "openai/user-1", 200, 10]
    # The package's own seeds of its first two trials.
    assert told == [[*common, seed, {"temperature": 0.2}, {"temperature": 0.0}] for seed in (626729, 373753)]


@pytest.mark.parametrize(
    ("what", "attempt", "is_transient"),
    [
        pytest.param(503, 1, True, id="a server error"),
        pytest.param(429, 2, True, id="too many requests"),
        pytest.param(503, 3, False, id="for the third time"),
        pytest.param(400, 1, False, id="too long a conversation"),
        pytest.param("leak", 1, True, id="what a model wrote made the package raise"),
    ],
)
def test_a_failure_costs_its_own_conversation(make, what, attempt, is_transient):
    engine = make(what, "talk")
    engine.submit(request(0, attempt=attempt))
    engine.submit(request(1))
    failed, good = finish(engine)
    assert (failed.is_transient, bool(failed.response.error), good.response.error) == (is_transient, True, "")
    assert failed.response.attempts == attempt


def test_no_key_comes_back(make):
    engine = make("leak")
    engine.submit(request(0))
    (failed,) = finish(engine)
    assert failed.response.error == "ValueError: my key is ***"


@pytest.mark.parametrize("what", [401, 404, "no tools"])
def test_a_refusal_ends_the_engine_after_what_was_under_way(make, what):
    engine = make(what, "slow", "talk")
    engine.submit(request(0))
    engine.submit(request(1))
    while not (finished := engine.step()):
        pass
    assert [one.response.error for one in finished] == [""]
    engine.submit(request(2))  # not begun any more
    with pytest.raises(ModelError, match="model m: tau2 cannot be run with it"):
        finish(engine)


def test_a_package_that_dies_is_an_engine_that_died(make):
    engine = make("die")
    engine.submit(request(0))
    with pytest.raises(EngineError, match="ended with status 7"):
        finish(engine)


def test_closing_leaves_no_process(make):
    engine = make("sleep")
    engine.submit(request(0))
    engine.step()
    started = time.monotonic()
    engine.close()
    assert time.monotonic() - started < 10
    assert engine._process._process.poll() is not None


def test_the_budget_stops_before_the_conversation_that_would_break_it(make, tmp_path):
    with ApiSession(tmp_path / "cache", max_cost_usd=3.5 * (AGENT_USD + USER_USD)) as session:
        engine = make(*["talk"] * 6, session=session, max_concurrency=6)
        for index in range(6):
            engine.submit(request(index))
        assert len(finish(engine)) == 2
        assert session.is_exhausted
        assert session.spent_usd == pytest.approx(2 * (AGENT_USD + USER_USD))


def test_a_missing_key_is_named(make, monkeypatch):
    monkeypatch.delenv("USER_KEY")
    with pytest.raises(EngineError, match="export USER_KEY="):
        make("talk")


def test_a_missing_package_is_one_line_that_says_what_to_install(tmp_path, python):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    for interpreter in (str(bare / "bin" / "python"), str(tmp_path / "nowhere")):
        with pytest.raises(EngineError, match=r"\./install\.sh tau2 .* simulator\.python"):
            tau2_version(interpreter)
        with pytest.raises(EngineError, match=r"\./install\.sh tau2 .* simulator\.python"):
            Tau2Process(
                interpreter, {"agent": {"key_env": None, "llm_args": {}}, "user": {"key_env": None, "llm_args": {}}}
            )
    assert tau2_version(python) == "stand-in 1.2"


def test_whoever_and_whatever_determines_a_conversation_is_in_its_digest(python):
    def digest(model=MODEL, tasks="t", **changes):
        other = simulator(python, **changes)
        return simulation_identity(model, EngineSpec(), Sampling(), 64, tasks, other)[0]

    changed = [
        digest(tasks="u"),
        digest(seed=None),
        digest(max_steps=9),
        digest(ModelSpec(name="m", path="x", provider="p")),
    ]
    assert len({digest(), *changed}) == 5
    assert digest() == digest(max_concurrency=1)
