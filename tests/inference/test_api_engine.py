"""The API engine against real servers: what is sent, tried again and paid for, and that nothing paid for is lost."""

import base64
import contextlib
import json
import logging
import math
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from email.utils import formatdate
from pathlib import Path

import pytest

from inference.api_client import ApiClient
from inference.api_engine import ApiEngine
from inference.api_reply import seconds_of
from inference.api_session import ApiSession
from inference.engine import EngineError, Request
from inference.spec import ModelSpec, ProviderSpec, Sampling
from tests.inference.fault_proxy import FaultProxy, Provider

ROOT = Path(__file__).parents[2]
MODEL = "inference/demo_models/demo-sorter"
KEY = "sk-very-secret-0123456789"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FAULTS = {"429": 0.03, "500": 0.03, "503": 0.02, "reset": 0.02, "truncated": 0.02, "malformed": 0.02, "empty": 0.01}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("TEST_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def session(tmp_path):
    with ApiSession(tmp_path / "cache") as session:
        yield session


@pytest.fixture
def provider():
    with Provider() as provider:
        yield provider


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


# --- One answer ------------------------------------------------------------------------------------------------------


def test_an_answer_has_everything_the_server_said(provider, session):
    usage = {"prompt_tokens": 11, "completion_tokens": 22, "completion_tokens_details": {"reasoning_tokens": 7}}
    message = {"content": "x\n", "reasoning_content": "hm"}
    provider.script = lambda *_: {"usage": usage, "choices": [{"message": message, "finish_reason": "length"}]}
    before = time.time()
    (response,) = ask(engine(provider, session, price_prompt_usd=1.0, price_completion_usd=2.0), request(4, repeat=2))
    assert (response.index, response.repeat, response.text, response.error) == (4, 2, "x\n", "")
    assert (response.finish_reason, response.prompt_tokens, response.completion_tokens) == ("length", 11, 22)
    assert response.cost_usd == pytest.approx(55e-6)
    assert response.attempts == 1
    assert before <= response.finished_at <= time.time()
    assert 0 < response.latency_s < 10
    assert response.extra == {
        "response_id": "chatcmpl-1", "model": "wire-2026", "reasoning": "hm", "reasoning_tokens": 7,
    }  # fmt: skip
    assert session.spent_usd == pytest.approx(55e-6)


def test_what_is_sent(provider, session):
    args = {"max_tokens": None, "max_completion_tokens": 9, "temperature": None, "reasoning_effort": "low"}
    ask(engine(provider, session, request_args=args), request(0, "q"))
    messages = [{"role": "user", "content": "q"}]
    assert provider.requests == [
        {"model": "wire", "messages": messages, "top_p": 1.0, "max_completion_tokens": 9, "reasoning_effort": "low"}
    ]
    ask(engine(provider, session), request(0, "q", max_tokens=5))
    assert provider.requests[1] == {
        "model": "wire", "messages": messages, "temperature": 0.2, "top_p": 1.0, "max_tokens": 5,
    }  # fmt: skip
    assert provider.headers[0]["authorization"] == f"Bearer {KEY}"


def test_the_cost_the_server_names_is_the_cost(session):
    with Provider(prices=(5.0, 5.0)) as provider:
        (response,) = ask(engine(provider, session, price_prompt_usd=1.0, price_completion_usd=1.0), request(0, "a b"))
    assert response.cost_usd == pytest.approx(20e-6)


def test_without_usage_tokens_and_cost_are_unknown(provider, session):
    provider.script = lambda *_: {"usage": None}
    one = engine(provider, session, price_prompt_usd=1.0, price_completion_usd=1.0)
    for expected in ({}, {"cached": True}):
        (response,) = ask(one, request(0, "q"))
        assert (response.text, response.prompt_tokens, response.completion_tokens) == ("q", -1, -1)
        assert math.isnan(response.cost_usd)
        assert response.extra.items() >= expected.items()


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"message": {"content": ""}, "finish_reason": "stop"}, ""),
        ({"message": {"content": None}, "finish_reason": "length"}, ""),
        ({"message": {"content": None, "refusal": "I will not"}, "finish_reason": "stop"}, "I will not"),
    ],
)
def test_an_answer_may_be_empty_or_a_refusal(provider, session, choice, text):
    provider.script = lambda *_: {"choices": [choice]}
    (response,) = ask(engine(provider, session), request())
    assert (response.text, response.error, len(provider.requests)) == (text, "", 1)


