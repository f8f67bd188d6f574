"""Collecting from APIs as a person types it: real HTTP, with a proxy in between that spoils answers and keeps books."""

import signal
import subprocess
import sys
import time

import pytest

from store.layout import Layout
from store.responses import read_columns, read_responses
from tests.end_to_end.conftest import ROOT, command
from tests.inference.fault_proxy import FaultProxy, Provider

pytestmark = pytest.mark.slow

KEY = "sk-a-secret-that-must-not-leak-0123456789"
FAULTS = {"429": 0.03, "500": 0.03, "reset": 0.03, "truncated": 0.03, "malformed": 0.03}
PRICES = (1000.0, 2000.0)  # USD per million tokens
BENCHMARKS = ("demo_sort", "demo_strings")
N_QUERIES = 300


def pool(folder, url, models, name="apis"):
    """A pool of (name, wire name) models behind one provider."""
    lines = [f"name: {name}", "providers:", f"  here: {{base_url: '{url}', key_env: API_TEST_KEY, timeout_s: 20}}"]
    lines += ["models:"]
    for model, wire in models:
        lines += [f"  - {{name: {model}, path: {wire}, provider: here, max_tokens: 64, price_prompt_usd: {PRICES[0]},"]
        lines += [f"     price_completion_usd: {PRICES[1]}}}"]
    path = folder / f"{name}.yaml"
    path.write_text("\n".join([*lines, f"benchmarks: [{', '.join(BENCHMARKS)}]"]))
    return path


def words(pool_path, root, *more):
    return (f"pool={pool_path}", "cluster=inline", f"store.root={root}", *more)


def environment():
    import os

    return {**os.environ, "API_TEST_KEY": KEY}


def costs(root, models):
    return {model: sum(float(read_columns(Layout(root), benchmark, model, ["cost_usd"])["cost_usd"].sum())
                       for benchmark in BENCHMARKS) for model in models}  # fmt: skip


def n_stored(root, model):
    return [len(read_columns(Layout(root), benchmark, model, [])["index"]) for benchmark in BENCHMARKS]


def test_every_request_is_answered_and_paid_once_whatever_the_network_does(tmp_path):
    root = tmp_path / "store"
    models = [("one", "wire-one"), ("two", "wire-two")]
    with Provider() as provider, FaultProxy(provider.url, rates=FAULTS, prices=PRICES) as proxy:
        path = pool(tmp_path, proxy.url, models)
        first = command("collect", *words(path, root), env=environment())
        assert first.returncode == 0, first.stdout + first.stderr
        for model, _ in models:
            assert n_stored(root, model) == [N_QUERIES, N_QUERIES]
        assert sum(proxy.n_injected.values()) > 100
        assert {entry.n_delivered for entry in proxy.ledger.values()} == {1}
        assert not any(entry.n_after_delivery for entry in proxy.ledger.values())
        delivered = sum(entry.cost_usd for entry in proxy.ledger.values())
        assert sum(costs(root, ["one", "two"]).values()) == pytest.approx(delivered, abs=1e-9)
        n_arrived = sum(entry.n_arrived for entry in proxy.ledger.values())

        again = command("collect", *words(path, root), env=environment())
        assert "every response" in again.stdout
        alias = pool(tmp_path, proxy.url, [("another-name", "wire-one")], "aliases")
        other = command("collect", *words(alias, root), env=environment())
        assert other.returncode == 0, other.stdout
        assert n_stored(root, "another-name") == [N_QUERIES, N_QUERIES]
        assert sum(entry.n_arrived for entry in proxy.ledger.values()) == n_arrived
        assert {row.extra.get("cached") for row in read_responses(Layout(root), "demo_sort", "another-name")} == {True}
    for file in [*root.rglob("*")]:
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file
    assert KEY not in first.stdout + first.stderr
    assert KEY not in command("collect", "--cfg", *words(path, root), env=environment()).stdout


def test_the_budget_stops_and_what_was_paid_is_kept(tmp_path):
    root = tmp_path / "store"
    with Provider(delay_s=0.02) as provider, FaultProxy(provider.url, rates=FAULTS, prices=PRICES) as proxy:
        path = pool(tmp_path, proxy.url, [("one", "wire-one")])
        stopped = command("collect", *words(path, root, "max_cost=3"), env=environment())
        assert stopped.returncode == 1
        assert "max_cost=3" in stopped.stdout
        paid = sum(entry.cost_usd for entry in proxy.ledger.values())
        assert 1.5 < paid <= 3.0
        assert costs(root, ["one"])["one"] == pytest.approx(paid, abs=1e-9)
        on = command("collect", *words(path, root), env=environment())
        assert on.returncode == 0, on.stdout + on.stderr
        assert n_stored(root, "one") == [N_QUERIES, N_QUERIES]
        assert not any(entry.n_after_delivery for entry in proxy.ledger.values())


def test_ctrl_c_loses_nothing_that_was_paid(tmp_path):
    root = tmp_path / "store"
    with Provider(delay_s=0.3) as provider, FaultProxy(provider.url, prices=PRICES) as proxy:
        path = pool(tmp_path, proxy.url, [("one", "wire-one")])
        line = [sys.executable, str(ROOT / "launch" / "collect.py"), *words(path, root)]
        process = subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while sum(entry.n_delivered for entry in proxy.ledger.values()) < 100:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 1, output
        assert "stopped by SIGINT" in output
        delivered = sum(entry.n_delivered for entry in proxy.ledger.values())
        assert 100 <= sum(n_stored(root, "one")) == delivered < 2 * N_QUERIES
        on = command("collect", *words(path, root), env=environment())
        assert on.returncode == 0, on.stdout
        assert {entry.n_delivered for entry in proxy.ledger.values()} == {1}


def test_a_model_that_the_provider_does_not_know_leaves_the_others_alone(tmp_path):
    root = tmp_path / "store"

    def script(fields, count):
        return (404, {}, {"error": {"message": "no such model"}}) if fields["model"] == "wrong" else None

    with Provider(script) as provider:
        path = pool(tmp_path, provider.url, [("good", "right"), ("bad", "wrong")])
        result = command("collect", *words(path, root), env=environment())
    assert result.returncode == 1
    assert "model bad" in result.stdout
    assert "no such model" in result.stdout
    assert n_stored(root, "good") == [N_QUERIES, N_QUERIES]
    assert n_stored(root, "bad") == [0, 0]


def test_a_missing_key_is_named_and_nothing_is_asked(tmp_path):
    with Provider() as provider:
        path = pool(tmp_path, provider.url, [("one", "wire-one")])
        without = {name: value for name, value in environment().items() if name != "API_TEST_KEY"}
        result = command("collect", *words(path, tmp_path / "store"), env=without)
        assert provider.requests == []
    assert result.returncode == 1
    assert "API_TEST_KEY" in result.stdout
