"""Judging against a real HTTP server: what is asked, asked again and paid for, and that one bad thing stays one."""

import itertools
import json
import math
import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import jobs.judge
import jobs.score
from inference.api_engine import ApiEngine
from inference.spec import JudgeSpec, ModelSpec, ProviderSpec, Sampling
from jobs.judge import judge
from jobs.score import ScoreTask, needs_scoring
from jobs.stop import Stopped
from scoring.judged import JudgedBenchmark, Question
from store.layout import Layout
from store.matrix import load_matrix
from store.queries import write_queries
from store.records import Query, Response, Score
from store.release_export import export_pair
from store.release_import import import_release
from store.responses import ResponseWriter
from store.scores import read_scores
from tests.inference.fault_proxy import FaultProxy, Provider
from tests.releases import make_release

PRICES = (1000.0, 2000.0)  # USD per million tokens
FAULTS = {"429": 0.1, "500": 0.1, "reset": 0.05, "truncated": 0.05, "malformed": 0.05}


def question(text, read=lambda reply: reply if reply in {"yes", "no"} else None, judge=0):
    return Question(messages=({"role": "user", "content": text},), read=read, reminder="yes or no?", judge=judge)


class OneJudge(JudgedBenchmark):
    """Right where the judge says yes. Some answers make the code fail."""

    name = "one"

    def load(self, data_dir):
        return [Query(index, f"{index}?", "gold") for index in range(60)]

    def prompt(self, query):
        return [{"role": "user", "content": query.text}]

    def judging(self, query, text):
        if text == "":
            return Score(0.0, "", "no answer")
        if text == "raise":
            raise ZeroDivisionError("a bug")
        if text == "misread":
            yield [question(text, read=lambda reply: {}[reply])]
        if text == "wrong type":
            return 1.0
        (verdict,) = yield [question(f"{query.index}: {text}")]
        return Score(7.0 if text == "too much" else float(verdict == "yes"), verdict, "as the judge says")

    def judging_compat(self, query, text):
        (verdict,) = yield [question(f"compat: {text}", read=lambda reply: reply)]
        return Score(0.0, verdict)


class TwoJudges(OneJudge):
    """Two questions to each of two judges at once; a last one if they disagree."""

    name = "two"
    n_judges = 2

    def judging(self, query, text):
        yield []  # a step without questions is over at once
        verdicts = yield [question(f"{query.index}: {text} {side}", judge=at) for side in "ab" for at in (0, 1)]
        if len(set(verdicts)) > 1:
            verdicts += yield [question(f"{query.index}: {text}, once more", judge=1)]
        return Score(verdicts.count("yes") / len(verdicts), " ".join(verdicts))


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    classes = {"one": OneJudge, "two": TwoJudges}
    for module in (jobs.judge, jobs.score):
        monkeypatch.setattr(module, "find", lambda name, **params: classes[name](**params))
    monkeypatch.setattr(jobs.judge, "ApiEngine", partial(ApiEngine, backoff_s=0.001))


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "store")
    for name in ("one", "two"):
        write_queries(layout, name, OneJudge().queries(tmp_path))
    return layout


@pytest.fixture
def provider():
    with Provider(says(), prices=PRICES) as provider:
        yield provider


