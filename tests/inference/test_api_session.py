"""The session of the API engine: what is cached and counted, and that nothing paid for is lost, whatever happens."""

import base64
import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from inference.api_budget import Costs
from inference.api_session import ApiSession
from inference.engine import Request
from tests.inference.api_world import ask, cached_costs, drain, engine, request
from tests.inference.fault_proxy import FaultProxy, Provider

pytestmark = pytest.mark.usefixtures("key")

ROOT = Path(__file__).parents[2]
MODEL = "inference/demo_models/demo-sorter"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FAULTS = {"429": 0.03, "500": 0.03, "503": 0.02, "reset": 0.02, "truncated": 0.02, "malformed": 0.02, "empty": 0.01}


# --- Cache -----------------------------------------------------------------------------------------------------------


def test_a_cached_answer_is_not_sent_and_keeps_its_cost(tmp_path):
    prices = {"price_prompt_usd": 1.0, "price_completion_usd": 1.0}
    with Provider() as provider:
        with ApiSession(tmp_path / "cache") as session:
            (first,) = ask(engine(provider, session, **prices), request(3, "same"))
        with ApiSession(tmp_path / "cache", max_cost_usd=0.0) as session:
            other = engine(provider, session, name="other", **prices)
            (again,) = ask(other, Request("elsewhere", 9, 0, request(3, "same").messages, 64))
            assert session.spent_usd == 0.0
            assert not session.is_exhausted
        assert len(provider.requests) == 1
    assert again.extra == {**first.extra, "cached": True}
    assert (again.index, again.text, again.cost_usd) == (9, first.text, first.cost_usd)
    assert (again.finished_at, again.latency_s) == (first.finished_at, first.latency_s)


def test_repeats_are_answers_of_their_own(provider, session):
    ask(engine(provider, session), *(request(0, repeat=repeat) for repeat in range(3)))
    assert len(provider.requests) == 3


def test_failures_are_not_cached(provider, session):
    provider.script = lambda _, count: (400, {}, {"error": {"message": "no"}}) if count == 1 else None
    one = engine(provider, session)
    assert [ask(one, request())[0].error for _ in range(2)] == ["HTTP 400: no (1 try)", ""]


def test_two_equal_requests_at_the_same_time_send_one(session):
    with Provider(delay_s=0.2, prices=(1.0, 1.0)) as provider:
        models = [engine(provider, session, name=name) for name in ("x", "y")]
        for index in range(4):
            models[index % 2].submit(request(index, "same"))
        responses = drain(*models)
    assert len(provider.requests) == 1
    assert [response.text for response in responses] == ["same"] * 4
    assert sum(response.extra.get("cached", False) for response in responses) == 3
    assert session.spent_usd == responses[0].cost_usd


def test_who_waits_for_an_equal_request_takes_over_if_it_is_given_up(session):
    with Provider(delay_s=0.2) as provider:
        first, second = engine(provider, session, name="x"), engine(provider, session, name="y")
        first.submit(request())
        while not provider.requests:
            time.sleep(0.01)
        second.submit(request())
        first.close()
        assert len(drain(second)) == 1
    assert len(provider.requests) == 2


def test_a_session_that_is_closed_with_requests_under_way_ends_at_once(tmp_path):
    with Provider(delay_s=5.0) as provider:
        started = time.monotonic()
        with ApiSession(tmp_path / "cache") as session:
            engine(provider, session).submit(request())
            while not provider.requests:
                time.sleep(0.01)
        assert time.monotonic() - started < 3


# --- Images ----------------------------------------------------------------------------------------------------------


def image(url):
    return [{"type": "text", "text": "what is it"}, {"type": "image_url", "image_url": {"url": url, "detail": "low"}}]


def test_images_are_sent_as_data_and_known_by_their_bytes(provider, session, tmp_path):
    data = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    for name in ("a b.png", "copy.PNG"):
        (tmp_path / name).write_bytes(PNG)
    one = engine(provider, session)
    urls = [str(tmp_path / "a b.png"), (tmp_path / "a b.png").as_uri(), str(tmp_path / "copy.PNG"), data]
    for number, url in enumerate(urls):
        (response,) = ask(one, request(number, content=image(url)))
        assert response.extra.get("cached", False) == (number > 0)
    assert provider.requests[0]["messages"][0]["content"] == image(data)
    (tmp_path / "copy.PNG").write_bytes(PNG + b"\0")
    ask(one, request(0, content=image(str(tmp_path / "copy.PNG"))), request(1, content=image("https://x.org/i.jpg")))
    assert len(provider.requests) == 3
    assert image("https://x.org/i.jpg") in [fields["messages"][0]["content"] for fields in provider.requests]


def test_an_image_that_is_missing_is_a_failure_that_names_it(provider, session, tmp_path):
    missing, strange = ask(
        engine(provider, session),
        request(0, content=image(str(tmp_path / "gone.jpeg"))),
        request(1, content=image(str(tmp_path / "drawing.svg"))),
    )
    assert "gone.jpeg: No such file" in missing.error
    assert "unknown type '.svg'" in strange.error
    assert provider.requests == []


