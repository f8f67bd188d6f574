"""Collecting τ²-Bench as a person types it, with a stand-in for the package: claimed, tried again, resumed, scored."""

import json

import pytest

from launch import collect, score, status
from store.layout import Layout
from store.responses import read_responses
from store.scores import read_scores
from tests.inference.tau2_stand_in import make_python

DO = {"airline": ["talk", "flaky", 400], "retail": ["talk"], "telecom": ["talk"]}


def task(number, do):
    instructions = {"reason_for_call": f"wish {number}", "task_instructions": "calm"}
    return {"id": str(number), "do": do, "user_scenario": {"instructions": instructions}, "evaluation_criteria": {}}


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return make_python(tmp_path_factory.mktemp("tau2") / "python")


@pytest.fixture
def words(tmp_path, python, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "sk-0123456789")
    for domain, some in DO.items():
        folder = tmp_path / "data" / "tau2" / domain
        folder.mkdir(parents=True)
        (folder / "tasks.json").write_text(json.dumps([task(number, do) for number, do in enumerate(some)]))
    api = "{base_url: 'http://127.0.0.1:9/v1', key_env: SOME_KEY}"
    (tmp_path / "pool.yaml").write_text(
        f"name: p\nproviders: {{here: {api}}}\nmodels:\n- {{name: m, path: org/m, provider: here}}\n"
        "- {name: mute, path: mute, provider: here, calls_tools: false}\nbenchmarks: [demo_sort, tau2]\n"
    )
    (tmp_path / "sim.yaml").write_text(
        f"name: s\nuser: {{name: u, path: u}}\nprovider: {api}\nmax_steps: 9\nmax_errors: 3\nseed: 1\n"
        f"python: {python}\n"
    )
    return [f"store.root={tmp_path / 'store'}", f"data.dir={tmp_path / 'data'}", f"pool={tmp_path / 'pool.yaml'}",
            f"simulator={tmp_path / 'sim.yaml'}", "benchmarks=[tau2]"]  # fmt: skip


def test_conversations_are_collected_and_scored_like_answers(words, tmp_path, capsys):
    assert collect.main([*words, "cluster=inline"]) == 0
    responses = read_responses(Layout(tmp_path / "store"), "tau2", "m")
    assert [(one.index, one.attempts, one.error) for one in responses] == [
        (0, 1, ""), (1, 3, ""), (2, 1, "Refused: HTTP 400"), (3, 1, ""), (4, 1, "")
    ]  # fmt: skip
    assert Layout(tmp_path / "store").models("tau2") == ["m"]
    assert status.main(words) == 0
    capsys.readouterr()
    assert collect.main([*words, "cluster=inline"]) == 0
    assert "every response of pool p is in the store" in capsys.readouterr().out
    assert score.main([*words[:2], "benchmarks=[tau2]"]) == 0
    assert read_scores(Layout(tmp_path / "store"), "tau2", "m")[0]["score"].tolist() == [1, 1, 0, 1, 1]


def test_another_user_does_not_mix_with_what_is_there(words, tmp_path, capsys):
    assert collect.main([*words, "cluster=inline"]) == 0
    assert collect.main([*words, "cluster=inline", "simulator.user.path=another"]) == 1
    assert "digest" in capsys.readouterr().out