def says(replies=None):
    """A script: what is said to questions that hold a text, a list one after another; yes to all others."""

    def script(fields, count):
        content = fields["messages"][0]["content"]
        found = next((reply for part, reply in (replies or {}).items() if part in content), "yes")
        if isinstance(found, list):
            found = found[min(len(fields["messages"]) // 2, len(found) - 1)]
        return found if isinstance(found, tuple) else {"choices": [{"message": {"content": found}}]}

    return script


def spec(server, name="j", *, url=None, **changes):
    prices = {"price_prompt_usd": PRICES[0], "price_completion_usd": PRICES[1]}
    model = ModelSpec(f"the {name}", f"wire-{name}", **{"max_tokens": 9, **prices, **changes})
    return JudgeSpec(name, model, ProviderSpec(url or server.url, max_concurrency=8, timeout_s=20.0), Sampling(0.0))


def answer(layout, texts, *, benchmark="one", model="m", first=0, error="", finished_at=1.0):
    writer = ResponseWriter(layout, benchmark, model, f"w{first}-{finished_at}", {"digest": "d"})
    for index, text in enumerate(texts, first):
        writer.append(Response(index, text=text, error=error, finished_at=finished_at))
    writer.commit()


def task(layout, *judges, benchmark="one", models=("m",), **options):
    return ScoreTask(root=layout.root, benchmark=benchmark, models=models, params={}, judges=judges, **options)


def rows(layout, benchmark="one", model="m"):
    return read_scores(layout, benchmark, model)[0]


def last_of(provider):
    return [fields["messages"][-1]["content"] for fields in provider.requests]


def delivered(proxy):
    return sum(entry.cost_usd for entry in proxy.ledger.values())


# --- What is asked and kept ------------------------------------------------------------------------------------------


def test_every_response_is_judged_and_everything_about_it_is_kept(layout, provider):
    provider.script = says({"wrong": "no"})
    answer(layout, ["right", "wrong", "right"])
    judged = task(layout, spec(provider))
    assert needs_scoring(judged)
    summary = judge([judged])
    table, meta = read_scores(layout, "one", "m")
    assert table["score"].tolist() == [1, 0, 1]
    assert table["prediction"] == ["yes", "no", "yes"]
    assert [json.loads(replies) for replies in table["judge_replies"]] == [
        [{"judge": 0, "reply": reply}] for reply in ("yes", "no", "yes")
    ]
    assert table["judge_prompt_tokens"].tolist() == table["judge_completion_tokens"].tolist() == [2, 2, 2]
    assert table["judge_cost_usd"] == pytest.approx([0.006] * 3)
    assert meta["judges"] == [{
        "model": "wire-j", "base_url": provider.url, "request_args": {},
        "sampling": {"temperature": 0.0, "top_p": 1.0, "max_tokens": 9},
    }]  # fmt: skip
    assert (summary.n_judged, summary.problems) == (3, {})
    assert summary.cost_usd == summary.spent_usd == pytest.approx(0.018)
    assert sorted(last_of(provider)) == ["0: right", "1: wrong", "2: right"]
    assert provider.requests[0] == {
        "model": "wire-j", "messages": provider.requests[0]["messages"],
        "temperature": 0.0, "top_p": 1.0, "max_tokens": 9,
    }  # fmt: skip
    assert not needs_scoring(judged)


def test_what_reads_scores_does_not_mind_the_further_columns(layout, provider, tmp_path):
    answer(layout, ["right"] * 60)
    judge([task(layout, spec(provider))])
    assert load_matrix(layout, ["one"], ["m"]).score.tolist() == [[1.0]] * 60
    exported = json.loads(export_pair(layout, "one", "m", tmp_path).read_text())
    assert [record["score"] for record in exported["records"]] == [1.0] * 60


def test_failures_and_answers_that_need_no_judge_cost_nothing(layout, provider):
    answer(layout, ["", ""])
    answer(layout, [""], error="too long", first=2)
    summary = judge([task(layout, spec(provider))])
    assert rows(layout)["score"].tolist() == [0, 0, 0]
    assert rows(layout)["explanation"] == ["no answer", "no answer", "the request failed"]
    assert (summary.n_judged, summary.cost_usd, provider.requests) == (3, 0.0, [])


def test_the_published_rules_ask_their_own_questions(layout, provider):
    answer(layout, ["", "x"])
    judge([task(layout, spec(provider), profile="compat")])
    assert sorted(last_of(provider)) == ["compat: ", "compat: x"]


def test_the_questions_of_a_step_are_asked_together_and_their_verdicts_come_in_order(layout, provider):
    provider.script, provider.delay_s = says({"split b": "no"}), 0.1
    answer(layout, ["split", "agreed"], benchmark="two")
    judge([task(layout, spec(provider, "j"), spec(provider, "k"), benchmark="two")])
    assert rows(layout, "two")["prediction"] == ["yes yes no no yes", "yes yes yes yes"]
    assert rows(layout, "two")["score"].tolist() == [0.6, 1.0]
    assert provider.most_at_once == 8
    assert [fields["model"] for fields in provider.requests if "more" in fields["messages"][0]["content"]] == ["wire-k"]


def test_one_judge_in_two_places_gives_two_replies(layout, provider):
    answer(layout, ["agreed"], benchmark="two")
    judge([task(layout, spec(provider), spec(provider), benchmark="two")])
    assert sorted(last_of(provider)) == ["0: agreed a"] * 2 + ["0: agreed b"] * 2


def test_many_responses_are_judged_at_once_within_the_limit_of_the_provider(layout, provider):
    provider.delay_s = 0.1
    for model in ("m", "n"):
        answer(layout, [f"{model} {index}" for index in range(40)], model=model)
    begin = time.monotonic()
    assert judge([task(layout, spec(provider), models=("m", "n"))]).n_judged == 80
    assert time.monotonic() - begin < 4  # one after another: 8 s
    assert provider.most_at_once == 8


def test_code_that_takes_long_does_not_keep_other_responses_waiting(layout, provider, monkeypatch):
    def script(fields, count):
        if len(provider.requests) == 20:
            others_are_asked.set()
        return says()(fields, count)

    def judging(self, query, text):
        assert text != "slow" or others_are_asked.wait(20)
        (verdict,) = yield [question(text)]
        return Score(1.0, verdict)

    others_are_asked, provider.script = threading.Event(), script
    monkeypatch.setattr(OneJudge, "judging", judging)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    answer(layout, ["slow", *(f"answer {index}" for index in range(20))])
    assert judge([task(layout, spec(provider))]).n_judged == 21
    assert last_of(provider)[20:] == ["slow"]


def test_lone_surrogates_are_no_obstacle(layout, provider):
    answer(layout, ["a \ud800 b"])
    assert judge([task(layout, spec(provider))]).n_judged == 1
    assert last_of(provider) == ["0: a ? b"]


# --- What is paid ----------------------------------------------------------------------------------------------------


def test_every_question_is_paid_once_whatever_the_network_does(layout, provider):
    with FaultProxy(provider.url, rates=FAULTS, prices=PRICES) as proxy:
        for model in ("m", "n"):
            answer(layout, [f"{model} {index}" for index in range(60)], model=model)
        judged = task(layout, spec(proxy), models=("m", "n"))
        summary = judge([judged])
        assert (summary.n_judged, summary.problems) == (120, {})
        assert sum(proxy.n_injected.values()) > 20
        assert {entry.n_delivered for entry in proxy.ledger.values()} == {1}
        costs = sum(rows(layout, model=model)["judge_cost_usd"].sum() for model in ("m", "n"))
        assert costs == pytest.approx(delivered(proxy), abs=1e-9)
        assert summary.cost_usd == pytest.approx(costs, abs=1e-9)

        n_arrived = sum(entry.n_arrived for entry in proxy.ledger.values())
        again = judge([replace(judged, again=True)])
        assert (again.n_judged, again.spent_usd) == (120, 0.0)
        assert again.cost_usd == pytest.approx(costs, abs=1e-9)  # a reply from the cache counts with what it cost
        assert sum(entry.n_arrived for entry in proxy.ledger.values()) == n_arrived


def test_the_budget_stops_and_a_larger_one_goes_on_from_there(layout, provider):
    answer(layout, [f"answer {index}" for index in range(60)])
    with FaultProxy(provider.url, prices=PRICES) as proxy:
        judged = task(layout, spec(proxy))
        summary = judge([judged], max_cost_usd=0.2)
        assert 0.1 < summary.spent_usd <= 0.2
        assert summary.spent_usd == pytest.approx(delivered(proxy), abs=1e-9)
        n_left = 60 - summary.n_judged
        assert summary.problems == {
            "one": f"{n_left} responses not judged: max_cost=0.2 USD is spent; a larger one goes on from there"
        }
        assert len(rows(layout)["score"]) == summary.n_judged > 0  # what there is was written
        assert needs_scoring(judged)
        assert judge([judged]).n_judged == n_left
        assert {entry.n_delivered for entry in proxy.ledger.values()} == {1}
    assert rows(layout)["judge_cost_usd"].sum() == pytest.approx(delivered(proxy), abs=1e-9)
    assert not needs_scoring(judged)


def test_only_what_came_since_is_judged_and_the_rest_keeps_its_costs(layout, provider):
    answer(layout, ["x", "x"])
    judge([task(layout, spec(provider))])
    answer(layout, ["y"], first=2, finished_at=2.0)
    summary = judge([task(layout, spec(provider))])
    assert (summary.n_judged, len(provider.requests)) == (1, 3)
    assert rows(layout)["judge_cost_usd"] == pytest.approx([0.006] * 3)
    assert rows(layout)["judge_replies"] == ['[{"judge":0,"reply":"yes"}]'] * 3


@pytest.mark.parametrize("change", [{"path": "other"}, {"request_args": {"top_p": None}}, {"max_tokens": 8}], ids=str)
def test_another_judge_judges_anew(layout, provider, change):
    answer(layout, ["x"])
    judge([task(layout, spec(provider))])
    first = spec(provider)
    other = task(layout, replace(first, model=replace(first.model, **change)))
    assert needs_scoring(other)
    assert judge([other]).n_judged == 1
    assert len(provider.requests) == 2


def test_a_judge_may_change_its_name_price_and_limits(layout, provider):
    answer(layout, ["x"])
    judge([task(layout, spec(provider))])
    first = spec(provider)
    same = replace(first, name="k", model=replace(first.model, name="k", price_prompt_usd=0.0))
    same = replace(same, provider=replace(first.provider, max_concurrency=1, key_env="KEY"))
    assert not needs_scoring(task(layout, same))


# --- Replies and judges that fail ------------------------------------------------------------------------------------


def test_an_unreadable_reply_is_asked_again_with_a_reminder(layout, provider):
    provider.script = says({"odd": ["well", "", "no"]})
    answer(layout, ["odd"])
    assert judge([task(layout, spec(provider))]).n_judged == 1
    assert provider.requests[-1]["messages"] == [
        {"role": "user", "content": "0: odd"},
        {"role": "assistant", "content": "well"},
        {"role": "user", "content": "yes or no?"},
        {"role": "assistant", "content": "(no text)"},
        {"role": "user", "content": "yes or no?"},
    ]
    table = rows(layout)
    assert table["score"].tolist() == [0]
    assert [reply["reply"] for reply in json.loads(table["judge_replies"][0])] == ["well", "", "no"]
    paid = sum(2 * len(text.split()) for text in ("0: odd", "yes or no?", "yes or no?"))
    assert table["judge_prompt_tokens"].tolist() == [paid // 2]
    assert table["judge_cost_usd"][0] == pytest.approx(paid / 2 * sum(PRICES) / 1e6)


def test_what_stays_unreadable_has_no_score_and_is_not_paid_for_again(layout, provider):
    provider.script = says({"odd": "[/well]"})
    answer(layout, ["odd", "x"])
    judged = task(layout, spec(provider))
    for n_judged in (1, 0):
        summary = judge([judged])
        assert summary.n_judged == n_judged
        why = "judge: unreadable reply: '[/well]'"
        assert summary.problems == {"one": f"1 responses without a verdict, such as m, index 0: {why}"}
        assert len(provider.requests) == 7  # asked once, reminded five times; the other one
        table = rows(layout)
        assert math.isnan(table["score"][0])
        assert table["score"][1] == 1
        assert table["explanation"][0] == why
        assert table["judge_cost_usd"][0] == pytest.approx((2 + 5 * 3) * sum(PRICES) / 1e6)
        assert needs_scoring(judged)
    assert np.isnan(load_matrix(layout, ["one"], ["m"]).score[0, 0])


def test_a_failure_of_the_judge_is_no_verdict_and_is_asked_again_next_time(layout, provider):
    provider.script = says({"bad": (400, {}, {"error": {"message": "context too long"}})})
    answer(layout, ["bad", "x"])
    judged = task(layout, spec(provider))
    assert "context too long" in judge([judged]).problems["one"]
    table = rows(layout)
    assert math.isnan(table["score"][0])
    assert table["explanation"][0] == "judge: HTTP 400: context too long (1 try)"
    assert json.loads(table["judge_replies"][0])[0].keys() == {"judge", "error"}
    provider.script = says()
    summary = judge([judged])
    assert (summary.n_judged, summary.problems, rows(layout)["score"].tolist()) == (1, {}, [1, 1])


def test_a_judge_that_answers_with_errors_is_given_up_after_ten_tries(layout, provider):
    provider.script = says({"bad": (500, {}, {"error": {"message": "later"}})})
    answer(layout, ["bad", "x"])
    judge([task(layout, spec(provider))])
    assert rows(layout)["explanation"][0] == "judge: HTTP 500: later (10 tries)"
    assert rows(layout)["score"][1] == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise", "ZeroDivisionError: a bug"),
        ("misread", "judge: reading its reply raised KeyError"),
        ("wrong type", "not a score in [0, 1], the benchmark's judging is wrong: 1.0"),
        ("too much", "not a score in [0, 1]"),
    ],
)
def test_code_that_fails_costs_its_response_alone(layout, provider, text, why):
    answer(layout, ["x", text, "y"])
    summary = judge([task(layout, spec(provider))])
    assert summary.n_judged == 2
    assert rows(layout)["explanation"][1].startswith(why)
    assert rows(layout)["score"][[0, 2]].tolist() == [1, 1]


def broken(layout, provider, kind):
    good = spec(provider, "k")
    match kind:
        case "no key":
            return replace(good, provider=replace(good.provider, key_env="NO_SUCH_KEY")), "export NO_SUCH_KEY="
        case "no price":
            return spec(provider, "k", price_prompt_usd=None), "judge k: nobody knows what it costs"
        case "refused":
            provider.script = lambda fields, count: (
                (401, {}, {"error": {"message": "bad key"}}) if fields["model"] == "wire-k" else says()(fields, count)
            )
            return good, "HTTP 401: bad key"
        case "not there":
            return good, "benchmark.two.judges names 1 judges; it needs 2"


@pytest.mark.parametrize("kind", ["no key", "no price", "refused", "not there"])
def test_a_judge_that_cannot_be_asked_leaves_other_benchmarks_alone(layout, provider, kind):
    judge_spec, why = broken(layout, provider, kind)
    answer(layout, ["x"])
    answer(layout, ["x"], benchmark="two")
    others = () if kind == "not there" else (spec(provider),)
    summary = judge([task(layout, *others, judge_spec, benchmark="two"), task(layout, spec(provider))])
    assert list(summary.problems) == ["two"]
    assert why in summary.problems["two"]
    assert "\n" not in summary.problems["two"]
    assert rows(layout)["score"].tolist() == [1]
    assert read_scores(layout, "two", "m") is None
    assert needs_scoring(task(layout, *others, judge_spec, benchmark="two"))


def test_a_response_that_is_replaced_while_others_are_judged_is_left_for_the_next_time(layout, provider):
    arrived, replaced = itertools.count(), threading.Event()

    def script(fields, count):
        if next(arrived) == 0:
            answer(layout, ["succeeded"], model="n", finished_at=2.0)
            replaced.set()
        assert replaced.wait(20)
        return says()(fields, count)

    answer(layout, [f"answer {index}" for index in range(30)])  # more than are begun at first
    answer(layout, [""], error="failed", model="n")
    provider.script = script
    judged = task(layout, spec(provider), models=("m", "n"))
    summary = judge([judged])
    assert summary.n_judged == 30
    assert summary.problems == {"one": "1 responses not judged: they were replaced meanwhile"}
    assert judge([judged]).n_judged == 1
    assert rows(layout, model="n")["score"].tolist() == [1]


def test_an_index_that_is_no_query_stops_that_benchmark_only(layout, provider):
    answer(layout, ["x"], first=77)
    summary = judge([task(layout, spec(provider))])
    assert "index 77, which is no query" in summary.problems["one"]


def test_a_published_verdict_is_kept(tmp_path, monkeypatch, provider):
    layout = Layout(tmp_path / "published")
    import_release(make_release(tmp_path / "in"), layout, n_processes=1)
    for module in (jobs.judge, jobs.score):
        monkeypatch.setattr(module, "find", lambda name, **params: OneJudge())
    before = layout.scores("shapes", "beta").read_bytes()
    judged = task(layout, spec(provider), benchmark="shapes", models=("beta",))
    assert not needs_scoring(judged)
    assert judge([judged]).n_judged == 0
    assert layout.scores("shapes", "beta").read_bytes() == before
    assert judge([replace(judged, again=True)]).n_judged > 0


# --- Signals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR2])
def test_a_signal_ends_it_and_nothing_that_was_paid_is_lost(layout, provider, number):
    sent = []

    def script(fields, count):
        if len(provider.requests) >= 20 and not sent:
            sent.append(number)
            os.kill(os.getpid(), number)
        return says()(fields, count)

    provider.delay_s, provider.script = 0.05, script
    answer(layout, [f"answer {index}" for index in range(60)])
    with FaultProxy(provider.url, prices=PRICES) as proxy:
        judged = task(layout, spec(proxy))
        with pytest.raises(Stopped, match=number.name):
            judge([judged])
        n_paid = sum(entry.n_delivered for entry in proxy.ledger.values())
        assert 0 < len(rows(layout)["score"]) == n_paid < 60
        assert judge([judged]).n_judged == 60 - n_paid
        assert {entry.n_delivered for entry in proxy.ledger.values()} == {1}