# --- Budget ----------------------------------------------------------------------------------------------------------

PRICES = {"price_prompt_usd": 1000.0, "price_completion_usd": 1000.0}  # a token is a tenth of a cent


def test_the_budget_is_never_exceeded_and_nothing_paid_is_lost(tmp_path):
    with (
        Provider(delay_s=0.01) as provider,
        FaultProxy(provider.url, rates=FAULTS, prices=(1e3, 1e3)) as proxy,
        ApiSession(tmp_path / "cache", max_cost_usd=1.0) as session,
    ):
        one = engine(proxy, session, **PRICES)
        responses = ask(one, *(request(index, f"each word long {index:04}", max_tokens=4) for index in range(300)))
        assert session.is_exhausted
        spent = session.spent_usd
    paid = [response.cost_usd for response in responses if not response.error]
    delivered = sum(entry.cost_usd for entry in proxy.ledger.values())
    assert 0.98 < sum(paid) <= 1.0 + 1e-9  # twice the largest, 0.008, would not have fitted
    assert spent == pytest.approx(sum(paid))
    assert delivered == pytest.approx(sum(paid))
    assert sum(cached_costs(tmp_path / "cache")) == pytest.approx(sum(paid))


def test_an_unknown_cost_counts_as_what_was_set_aside_and_does_not_grow_from_one_to_the_next():
    costs = Costs()
    assert (costs.settled(math.nan, 0.5), costs.next_usd()) == (0.5, 0.0)
    assert (costs.settled(0.1, 0.5), costs.next_usd()) == (0.1, 0.2)
    assert (costs.settled(math.nan, 0.2), costs.next_usd()) == (0.2, 0.2)
    assert (costs.settled(0.05, 0.2), costs.next_usd()) == (0.05, 0.2)


def test_before_any_cost_is_known_no_more_is_sent_than_the_worst_case_allows(tmp_path):
    with Provider(delay_s=0.2) as provider, ApiSession(tmp_path / "cache", max_cost_usd=0.25) as session:
        one = engine(provider, session, **PRICES)
        for index in range(8):
            one.submit(request(index, "abcd", repeat=index, max_tokens=100))  # at most 0.101, in truth 0.002
        time.sleep(0.1)
        assert len(provider.requests) == 2
        assert not session.is_exhausted  # what is under way may turn out cheaper, and does
        assert len(drain(one)) == 8


def test_a_budget_that_allows_nothing_sends_nothing(tmp_path):
    with Provider() as provider, ApiSession(tmp_path / "cache", max_cost_usd=0.001) as session:
        one = engine(provider, session, **PRICES)
        assert ask(one, *map(request, range(5))) == []
        assert (session.is_exhausted, one.n_in_flight, provider.requests) == (True, 0, [])


def test_without_a_price_the_budget_counts_what_the_server_names(tmp_path):
    with Provider(prices=(1000.0, 1000.0)) as provider, ApiSession(tmp_path / "cache", max_cost_usd=0.05) as session:
        one = engine(provider, session, limits={"max_concurrency": 1})
        responses = ask(one, request(0))
        responses += ask(one, *map(request, range(1, 40)))
        assert session.is_exhausted
        assert sum(response.cost_usd for response in responses) == pytest.approx(0.040)  # five of 0.008, room for two


def test_without_any_price_there_is_no_limit(tmp_path):
    with Provider() as provider, ApiSession(tmp_path / "cache", max_cost_usd=0.05) as session:
        responses = ask(engine(provider, session), *map(request, range(20)))
        assert len(responses) == 20
        assert all(math.isnan(response.cost_usd) for response in responses)
        assert not session.is_exhausted


def test_answers_that_cannot_be_used_count_too(tmp_path):
    with (
        Provider(lambda *_: {"choices": []}, prices=(1e3, 1e3)) as provider,
        ApiSession(tmp_path / "cache", max_cost_usd=0.03) as session,
    ):
        one = engine(provider, session)
        assert ask(one, request(0, "a b c d")) == []  # each try costs 0.008, room for two is asked for
        assert (session.is_exhausted, len(provider.requests)) == (True, 2)
        assert session.spent_usd == pytest.approx(0.016)


# --- Killed ----------------------------------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
from inference.api_engine import ApiEngine
from inference.api_session import ApiSession
from inference.engine import Request
from inference.spec import ModelSpec, ProviderSpec, Sampling
with ApiSession(Path(sys.argv[2])) as session:
    one = ApiEngine(ModelSpec("m", "wire"), ProviderSpec(sys.argv[1], max_concurrency=8), Sampling(), session)
    for index in range(2000):
        one.submit(Request("b", index, 0, ({"role": "user", "content": f"w {index}"},), 8))
    while one.n_in_flight:
        for finished in one.step():
            print(finished.response.text, flush=True)
