"""A simulation of τ²-Bench as the tau2 package records it -> a response of the store.

A simulation, shortened:

    {"id": "…", "task_id": "7", "start_time": "2025-09-10T12:00:00", "end_time": "…", "duration": 61.2, "trial": 0,
     "termination_reason": "user_stop", "reward_info": {"reward": 1.0, …}, "agent_cost": 0.012, "user_cost": 0.004,
     "messages": [{"role": "assistant", "content": "…", "tool_calls": null, "cost": 0.001,
                   "usage": {"prompt_tokens": 900, "completion_tokens": 20}, "raw_data": {…}}, …]}

The response's text is this record as JSON, so that its score can always be read from it again; only `raw_data`, which
repeats every message, is left out. Tokens and cost are those of the agent, over the whole conversation.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from inference.price import cost_usd
from inference.spec import ModelSpec
from store.queries import to_json
from store.records import Response

Simulation = dict[str, Any]


def to_response(
    simulation: Simulation,
    index: int,
    *,
    repeat: int = 0,
    attempts: int = 1,
    agent: ModelSpec | None = None,
    user: ModelSpec | None = None,
) -> Response:
    """The response that a simulation is.

    Args:
        agent, user: the models, whose prices make the costs from the tokens. The package's own costs stand in for
            unknown prices, unless they are 0 for a model that said something: then it knew no price either.
    """
    messages = [
        {name: value for name, value in message.items() if name != "raw_data"} for message in simulation["messages"]
    ]
    prompt_tokens, completion_tokens = _tokens(messages, "assistant")
    user_tokens = _tokens(messages, "user")
    user_usd = _cost(simulation, "user", user_tokens, user)
    return Response(
        index=index,
        repeat=repeat,
        text=to_json({**simulation, "messages": messages}),
        finish_reason=str(simulation.get("termination_reason", "")),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost_usd=_cost(simulation, "agent", (prompt_tokens, completion_tokens), agent),
        latency_s=_number(simulation.get("duration")),
        attempts=attempts,
        finished_at=_unix_time(simulation.get("end_time")),
        extra={
            "task_id": simulation["task_id"],
            "reward": (simulation.get("reward_info") or {}).get("reward"),
            "termination_reason": simulation.get("termination_reason"),
            "num_messages": len(messages),
            "agent_cost": simulation.get("agent_cost"),
            "user_cost": None if math.isnan(user_usd) else user_usd,
            "user_prompt_tokens": user_tokens[0],
            "user_completion_tokens": user_tokens[1],
        },
    )


def _tokens(messages: Sequence[Mapping[str, Any]], role: str) -> tuple[int, int]:
    """Prompt and completion tokens of one side, (-1, -1) where no message has them."""
    usages = [message["usage"] for message in messages if message["role"] == role and message.get("usage")]
    if not usages:
        return -1, -1
    return sum(usage["prompt_tokens"] or 0 for usage in usages), sum(
        usage["completion_tokens"] or 0 for usage in usages
    )


def _cost(simulation: Simulation, side: str, tokens: tuple[int, int], model: ModelSpec | None) -> float:
    """USD of one side of a conversation, NaN where unknown."""
    usd = cost_usd(model, *tokens) if model else math.nan
    if math.isnan(usd):
        usd = _number(simulation.get(f"{side}_cost"))
    if math.isnan(usd):
        role = "assistant" if side == "agent" else side
        costs = [message.get("cost") for message in simulation["messages"] if message["role"] == role]
        usd = math.nan if not costs or None in costs else float(sum(costs))
    is_unknown = usd == 0.0 and max(tokens) != 0 and not _is_free(model)
    return math.nan if is_unknown else usd


def _is_free(model: ModelSpec | None) -> bool:
    return model is not None and model.price_prompt_usd == model.price_completion_usd == 0.0


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _unix_time(text: Any) -> float:
    """Seconds since 1970 of a time as the package writes it, in this machine's zone; 0 if it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return 0.0
