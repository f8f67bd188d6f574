"""Saved results of the tau2 package: every shape, which task is meant, nothing twice, nothing mixed, no key kept."""

import json

import pytest

from inference.spec import ModelSpec
from jobs.import_tau2 import import_results
from jobs.score import ScoreTask, score
from launch import import_tau2
from store.errors import StoreError
from store.layout import Layout
from store.queries import write_queries
from store.records import Query
from store.responses import read_responses
from store.scores import read_scores

SECRET = "sk-do-not-keep-0123456789"


def task(task_id, wish):
    instructions = {"reason_for_call": wish, "task_instructions": "calm"}
    return {"id": task_id, "user_scenario": {"instructions": instructions}, "evaluation_criteria": {}}


TASKS = [("airline", task("0", "fly")), ("airline", task("1", "stay")), ("retail", task("0", "buy")),
         ("telecom", task("[a]|b", "call"))]  # fmt: skip


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "store")
    metadata = [{"domain": domain, "task_id": one["id"], "task": one} for domain, one in TASKS]
    write_queries(layout, "tau2", [Query(index, "wish", {}, metadata=row) for index, row in enumerate(metadata)])
    return layout


def simulation(task_id, reward=1.0, trial=0, **more):
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    messages = [{"role": "assistant", "content": "done", "cost": 0.5, "usage": usage, "raw_data": {"a": 1}}]
    return {
        "id": "s", "task_id": task_id, "trial": trial, "duration": 2.0, "end_time": "2025-09-10T12:00:00",
        "termination_reason": "user_stop", "reward_info": {"reward": reward}, "agent_cost": 0.5, "user_cost": 0.25,
        "messages": messages, **more,
    }  # fmt: skip


def results(*simulations, domain="airline", llm="openai/org/gpt-5", tasks=(), **arguments):
    arguments = {"temperature": 0.0, "api_key": SECRET, "base_url": "http://x", **arguments}
    return {
        "timestamp": "2025-09-10",
        "info": {
            "git_commit": "x", "num_trials": 1, "max_steps": 200, "max_errors": 10, "seed": 300,
            "agent_info": {"implementation": "llm_agent", "llm": llm, "llm_args": arguments},
            "user_info": {"implementation": "user_simulator", "llm": "gpt-4.1", "llm_args": {"api_key": SECRET}},
            "environment_info": {"domain_name": domain, "policy": "be kind"},
        },
        "tasks": list(tasks),
        "simulations": list(simulations),
    }  # fmt: skip


def save(tmp_path, document, name="results.json"):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def scores(layout, model):
    score(ScoreTask(root=layout.root, benchmark="tau2", models=(model,), params={}))
    table, _ = read_scores(layout, "tau2", model)
    return dict(zip(table["index"].tolist(), table["score"].tolist(), strict=True))


def test_rewards_become_scores_and_costs_come_along(layout, tmp_path):
    document = results(simulation("0"), simulation("1", 0.0), tasks=[task("0", "fly"), task("1", "stay")])
    brought = import_results(layout, save(tmp_path, document))
    assert (brought.model, brought.n_new, brought.n_there, brought.mean_reward) == ("gpt-5", 2, 0, 0.5)
    assert scores(layout, "gpt-5") == {0: 1.0, 1: 0.0}
    first, _ = read_responses(layout, "tau2", "gpt-5")
    assert (first.prompt_tokens, first.completion_tokens, first.cost_usd) == (100, 10, 0.5)
    assert first.extra["user_cost"] == 0.25
    assert "raw_data" not in first.text


def test_the_pool_lends_name_and_prices(layout, tmp_path):
    model = ModelSpec(name="five", path="org/gpt-5", provider="p", price_prompt_usd=1e4, price_completion_usd=1e5)
    assert import_results(layout, save(tmp_path, results(simulation("0"))), [model]).model == "five"
    assert read_responses(layout, "tau2", "five")[0].cost_usd == pytest.approx(2.0)


def test_domains_of_one_model_come_one_after_the_other(layout, tmp_path):
    for domain, task_id in (("airline", "0"), ("retail", "0"), ("telecom", "[a]|b")):
        path = save(tmp_path, results(simulation(task_id), domain=domain))
        assert import_results(layout, path).n_new == 1
        assert import_results(layout, path).n_there == 1
    assert scores(layout, "gpt-5") == {0: 1.0, 2: 1.0, 3: 1.0}


