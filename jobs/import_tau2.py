"""Results of the tau2 package that were made elsewhere -> responses of the store.

A file is what `tau2 run` saves, {"info": {…}, "tasks": […], "simulations": […]}, or a list of simulations, or one
simulation (`inference/simulation.py`). What is in the store already is skipped, so an import can be repeated, and the
three domains of a model be imported one after the other. Nothing else tells such responses from collected ones.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inference.simulation import Simulation, to_response
from inference.spec import ModelSpec
from inference.tau2_engine import BENCHMARK
from jobs.attempt import current_attempt
from store.digest import digest
from store.errors import StoreError
from store.layout import Layout
from store.queries import read_queries
from store.records import Query, Response
from store.responses import ResponseWriter, read_columns

# Of a model's arguments, what may be kept and says how it answered; others are addresses, keys and patience.
_SAYS_HOW = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "reasoning_effort", "extra_body", "seed")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file has brought."""

    model: str
    n_new: int
    n_there: int
    mean_reward: float


def import_results(layout: Layout, path: Path, models: Sequence[ModelSpec] = (), model: str | None = None) -> Imported:
    """Bring the simulations of one file into the store.

    Args:
        models: of a pool; the one that was the agent lends its name and its prices.
        model: its name, where the file does not say it, or says another.

    Raises:
        StoreError: the file cannot be read, is about other tasks than those in the store, or the store holds responses
            of this model that were made otherwise.
    """
    document = _read(path)
    info = document.get("info") or {}
    llm = str((info.get("agent_info") or {}).get("llm") or "")
    agent = next((one for one in models if (one.name == model if model else _is_called(one, llm))), None)
    name = model or (agent.name if agent else llm.rpartition("/")[2])
    if not name:
        raise StoreError(f"{path}: it does not say which model the agent was; say it with tau2.model=…")
    queries = _queries(layout, document, path)
    digest_, identity = _identity(info)
    there = read_columns(layout, BENCHMARK, name, (), digest=digest_)
    done = set(zip(there["index"].tolist(), there["repeat"].tolist(), strict=True))
    fresh: dict[tuple[int, int], Response] = {}
    rewards = []
    for simulation, query in zip(document["simulations"], queries, strict=True):
        key = query.index, simulation.get("trial") or 0
        rewards.append(float((simulation.get("reward_info") or {}).get("reward") or 0.0))
        if key not in done:
            fresh.setdefault(key, _response(simulation, key, agent))
    writer = ResponseWriter(layout, BENCHMARK, name, current_attempt().writer, {
        "digest": digest_, "identity": identity, "source": str(path)
    })  # fmt: skip
    for key in sorted(fresh):
        writer.append(fresh[key])
    writer.commit()
    return Imported(name, len(fresh), len(rewards) - len(fresh), sum(rewards) / len(rewards))


def _read(path: Path) -> dict[str, Any]:
    """The document of a file in its first shape."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read as results of tau2: {error}") from None
    if isinstance(document, list):
        document = {"simulations": document}
    elif isinstance(document, dict) and "messages" in document:
        document = {"simulations": [document]}
    simulations = document.get("simulations") if isinstance(document, dict) else None
    if not isinstance(simulations, list) or not simulations:
        raise StoreError(f'{path}: no results of tau2; expected an object with a list "simulations", or such a list')
    for number, one in enumerate(simulations):
        if not isinstance(one, dict) or not {"task_id", "messages", "reward_info"} <= one.keys():
            raise StoreError(f"{path}, simulation {number}: it has no task_id, messages or reward_info")
    return document


def _is_called(model: ModelSpec, llm: str) -> bool:
    """Whether it is what the package calls `llm`: the name at its provider, often behind that of the provider."""
    return llm == model.path or llm.endswith(f"/{model.path}") or llm.rpartition("/")[2] == model.name


def _queries(layout: Layout, document: dict[str, Any], path: Path) -> list[Query]:
    """The query of each simulation."""
    by_id: dict[str, dict[str, Query]] = defaultdict(dict)  # task id -> domain -> query
    for query in read_queries(layout, BENCHMARK):
        by_id[query.metadata["task_id"]][query.metadata["domain"]] = query
    domain = ((document.get("info") or {}).get("environment_info") or {}).get("domain_name")
    found: list[Query] = []
    for one in document["simulations"]:
        candidates = by_id.get(str(one["task_id"]), {})
        named = [domain] if domain else [name for name in candidates if name in str(path)]
        if len(candidates) > 1 or domain:
            candidates = {name: candidates[name] for name in named if name in candidates}
        if len(candidates) != 1:
            raise StoreError(
                f"{path}: task {one['task_id']!r} of domain {domain or 'unknown'} is none of those in the store, or "
                "several; a path with the name of the domain in it tells them apart"
            )
        found += candidates.values()
    for task in document.get("tasks") or ():
        ours = next((query.metadata["task"] for query in found if query.metadata["task_id"] == task["id"]), task)
        if _wish(task) != _wish(ours):
            raise StoreError(
                f"{path}: task {task['id']!r} is another one than that in the store. Later releases of τ²-Bench "
                "changed tasks; import them into a store (store.root=…) whose data.dir has these"
            )
    return found


def _wish(task: dict[str, Any]) -> list[str]:
    instructions = task["user_scenario"]["instructions"]
    return [" ".join(str(instructions.get(part)).split()) for part in ("reason_for_call", "task_instructions")]


def _identity(info: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Digest of what the file says about how it was made, and its parts: the same for all domains, and no key."""
    sides = {}
    for side in ("agent", "user"):
        about = info.get(f"{side}_info") or {}
        arguments = about.get("llm_args") or {}
        sides[side] = [about.get("llm"), {name: arguments[name] for name in _SAYS_HOW if name in arguments}]
    parts = {
        "engine": "tau2, elsewhere", **sides, "limits": [info.get("max_steps"), info.get("max_errors")],
        "seed": info.get("seed"),
    }  # fmt: skip
    return digest(parts), parts


def _response(simulation: Simulation, key: tuple[int, int], agent: ModelSpec | None) -> Response:
    index, repeat = key
    response = to_response(simulation, index, repeat=repeat, agent=agent)
    if not simulation["messages"]:  # the package gave up on it, and counts it as 0
        return replace(response, text="", error="the conversation failed", finish_reason="")
    return response
