"""Judging as a person types it: real HTTP, with a proxy in between that spoils replies and keeps books."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from scoring.benchmark import find
from store.layout import Layout
from store.queries import write_queries
from store.records import Response
from store.responses import ResponseWriter
from store.scores import read_scores
from tests.end_to_end.conftest import ROOT, command
from tests.inference.fault_proxy import FaultProxy, Provider

pytestmark = pytest.mark.slow

KEY = "sk-a-secret-that-must-not-leak-0123456789"
FAULTS = {"429": 0.05, "500": 0.05, "reset": 0.03, "truncated": 0.03, "malformed": 0.03}
PRICES = (1000.0, 2000.0)  # USD per million tokens
MODELS = ("one", "two", "org/three")
ANSWERS = ("It is right", "<think>right?</think>It is wrong", "", "I do not know", "It is odd")
GRADES = {"It is right": "**A**", "It is wrong": "Grade: INCORRECT", "I do not know": "C"}
SCORES = [1.0, 0.0, 0.0, 0.0, 1.0]
N_QUERIES = 40
N_QUESTIONS = 24 + 3 * 2 * 8  # three answers are the same of all models, the odd ones are asked twice


def grade(fields, count):
    """What the judge says; an odd answer it grades only when it is reminded."""
    given = fields["messages"][0]["content"].rpartition("Given answer: ")[2].split("\n")[0]
    question = fields["messages"][0]["content"].rpartition("Question: ")[2].split("\n")[0]
    said = GRADES.get(given, "A" if len(fields["messages"]) > 1 else "Well, A or B.")
    assert question.startswith("Question "), question
    return {"choices": [{"message": {"content": said}, "finish_reason": "stop"}]}


def fill(folder):
    """Question files, and a store with answers to them and to another benchmark."""
    (folder / "data" / "simpleqa").mkdir(parents=True)
    with (folder / "data" / "simpleqa" / "simple_qa_test_set.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["metadata", "problem", "answer"])
        writer.writerows([["{'topic': 'Art'}", f"Question {index}?", "gold"] for index in range(N_QUERIES)])
    layout = Layout(folder / "store")
    for name in ("simpleqa", "demo_sort"):
        queries = find(name).queries(folder / "data")
        write_queries(layout, name, queries)
        for model in MODELS:
            part = ResponseWriter(layout, name, model, "w", {"digest": "d"})
            for query in queries[:N_QUERIES]:
                text = ANSWERS[query.index % 5].replace("odd", f"odd {model}")
                part.append(Response(query.index, text=text, finished_at=1.0, prompt_tokens=1, completion_tokens=1))
            part.commit()


def words(folder, url, *more, temperature=0.0):
    path = folder / "mine.yaml"
    path.write_text(
        f"model: {{name: m, path: wire, max_tokens: 16, price_prompt_usd: {PRICES[0]}, price_completion_usd: "
        f"{PRICES[1]}}}\nprovider: {{base_url: '{url}', key_env: JUDGE_TEST_KEY, timeout_s: 20, max_concurrency: 8}}\n"
        f"sampling: {{temperature: {temperature}}}\n"
    )
    return ("benchmarks=[simpleqa,demo_sort]", f"judges=[{path}]", f"store.root={folder / 'store'}",
            f"data.dir={folder / 'data'}", *more)  # fmt: skip


def environment(key=KEY):
    return {**os.environ, "JUDGE_TEST_KEY": key, "NO_PROXY": "127.0.0.1"}


def table(folder, model):
    return read_scores(Layout(folder / "store"), "simpleqa", model)[0]


def cost(folder):
    return sum(float(table(folder, model)["judge_cost_usd"].sum()) for model in MODELS)


def paid(proxy):
    return sum(entry.cost_usd for entry in proxy.ledger.values())


def test_responses_are_judged_once_whatever_the_network_does_and_anew_by_another_judge(tmp_path):
    fill(tmp_path)
    with Provider(grade) as provider, FaultProxy(provider.url, rates=FAULTS, prices=PRICES) as proxy:
        first = command("score", *words(tmp_path, proxy.url), env=environment())
        assert first.returncode == 0, first.stdout + first.stderr
        for model in MODELS:
            assert table(tmp_path, model)["score"].tolist() == SCORES * 8
            assert table(tmp_path, model)["prediction"] == list("ABCCA") * 8
            replies = [json.loads(one) for one in table(tmp_path, model)["judge_replies"]]
            assert [len(one) for one in replies] == [1, 1, 0, 1, 2] * 8
        assert sum(proxy.n_injected.values()) > 5
        assert [entry.n_delivered for entry in proxy.ledger.values()] == [1] * N_QUESTIONS
        # Models that say the same are judged by the same reply, which counts in the scores of each.
        shared = [table(tmp_path, model)["judge_cost_usd"][np.arange(N_QUERIES) % 5 < 4].sum() for model in MODELS]
        assert shared[0] == shared[1] == shared[2]
        assert cost(tmp_path) - shared[0] - shared[1] == pytest.approx(paid(proxy), abs=1e-9)
        assert f"replies for {cost(tmp_path):.4f} USD, {paid(proxy):.4f} of it paid now" in first.stdout

        n_arrived = sum(entry.n_arrived for entry in proxy.ledger.values())
        again = command("score", *words(tmp_path, proxy.url), env=environment())
        assert "every response has its score" in again.stdout
        again = command("score", *words(tmp_path, proxy.url, "score.rescore=[simpleqa]"), env=environment())
        assert again.returncode == 0, again.stdout + again.stderr
        assert f"{cost(tmp_path):.4f} USD, 0.0000 of it paid now" in again.stdout
        assert sum(entry.n_arrived for entry in proxy.ledger.values()) == n_arrived

        other = command("score", *words(tmp_path, proxy.url, temperature=0.5), env=environment())
        assert other.returncode == 0, other.stdout + other.stderr
        assert [entry.n_delivered for entry in proxy.ledger.values()] == [1] * 2 * N_QUESTIONS
        assert {fields["temperature"] for fields in provider.requests} == {0.0, 0.5}
    for file in [*tmp_path.rglob("*")]:
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file
    assert KEY not in first.stdout + first.stderr


def test_without_a_key_the_other_benchmarks_are_scored(tmp_path):
    fill(tmp_path)
    with Provider(grade) as provider:
        result = command("score", *words(tmp_path, provider.url), env=environment(key=""))
        assert provider.requests == []
    assert result.returncode == 1
    assert "failed simpleqa: judge mine: the API" in result.stdout
    assert "its key is missing; export JUDGE_TEST_KEY=" in result.stdout
    assert read_scores(Layout(tmp_path / "store"), "simpleqa", "one") is None
    assert len(read_scores(Layout(tmp_path / "store"), "demo_sort", "one")[0]["score"]) == N_QUERIES


def test_the_budget_stops_and_what_was_paid_is_kept(tmp_path):
    fill(tmp_path)
    with Provider(grade, delay_s=0.02) as provider, FaultProxy(provider.url, rates=FAULTS, prices=PRICES) as proxy:
        stopped = command("score", *words(tmp_path, proxy.url, "max_cost=10"), env=environment())
        assert stopped.returncode == 1
        assert "responses not judged: max_cost=10.0 USD is spent" in stopped.stdout
        assert 5 < paid(proxy) <= 10
        on = command("score", *words(tmp_path, proxy.url), env=environment())
        assert on.returncode == 0, on.stdout + on.stderr
        assert {entry.n_delivered for entry in proxy.ledger.values()} == {1}
    assert table(tmp_path, "one")["score"].tolist() == SCORES * 8


def test_ctrl_c_loses_nothing_that_was_paid(tmp_path):
    fill(tmp_path)
    with Provider(grade, delay_s=0.3) as provider, FaultProxy(provider.url, prices=PRICES) as proxy:
        line = [sys.executable, str(ROOT / "launch" / "score.py"), *words(tmp_path, proxy.url)]
        process = subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while sum(entry.n_delivered for entry in proxy.ledger.values()) < 10:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 1, output
        assert "stopped by SIGINT" in output
        assert sum(entry.n_delivered for entry in proxy.ledger.values()) < N_QUESTIONS
        on = command("score", *words(tmp_path, proxy.url), env=environment())
        assert on.returncode == 0, on.stdout
        assert [entry.n_delivered for entry in proxy.ledger.values()] == [1] * N_QUESTIONS
    assert table(tmp_path, "org/three")["score"].tolist() == SCORES * 8
