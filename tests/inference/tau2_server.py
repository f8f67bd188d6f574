"""A real HTTP server that plays agent and user of τ²-Bench by script: the agent does what a task says is right."""

import json
import threading
import time
from collections import Counter
from pathlib import Path

from tests.inference.fault_proxy import Server


class Script(Server):
    """Plays both sides; the model's name in a request says how.

    The user names the task that it finds in its own instructions; so the agent knows what is gold. `right` does it all,
    `lazy` says at once that it is done, `confused` calls a tool that there is not, again and again.

    Args:
        tasks: whose users want different things, by their position.
        delay_s: of each answer.
        status: model -> the HTTP status with which it is refused.

    Attributes:
        tokens: model -> Counter of prompt and completion tokens it was billed for.
        keys: those that requests came with.
        bodies: all requests.
        n_conversations: position of a task -> how often its user has begun to talk.
    """

    def __init__(self, tasks, delay_s=0.0, status=None):
        self.tasks = {str(number): task for number, task in enumerate(tasks)}
        self.delay_s, self.status = delay_s, status or {}
        self.lock, self.tokens, self.keys, self.bodies = threading.Lock(), {}, set(), []
        self.n_conversations = Counter()

    def answer(self, handler, body):
        fields = json.loads(body)
        model = fields["model"]
        with self.lock:
            self.bodies.append(fields)
            self.keys.add(handler.headers["Authorization"])
        time.sleep(self.delay_s)
        if status := self.status.get(model):
            handler.reply(status, json.dumps({"error": {"message": f"no {model} here", "type": "x"}}).encode())
            return
        message = self._user(fields) if model == "user" else self._agent(model, fields["messages"])
        usage = {"prompt_tokens": 10 * len(fields["messages"]), "completion_tokens": 7}
        usage["total_tokens"] = sum(usage.values())
        with self.lock:
            self.tokens.setdefault(model, Counter()).update(usage)
        choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": "stop"}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
        handler.reply(200, json.dumps({**answer, "usage": usage}).encode())

    def _user(self, fields):
        said = [message for message in fields["messages"] if message["role"] != "system"]
        if "It is done" in str(said[-1]["content"]):
            return {"content": "###STOP###"}
        system = _words(fields["messages"][0]["content"])
        (number,) = (n for n, task in self.tasks.items() if _words(_wish(task)) in system)
        with self.lock:
            self.n_conversations[number] += 1
        return {"content": f"TASK {number} please"}

    def _agent(self, model, messages):
        wish = next(message["content"] for message in messages if message["role"] == "user")
        task = self.tasks[wish.split()[1]]
        actions = [one for one in task["evaluation_criteria"]["actions"] or [] if one.get("requestor") != "user"]
        n_done = sum(message["role"] == "tool" for message in messages)
        if model == "confused":
            actions = [{"name": "no_such_tool", "arguments": {}}] * (n_done + 1)
        if model == "lazy" or n_done >= len(actions):
            facts = task["evaluation_criteria"].get("communicate_info") or []
            return {"content": f"It is done. {'; '.join(facts)}"}
        call = {"name": actions[n_done]["name"], "arguments": json.dumps(actions[n_done]["arguments"])}
        return {"tool_calls": [{"id": f"call-{n_done}", "type": "function", "function": call}]}


def read_tasks(folder: Path, domain, n_tasks):
    """The first tasks of a domain whose users want different things."""
    found = {}
    for task in json.loads((folder / domain / "tasks.json").read_text()):
        found.setdefault(_wish(task), task)
    return list(found.values())[:n_tasks]


def _wish(task):
    return task["user_scenario"]["instructions"]["reason_for_call"]


def _words(text):
    return "".join(text.split())
