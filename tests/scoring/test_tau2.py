"""τ²-Bench: tasks of three domains as queries, and the reward in the record of a conversation."""

import json
import math
from collections import Counter

import pytest
from read_cases import DATA_DIR

from scoring.benchmark import BenchmarkError, find
from store.records import Query

TAU2 = find("tau2")
QUERY = Query(0, "cancel", {})
TASK = {
    "id": "0",
    "user_scenario": {"persona": None, "instructions": {
        "domain": "x", "reason_for_call": "You want {to} cancel. \n", "task_instructions": "Stay calm.",
        "known_info": "You are Emma.", "unknown_info": None}},
    "initial_state": None,
    "evaluation_criteria": {"actions": [], "communicate_info": []},
}  # fmt: skip
needs_data = pytest.mark.skipif(not (DATA_DIR / "tau2").is_dir(), reason="the tasks of tau2 are not here")


def write(tmp_path, airline=(TASK,), split=None):
    for domain, tasks in {"airline": airline, "retail": [TASK], "telecom": [TASK | {"id": "[a]|b"}]}.items():
        folder = tmp_path / "tau2" / domain
        folder.mkdir(parents=True)
        (folder / "tasks.json").write_text(json.dumps(list(tasks)))
    if split:
        (tmp_path / "tau2" / "airline" / "split_tasks.json").write_text(json.dumps(split))
    return tmp_path


def record(reward, **more):
    return json.dumps({"reward_info": {"reward": reward}, "termination_reason": "user_stop", "messages": [], **more})


def test_tasks_become_queries_in_the_order_of_the_domains(tmp_path):
    queries = TAU2.queries(write(tmp_path))
    assert [(one.index, one.metadata["domain"], one.metadata["task_id"]) for one in queries] == [
        (0, "airline", "0"), (1, "retail", "0"), (2, "telecom", "[a]|b")
    ]  # fmt: skip
    assert queries[0].text == "You want {to} cancel.\n\nStay calm."
    assert queries[0].metadata["task"] == TASK
    assert queries[0].ground_truth == TASK["evaluation_criteria"]


def test_where_there_are_splits_the_base_counts(tmp_path):
    tasks = [TASK | {"id": str(number)} for number in range(4)]
    queries = TAU2.load(write(tmp_path, tasks, {"base": ["3", "1"], "train": ["0"]}))
    assert [query.metadata["task_id"] for query in queries] == ["1", "3", "0", "[a]|b"]


def test_a_task_without_instructions_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match=r"airline/tasks\.json, task '0': its user has no instructions"):
        TAU2.load(write(tmp_path, [TASK | {"user_scenario": {"instructions": "be kind"}}]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(record(1.0), 1.0, id="reward 1"),
        pytest.param(record(1), 1.0, id="an integer"),
        pytest.param(record(1 - 5e-7), 1.0, id="1 but for rounding"),
        pytest.param(record(1 - 2e-6), 0.0, id="less than 1"),
        pytest.param(record(0.5), 0.0, id="half of the checks"),
        pytest.param(record(0.0, termination_reason="max_steps"), 0.0, id="too long"),
    ],
)
def test_only_a_full_reward_counts(text, expected):
    assert TAU2.score(QUERY, text).value == expected
    assert TAU2.score_compat(QUERY, text).value == expected


@pytest.mark.parametrize(
    "text",
    ["", "I have cancelled it.", "[]", "3", "null", record(None), record("much"), '{"reward_info": null}', record({})],
)
def test_what_is_no_record_has_no_score(text):
    assert math.isnan(TAU2.score(QUERY, text).value)


@needs_data
def test_the_real_tasks():
    queries = TAU2.load(DATA_DIR)
    assert Counter(query.metadata["domain"] for query in queries) == {"airline": 50, "retail": 114, "telecom": 114}
    assert len({query.text for query in queries}) == 167  # as in the published release
    assert len({(query.metadata["domain"], query.metadata["task_id"]) for query in queries}) == 278