# --- Tries -----------------------------------------------------------------------------------------------------------

SPOILT = {
    "no choices": {"choices": []},
    "an error instead": {"choices": None, "error": {"message": "upstream busy", "code": 502}},
    "null content": {"choices": [{"message": {"content": None}, "finish_reason": "stop"}]},
    "null message": {"choices": [{"message": None}]},
    "usage is a list": {"usage": [1]},
    "malformed": (200, {}, b'{"choices": [{"mess'),
    "not an object": (200, {}, b"[]"),
    "not UTF-8": (200, {}, b"\xff\xfe"),
    **{str(status): (status, {}, {"error": {"message": "later"}}) for status in (408, 409, 429, 500, 502, 529)},
    "a page": (503, {}, b"<html>Bad\ngateway</html>"),
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_what_may_pass_is_tried_again(provider, session, spoilt):
    provider.script = lambda _, count: spoilt if count < 3 else None
    (response,) = ask(engine(provider, session), request(0, "a b"))
    assert (response.text, response.error, response.attempts) == ("b a", "", 3)


@pytest.mark.parametrize("kind", ["reset", "truncated", "timeout"])
def test_connections_that_break_are_tried_again(provider, session, kind):
    with FaultProxy(provider.url, seed=1, rates={kind: 0.5}, hold_s=0.6) as proxy:
        responses = ask(engine(proxy, session, limits={"timeout_s": 0.3}), *map(request, range(8)))
    assert [response.error for response in responses] == [""] * 8
    assert proxy.n_injected[kind] > 0
    assert sum(response.attempts for response in responses) == 8 + proxy.n_injected[kind]


def test_a_server_that_is_not_there_is_a_failure_with_its_cause(session):
    with Provider() as provider:
        pass
    (response,) = ask(engine(provider, session, max_attempts=2), request())
    assert "connection failed" in response.error
    assert response.error.endswith("(2 tries)")


def test_after_the_last_try_the_failure_is_the_record(provider, session):
    provider.script = lambda *_: (500, {}, {"error": {"message": "out of\norder"}})
    one = engine(provider, session, max_attempts=4)
    one.submit(request(7))
    finished = []
    while not finished:
        finished = one.step()
    response = finished[0].response
    assert not finished[0].is_transient
    assert (response.index, response.error, response.attempts) == (7, "HTTP 500: out of order (4 tries)", 4)
    assert (response.text, response.cost_usd, len(provider.requests)) == ("", 0.0, 4)


REFUSED = {
    "too long": (400, {}, {"error": {"message": "context too long"}}),
    "too large": (413, {}, b""),
    "not understood": (422, {}, {"detail": "no"}),
    "moderation": (403, {}, {"error": {"message": "flagged by moderation"}}),
    "policy": (500, {}, {"error": {"message": "sensitive_words_detected"}}),
    "filter": {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]},
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_what_will_not_pass_is_a_failure_at_once(provider, session, refused):
    provider.script = lambda fields, _: refused if "bad" in fields["messages"][0]["content"] else None
    bad, good = ask(engine(provider, session), request(0, "bad"), request(1, "good"))
    assert bad.error.endswith("(1 try)")
    assert good.text == "good"
    assert len(provider.requests) == 2


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_pauses_the_whole_provider(provider, session, as_date):
    def script(fields, count):
        if fields["model"] == "busy" and count == 1:
            pause = formatdate(time.time() + 2.0, usegmt=True) if as_date else "1"
            return 429, {"Retry-After": pause}, {"error": {"message": "slow down"}}
        return None

    provider.script = script
    busy, other = engine(provider, session, path="busy"), engine(provider, session, path="other")
    busy.submit(request())
    while not provider.times:
        time.sleep(0.01)
    time.sleep(0.2)
    other.submit(request())
    drain(busy, other)
    assert len(provider.times) == 3
    assert min(provider.times[1:]) - provider.times[0] > 0.95


def test_retry_after_is_understood_and_capped():
    assert seconds_of("1.5", 0.0) == 1.5
    assert seconds_of("100000", 0.0) == seconds_of(formatdate(1e9, usegmt=True), 0.0) == 600.0
    assert seconds_of(formatdate(1030, usegmt=True), 1000.0) == 30.0
    assert [seconds_of(text, 1000.0) for text in (None, "soon", "-3", "nan", formatdate(5, usegmt=True))] == [0.0] * 5


# --- What concerns the model as a whole ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (401, f"Incorrect API key provided: {KEY}", "check the key in TEST_API_KEY"),
        (402, "insufficient balance", "no credit is left"),
        (403, "not for you", "no permission"),
        (404, "no such model", "'wire'"),
        (429, "You exceeded your current quota: insufficient_quota", "no credit is left"),
    ],
)
def test_a_refusal_of_the_model_is_one_clear_line_and_no_failure(provider, session, status, message, advice):
    provider.script = lambda *_: (status, {}, {"error": {"message": message}})
    text = ask_until_refused(engine(provider, session), *map(request, range(3)))
    assert advice in text
    assert "model m" in text
    assert f"HTTP {status}" in text
    assert "\n" not in text
    assert KEY not in text