"""


@pytest.mark.slow
def test_a_killed_process_has_kept_everything_that_came_home(tmp_path):
    with Provider(delay_s=0.01) as provider, FaultProxy(provider.url) as proxy:
        child = subprocess.Popen([sys.executable, "-c", CHILD, proxy.url, str(tmp_path / "cache")],
                                 cwd=ROOT, stdout=subprocess.PIPE, text=True)  # fmt: skip
        given_back = [child.stdout.readline() for _ in range(60)]
        child.send_signal(signal.SIGKILL)
        given_back += child.stdout.readlines()
        child.wait()
        child.stdout.close()
        time.sleep(0.3)
        n_delivered = sum(entry.n_delivered for entry in proxy.ledger.values())
        with ApiSession(tmp_path / "cache") as session:
            responses = ask(engine(proxy, session, limits={"key_env": None}),
                            *(request(index, f"w {index}", max_tokens=8) for index in range(2000)))  # fmt: skip
        cached = {response.text for response in responses if response.extra.get("cached")}
    assert 60 <= n_delivered < 2000, "the test has to kill it in the middle"
    assert {line.strip() for line in given_back if line.endswith("\n")} <= cached
    assert n_delivered - 2 * 8 <= len(cached)  # those in flight, and those whose commit was under way


# --- A real server ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vllm_url(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = tmp_path_factory.mktemp("vllm") / "log"
    # what `vllm serve` starts; that command itself insists on a package named vllm
    program = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", MODEL]
    arguments = ["--dtype", "float32", "--enforce-eager", "--max-model-len", "512", "--host", "127.0.0.1"]
    with path.open("wb") as log:
        server = subprocess.Popen(
            [*program, *arguments, "--port", str(port)],
            cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
    try:
        wait_for_health(f"http://127.0.0.1:{port}/health", server, path)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_for_health(url, server, log):
    end = time.monotonic() + 180
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            assert server.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < end, log.read_text()[-2000:]
            time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_thousand_requests_to_a_real_server_through_faults(vllm_url, tmp_path):
    n, prices = 2000, {"price_prompt_usd": 3.0, "price_completion_usd": 15.0}
    requests = [request(index, f"Sort: {index % 97} {index} {index % 13}", max_tokens=8) for index in range(n)]
    rates = {**FAULTS, "timeout": 0.002}
    with FaultProxy(vllm_url, seed=7, rates=rates, prices=(3.0, 15.0), hold_s=12.0) as proxy:
        one = {"path": MODEL, **prices}
        limits = {"max_concurrency": 48, "timeout_s": 10.0}
        with ApiSession(tmp_path / "cache") as session:
            responses = ask_for_long(engine(proxy, session, limits=limits, **one), requests)
            spent = session.spent_usd
        failed = [response for response in responses if response.error]
        assert [response.index for response in responses] == list(range(n))
        assert all(response.attempts == 10 for response in failed)
        assert len(failed) < 5  # 0.15 ** 10 each
        assert all(proxy.n_injected[kind] for kind in rates)
        assert not any(entry.n_after_delivery for entry in proxy.ledger.values())
        assert {entry.n_delivered for entry in proxy.ledger.values()} == {1}
        delivered = sum(entry.cost_usd for entry in proxy.ledger.values())
        assert sum(response.cost_usd for response in responses) == pytest.approx(delivered, abs=1e-9)
        assert spent == pytest.approx(delivered, abs=1e-9)
        assert sum(cached_costs(tmp_path / "cache")) == pytest.approx(delivered, abs=1e-9)

        n_arrived = sum(entry.n_arrived for entry in proxy.ledger.values())
        with ApiSession(tmp_path / "cache") as session:
            again = ask_for_long(engine(proxy, session, limits=limits, **one), requests)
            assert session.spent_usd == 0.0
        assert sum(entry.n_arrived for entry in proxy.ledger.values()) == n_arrived
        assert [response.text for response in again] == [response.text for response in responses]

        before = delivered
        with ApiSession(tmp_path / "cache", max_cost_usd=before / 20) as session:
            repeats = [request(each.index, each.messages[0]["content"], repeat=1, max_tokens=8) for each in requests]
            bounded = ask_for_long(engine(proxy, session, limits=limits, **one), repeats)
            assert session.is_exhausted
        paid = sum(response.cost_usd for response in bounded)
        assert 0.9 * before / 20 < paid <= before / 20
        assert sum(entry.cost_usd for entry in proxy.ledger.values()) == pytest.approx(before + paid, abs=1e-9)
        assert sum(cached_costs(tmp_path / "cache")) == pytest.approx(before + paid, abs=1e-9)


def ask_for_long(one, requests):
    """As the serving loop does: a few more than the capacity at a time."""
    waiting, finished = list(reversed(requests)), []
    while waiting or one.n_in_flight:
        while waiting and one.n_in_flight < one.capacity * 5 // 4:
            one.submit(waiting.pop())
        finished += [result.response for result in one.step()]
    return sorted(finished, key=lambda response: response.index)
