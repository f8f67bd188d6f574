"""A record of the tau2 package becomes a response: text, tokens, costs."""

import json
import math

import pytest

from inference.simulation import to_response
from inference.spec import ModelSpec

PRICED = ModelSpec(name="m", path="m", price_prompt_usd=10.0, price_completion_usd=100.0)
FREE = ModelSpec(name="m", path="m", price_prompt_usd=0.0, price_completion_usd=0.0)
UNPRICED = ModelSpec(name="m", path="m")


def message(role, tokens=None, cost=None, **more):
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]} if tokens else None
    return {"role": role, "content": "x", "cost": cost, "usage": usage, **more}


def simulation(*messages, **more):
    return {
        "id": "1", "task_id": "7", "start_time": "2025-09-10T12:00:00", "end_time": "2025-09-10T12:01:01+00:00",
        "duration": 61.0, "termination_reason": "user_stop", "reward_info": {"reward": 1.0}, "agent_cost": None,
        "user_cost": None, "messages": list(messages), **more,
    }  # fmt: skip


TALK = (
    message("assistant", cost=0.0),  # the greeting is the package's own
    message("user", (100, 5), 0.25),
    message("assistant", (1000, 10), 0.5),
    {"role": "tool", "id": "1", "content": "{}"},
    message("assistant", (2000, 20), 1.0),
)


def test_the_text_is_the_record_without_what_repeats_it():
    record = simulation(message("assistant", raw_data={"choices": 1}))
    response = to_response(record, 3, repeat=1)
    assert (response.index, response.repeat, response.finish_reason) == (3, 1, "user_stop")
    assert json.loads(response.text) == simulation(message("assistant"))
    assert "raw_data" in record["messages"][0]
    assert (response.latency_s, response.finished_at) == (61.0, 1757505661.0)


def test_tokens_are_the_agents_over_the_whole_conversation():
    response = to_response(simulation(*TALK), 0)
    assert (response.prompt_tokens, response.completion_tokens) == (3000, 30)
    assert response.extra["user_prompt_tokens"], response.extra["user_completion_tokens"] == (100, 5)
    assert (response.extra["num_messages"], response.extra["task_id"], response.extra["reward"]) == (5, "7", 1.0)


def test_without_any_usage_the_tokens_are_unknown():
    response = to_response(simulation(message("user"), message("assistant")), 0)
    assert (response.prompt_tokens, response.completion_tokens) == (-1, -1)


@pytest.mark.parametrize(
    ("record", "agent", "expected"),
    [
        pytest.param(simulation(*TALK, agent_cost=9.0), PRICED, 0.033, id="prices of the pool before all"),
        pytest.param(simulation(*TALK, agent_cost=9.0), None, 9.0, id="the package's sum"),
        pytest.param(simulation(*TALK, agent_cost=9.0), UNPRICED, 9.0, id="a model without prices"),
        pytest.param(simulation(*TALK), None, 1.5, id="costs of the messages"),
        pytest.param(simulation(*TALK, agent_cost=0.0), None, math.nan, id="0 where it knew no price"),
        pytest.param(simulation(*TALK, agent_cost=0.0), FREE, 0.0, id="a model that is free"),
        pytest.param(simulation(message("assistant", (1, 1))), None, math.nan, id="a message without a cost"),
        pytest.param(simulation(message("assistant")), PRICED, math.nan, id="prices without tokens"),
        pytest.param(simulation(), None, math.nan, id="no message at all"),
    ],
)
def test_the_cost_of_the_agent(record, agent, expected):
    assert to_response(record, 0, agent=agent).cost_usd == pytest.approx(expected, nan_ok=True)


def test_the_cost_of_the_user_stands_beside_it():
    assert to_response(simulation(*TALK), 0).extra["user_cost"] == 0.25
    assert to_response(simulation(*TALK), 0, user=PRICED).extra["user_cost"] == pytest.approx(0.0015)
    assert to_response(simulation(*TALK, user_cost=0.0), 0).extra["user_cost"] is None


def test_a_time_that_is_none_is_0():
    assert to_response(simulation(end_time="soon"), 0).finished_at == 0.0