def test_answers_already_paid_for_come_home_before_the_refusal(provider, session):
    def script(fields, _):
        if "slow" not in fields["messages"][0]["content"]:
            return 402, {}, {"error": {"message": "no credit"}}
        time.sleep(0.5)
        return None

    provider.script = script
    one = engine(provider, session)
    for each in (request(0, "slow"), request(1, "late")):
        one.submit(each)
    finished = []
    while not finished:
        finished += one.step()
    with pytest.raises(EngineError):
        one.step()
    assert [result.response.text for result in finished] == ["slow"]


def test_a_refusal_does_not_wait_for_requests_whose_turn_is_far(provider, session):
    provider.script = lambda *_: (401, {}, {"error": {"message": "no"}})
    one = engine(provider, session, limits={"requests_per_minute": 1.0})
    started = time.monotonic()
    ask_until_refused(one, *map(request, range(5)))
    assert time.monotonic() - started < 5
    assert len(provider.requests) == 1


def test_a_missing_key_is_named_and_a_pasted_one_is_not(provider, session, monkeypatch):
    monkeypatch.delenv("TEST_API_KEY")
    with pytest.raises(EngineError, match="export TEST_API_KEY"):
        engine(provider, session)
    with pytest.raises(EngineError, match="NAME") as caught:
        engine(provider, session, limits={"key_env": KEY})
    assert KEY not in str(caught.value)
    monkeypatch.setenv("TEST_API_KEY", f"{KEY} and more")
    with pytest.raises(EngineError, match="no key") as caught:
        engine(provider, session)
    assert KEY not in str(caught.value)


def test_an_api_without_a_key(provider, session):
    (response,) = ask(engine(provider, session, limits={"key_env": None}), request())
    assert response.error == ""
    assert KEY not in provider.headers[0]["authorization"]