@pytest.mark.parametrize(
    ("document", "name", "expected"),
    [
        pytest.param([simulation("1")], "results.json", {1: 1.0}, id="a list; only one domain has the task"),
        pytest.param(simulation("[a]|b"), "results.json", {3: 1.0}, id="one simulation"),
        pytest.param([simulation("0", 0.0)], "retail_m.json", {2: 0.0}, id="the path says the domain"),
        pytest.param({"simulations": [simulation("1")]}, "airline.json", {1: 1.0}, id="without info"),
    ],
)
def test_other_shapes(layout, tmp_path, document, name, expected):
    folder = tmp_path.parent / f"{tmp_path.name[:4]}-results"  # pytest's own folder has the test's name in it
    assert import_results(layout, save(folder, document, name), model="m").model == "m"
    assert scores(layout, "m") == expected


def test_trials_are_repeats_and_the_first_of_a_key_counts(layout, tmp_path):
    document = results(simulation("0", trial=0), simulation("0", 0.0, trial=1), simulation("0", 0.0, trial=0))
    assert import_results(layout, save(tmp_path, document)).n_new == 2
    assert [(one.repeat, one.extra["reward"]) for one in read_responses(layout, "tau2", "gpt-5")] == [
        (0, 1.0),
        (1, 0.0),
    ]


def test_a_conversation_that_the_package_gave_up_is_a_failure(layout, tmp_path):
    import_results(layout, save(tmp_path, results(simulation("0", 0.0, messages=[], skipped=True))))
    assert read_responses(layout, "tau2", "gpt-5")[0].error
    assert scores(layout, "gpt-5") == {0: 0.0}


def test_no_key_is_kept(layout, tmp_path):
    import_results(layout, save(tmp_path, results(simulation("0"), extra_body={"provider": "p"})))
    for path in layout.files():
        assert SECRET.encode() not in path.read_bytes()
    from store.responses import KIND
    from store.tables import read_meta

    meta = read_meta(layout.parts("tau2", "gpt-5")[0], KIND)
    assert meta["identity"]["agent"] == ["openai/org/gpt-5", {"temperature": 0.0, "extra_body": {"provider": "p"}}]
    assert SECRET not in json.dumps(meta)


def test_results_made_otherwise_do_not_mix(layout, tmp_path):
    import_results(layout, save(tmp_path, results(simulation("0"))))
    with pytest.raises(StoreError, match="digest"):
        import_results(layout, save(tmp_path, results(simulation("1"), temperature=1.0)))
    assert len(read_responses(layout, "tau2", "gpt-5")) == 1


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param({}, r'expected an object with a list "simulations"', id="empty"),
        pytest.param({"domain": "airline", "metrics": {}}, "no results of tau2", id="the package's summary"),
        pytest.param(results(), "no results of tau2", id="no simulation"),
        pytest.param(results({"task_id": "0"}), "simulation 0: it has no task_id, messages or reward_info", id="half"),
        pytest.param(results(simulation("9")), "task '9' of domain airline is none of those", id="an unknown task"),
        pytest.param(results(simulation("0"), domain="banking"), "of domain banking is none", id="an unknown domain"),
        pytest.param([simulation("0")], "or several; a path with the name of the domain", id="which of two domains"),
        pytest.param(results(simulation("0"), tasks=[task("0", "sail")]), "another one than that in the store",
                     id="a later release's task"),
        pytest.param(results(simulation("0"), llm=""), r"tau2\.model=", id="who was it"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_one_line(layout, tmp_path, document, message):
    model = None if isinstance(document, dict) else "m"
    with pytest.raises(StoreError, match=message):
        import_results(layout, save(tmp_path, document), model=model)
    assert layout.models("tau2") == []


def test_the_command_takes_a_folder_and_passes_over_what_is_no_result(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for domain in ("airline", "retail", "telecom"):
        (tmp_path / "data" / "tau2" / domain).mkdir(parents=True)
        rows = [one for name, one in TASKS if name == domain]
        (tmp_path / "data" / "tau2" / domain / "tasks.json").write_text(json.dumps(rows))
    save(tmp_path / "in", results(simulation("0")), "a.json")
    save(tmp_path / "in", {"metrics": {}}, "a_results.json")
    assert import_tau2.main(["in"]) == 0
    assert "gpt-5, 1 conversations imported, 0 there already, mean reward 1.000" in capsys.readouterr().out
    save(tmp_path / "in", results(simulation("9")), "b.json")
    assert import_tau2.main(["in"]) == 1
    assert "task '9'" in capsys.readouterr().out
    assert import_tau2.main(["in/a_results.json"]) == 2
    assert import_tau2.main(["nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err
