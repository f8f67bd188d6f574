"""τ²-Bench: 278 tasks of customer service, in each of which the model talks with a simulated user and calls tools.

Data: the tasks of the domains airline (50), retail (114) and telecom (114) of the GitHub repository
sierra-research/tau2-bench (MIT), state of 2025, data/tau2/domains/<domain>/tasks.json, here
<data_dir>/tau2/<domain>/tasks.json; with a split_tasks.json beside it only its split "base" counts. A task, shortened:

    {"id": "0", "user_scenario": {"persona": null, "instructions": {"domain": "airline",
     "reason_for_call": "You want to cancel reservation EHGLP3. …", "task_instructions": "If Agent tells you that …",
     "known_info": "You are Emma Kim. …", "unknown_info": null}}, "initial_state": null,
     "evaluation_criteria": {"actions": […], "communicate_info": [], "nl_assertions": […]}}

A query's text is what the user wants and how he goes about it; 167 of the 278 differ, as in the published release. A
response is no answer to that text but a whole conversation, held by the tau2 package with the model as the agent
(`inference/tau2_engine.py`, or imported by `launch/import_tau2.py`): its text is the package's record as JSON.

Score: 1 if the reward in the record is 1, as the package computed it when the conversation was over. A conversation
without a reward, and a text that is no record, have none. The published tables were made from such records too.
"""

import json
from pathlib import Path
from typing import Any

from scoring.benchmark import Benchmark, BenchmarkError
from scoring.rows import find_file, read_rows
from store.records import Message, Query, Score

_DOMAINS = ("airline", "retail", "telecom")
_SOURCE = "data/tau2/domains/{0}/tasks.json of the GitHub repository sierra-research/tau2-bench (2025)"
_ALMOST = 1e-6  # below 1, a product of floats is 1 all the same


class Tau2(Benchmark):
    """The base tasks of τ²-Bench."""

    name = "tau2"

    def load(self, data_dir: Path) -> list[Query]:
        tasks = [(domain, task) for domain in _DOMAINS for task in _tasks(data_dir, domain)]
        return [
            Query(
                index,
                _wish(task["user_scenario"]["instructions"]),
                task["evaluation_criteria"],
                metadata={"domain": domain, "task_id": task["id"], "task": task},
            )
            for index, (domain, task) in enumerate(tasks)
        ]

    def prompt(self, query: Query) -> list[Message]:
        """What the conversation is about; the messages of the conversation are the tau2 package's."""
        return [{"role": "user", "content": query.text}]

    def score(self, query: Query, text: str) -> Score:
        try:
            record = json.loads(text)
            reward, end = record["reward_info"]["reward"], record["termination_reason"]
            value = float(float(reward) >= 1 - _ALMOST)
        except (ValueError, TypeError, KeyError, RecursionError):
            return Score(float("nan"), "", "no record of a simulation with a reward")
        return Score(value, str(reward), f"ended with {end}")


def _tasks(data_dir: Path, domain: str) -> list[dict[str, Any]]:
    path = find_file(data_dir, f"tau2/{domain}/tasks.json", _SOURCE.format(domain))
    tasks = read_rows(path, {"id": str, "user_scenario": dict, "evaluation_criteria": dict})
    for task in tasks:
        instructions = task["user_scenario"].get("instructions")
        if not isinstance(instructions, dict) or not {"reason_for_call", "task_instructions"} <= instructions.keys():
            raise BenchmarkError(f"{path}, task {task['id']!r}: its user has no instructions; get the file again")
    if (split := path.with_name("split_tasks.json")).is_file():
        base = set(json.loads(split.read_text(encoding="utf-8"))["base"])
        tasks = [task for task in tasks if task["id"] in base]
    return tasks


def _wish(instructions: dict[str, Any]) -> str:
    return f"{instructions['reason_for_call'].strip()}\n\n{instructions['task_instructions'].strip()}"