def test_without_openai_the_message_says_what_to_install(provider, session, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(EngineError, match=r"routeyard\[api\]"):
        engine(provider, session)


def test_fields_that_would_break_the_count_are_refused(provider, session):
    with pytest.raises(EngineError, match="remove n, stream"):
        engine(provider, session, request_args={"stream": True, "n": 4})


def test_the_key_is_in_no_response_log_or_cache(provider, tmp_path, caplog):
    def script(fields, count):
        kind = fields["messages"][0]["content"]
        if kind == "echo":
            return {"id": KEY, "choices": [{"message": {"content": f"it is {KEY}"}, "finish_reason": "stop"}]}
        if kind == "error" or count == 1:
            return 500, {}, {"error": {"message": f"bad key {KEY}"}}
        return 400, {}, f"bad key {KEY}".encode()

    provider.script = script
    with caplog.at_level(logging.DEBUG), ApiSession(tmp_path / "cache") as session:
        one = engine(provider, session, max_attempts=2)
        responses = ask(one, *(request(index, kind) for index, kind in enumerate(("echo", "error", "other"))))
    assert [bool(response.error) for response in responses] == [False, True, True]
    assert KEY not in repr(responses) + caplog.text
    assert KEY.encode() not in (tmp_path / "cache").read_bytes()


def test_a_poisoned_request_costs_itself(provider, session):
    bad, good = ask(engine(provider, session), request(0, "lone \ud800"), request(1, "good"))
    assert "Unicode" in bad.error
    assert good.text == "good"


# --- Limits of a provider --------------------------------------------------------------------------------------------


def test_concurrency_is_bounded_per_provider_over_all_its_models(session):
    with Provider(delay_s=0.05) as provider:
        models = [engine(provider, session, path=name, limits={"max_concurrency": 3}) for name in ("x", "y")]
        for one in models:
            for index in range(10):
                one.submit(request(index))
        assert len(drain(*models)) == 20
    assert models[0].capacity == 3
    assert provider.most_at_once == 3


def test_requests_per_minute_are_spread_evenly(provider, session):
    one = engine(provider, session, limits={"requests_per_minute": 600.0})
    ask(one, *map(request, range(6)))
    gaps = [later - sooner for sooner, later in zip(provider.times, provider.times[1:], strict=False)]
    assert min(gaps) > 0.03  # 0.1 but for a busy machine; at once they would be some milliseconds apart
    assert 0.45 < provider.times[-1] - provider.times[0] < 3


def test_providers_do_not_wait_for_each_other(session):
    with Provider(delay_s=0.3) as slow, Provider() as fast:
        one = engine(slow, session, limits={"max_concurrency": 1})
        for index in range(4):
            one.submit(request(index))
        started = time.monotonic()
        ask(engine(fast, session), request())
        assert time.monotonic() - started < 1.0
        drain(one)


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
    assert 0.99 < sum(paid) <= 1.0 + 1e-9  # not one more of 0.008 would have fitted
    assert spent == pytest.approx(sum(paid))
    assert delivered == pytest.approx(sum(paid))
    assert sum(cached_costs(tmp_path / "cache")) == pytest.approx(sum(paid))


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
        assert sum(response.cost_usd for response in responses) == pytest.approx(0.048)  # six of 0.008


def test_without_any_price_there_is_no_limit(tmp_path):
    with Provider() as provider, ApiSession(tmp_path / "cache", max_cost_usd=0.05) as session:
        responses = ask(engine(provider, session), *map(request, range(20)))
        assert len(responses) == 20
        assert all(math.isnan(response.cost_usd) for response in responses)
        assert not session.is_exhausted


def test_answers_that_cannot_be_used_count_too(tmp_path):
    with (
        Provider(lambda *_: {"choices": []}, prices=(1e3, 1e3)) as provider,
        ApiSession(tmp_path / "cache", max_cost_usd=0.02) as session,
    ):
        one = engine(provider, session)
        assert ask(one, request(0, "a b c d")) == []  # each try costs 0.008
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


def test_the_client_is_one_per_provider(provider, session):
    assert session.client(spec(provider)) is session.client(spec(provider))
    assert isinstance(session.client(spec(provider)), ApiClient)
