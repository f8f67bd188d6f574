"""The API engine against real servers: what is sent and tried again, what comes back, and how fast it asks."""

import logging
import math
import sys
import time
from email.utils import formatdate

import pytest

from inference.api_client import ApiClient
from inference.api_reply import seconds_of
from inference.api_session import ApiSession
from inference.engine import EngineError
from tests.inference.api_world import KEY, ask, ask_until_refused, drain, engine, request, spec
from tests.inference.fault_proxy import FaultProxy, Provider

pytestmark = pytest.mark.usefixtures("key")


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


def test_the_client_is_one_per_provider(provider, session):
    assert session.client(spec(provider)) is session.client(spec(provider))
    assert isinstance(session.client(spec(provider)), ApiClient)
