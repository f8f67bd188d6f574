"""τ²-Bench as an engine: a request is a task, a response the whole conversation that the tau2 package holds about it.

So conversations are claimed, recorded, tried again and resumed like any answer. The package reaches the agent over
HTTP, at its provider's API or at a vLLM server that belongs to this engine, and the user at the simulator's API.
Requests inside a conversation are tried again by the package's own client; requests_per_minute is not kept.
"""

import logging
import math
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inference.api_budget import BudgetError, Costs
from inference.api_session import ApiSession
from inference.engine import Engine, EngineError, Finished, ModelError, Request, failure
from inference.simulation import to_response
from inference.spec import ModelSpec, SimulatorSpec
from inference.tau2_process import Tau2Process
from inference.vllm_server import VLLMServer

log = logging.getLogger("routeyard.tau2")

BENCHMARK = "tau2"  # the one whose queries are conversations
_MOST_TRIES = 3  # of a whole conversation
_STEP_S = 0.2
_LEAST_USD = 1e-6  # more than nothing, which a budget that is all set aside would still admit

Task = tuple[str, dict[str, Any]]  # domain, task


@dataclass(frozen=True, slots=True)
class Side:
    """Where one of the two models is reached, and what it is sent beside the messages and tools.

    Attributes:
        url: base URL of an OpenAI-compatible API.
        model: its name there.
        key_env: NAME of the environment variable with the key.
        fields: of every request; null takes one away.
        timeout_s: of one request.
    """

    url: str
    model: str
    key_env: str | None
    fields: Mapping[str, Any]
    timeout_s: float

    def setup(self, n_retries: int) -> dict[str, Any]:
        """As the driver takes it.

        Raises:
            EngineError: there is no key.
        """
        if self.key_env and not os.environ.get(self.key_env, "").strip():
            raise EngineError(f"the API {self.url}: its key is missing; export {self.key_env}=…")
        body = {name: value for name, value in self.fields.items() if value is not None}
        # `max_retries` is the official client's: it waits between tries and repeats nothing that was refused. litellm's
        # own `num_retries` does neither.
        arguments = {"api_base": self.url, "timeout": self.timeout_s, "max_retries": n_retries, "extra_body": body}
        return {"llm": f"openai/{self.model}", "llm_args": arguments, "key_env": self.key_env}


class Tau2Engine(Engine):
    """One model as the agent of τ²-Bench."""

    def __init__(
        self,
        model: ModelSpec,
        simulator: SimulatorSpec,
        tasks: Mapping[int, Task],
        agent: Side,
        *,
        max_attempts: int = 10,
        server: VLLMServer | None = None,
        session: ApiSession | None = None,
    ) -> None:
        """Starts the package; takes about ten seconds.

        Args:
            tasks: by index of their queries.
            max_attempts: tries of one request inside a conversation.
            server: the agent's, closed with this engine.
            session: whose budget pays for agent and user.

        Raises:
            EngineError: the package is not there, or a key is missing.
        """
        self._model, self._simulator, self._tasks, self._server, self._session = (
            model,
            simulator,
            tasks,
            server,
            session,
        )
        self._open: dict[int, Request] = {}  # submitted, not yet given back by step
        self._under_way: set[int] = set()  # of these, the conversations that have begun
        self._reserved: dict[int, float] = {}
        self._refusal = ""  # of the model as a whole
        self._costs = Costs()  # of conversations
        self._n_submitted = 0
        provider, user = simulator.provider, simulator.user
        played = Side(provider.base_url, user.path, provider.key_env, user.request_args, provider.timeout_s)
        setup = {
            "agent": agent.setup(max_attempts - 1), "user": played.setup(max_attempts - 1),
            "max_steps": simulator.max_steps, "max_errors": simulator.max_errors, "n_threads": self.capacity,
        }  # fmt: skip
        self._process = Tau2Process(simulator.python, setup)

    @property
    def capacity(self) -> int:
        return self._simulator.max_concurrency

    @property
    def n_in_flight(self) -> int:
        """Requests submitted and not yet returned by `step`; one that the budget refuses disappears from here."""
        return len(self._open)

    def submit(self, request: Request) -> None:
        self._n_submitted += 1
        self._open[self._n_submitted] = request
        if self._session is None:
            self._begin(self._n_submitted, request)
        else:
            self._session.start(self._begin_when_paid(self._n_submitted, request))

    def step(self) -> list[Finished]:
        """Waits for a moment until a conversation is over; gives back all that are.

        Raises:
            ModelError: an API refuses the agent or the user, whatever is asked, and all that had begun has come home.
            EngineError: the package or the server has died.
        """
        if self._server and not self._server.is_alive:
            raise EngineError(f"model {self._model.name}: its vLLM server has died; its words are in the log")
        finished: list[Finished] = []
        while said := self._process.hear(0.0 if finished else _STEP_S):
            number, response = said["number"], None
            self._under_way.discard(number)
            if simulation := said.get("simulation"):
                response = to_response(
                    simulation, self._open[number].index, repeat=self._open[number].repeat,
                    attempts=self._open[number].attempt, agent=self._model, user=self._simulator.user,
                )  # fmt: skip
                log.info("%s: task %s is over after %.0f s, reward %s", self._model.name, simulation["task_id"],
                         response.latency_s, response.extra["reward"])  # fmt: skip
            self._settle(number, response.cost_usd + (response.extra["user_cost"] or 0.0) if response else 0.0)
            if response is None and said["scope"] == "model":
                self._refusal = self._refusal or said["error"]
                continue  # it stays open: it is lost with the others when `step` raises
            request = self._open.pop(number)
            is_transient = response is None and said["scope"] == "try" and request.attempt < _MOST_TRIES
            finished.append(Finished(request, response or failure(request, said["error"]), is_transient))
        if self._refusal and not self._under_way and not finished:
            raise ModelError(f"model {self._model.name}: {BENCHMARK} cannot be run with it: {self._refusal}")
        return finished

    def close(self) -> None:
        """End what is under way, and the agent's server. The session stays open."""
        for number in list(self._reserved):
            self._settle(number, 0.0)
        self._open.clear()
        self._process.close()
        if self._server:
            self._server.close()

    def _begin(self, number: int, request: Request) -> None:
        if self._refusal:
            return
        self._under_way.add(number)
        domain, task = self._tasks[request.index]
        seed = _seed(self._simulator.seed, request.repeat)
        self._process.tell({"number": number, "domain": domain, "task": task, "seed": seed})

    async def _begin_when_paid(self, number: int, request: Request) -> None:
        assert self._session is not None
        try:
            self._reserved[number] = await self._session.budget.reserve(self._estimate_usd)
        except BudgetError:
            self._open.pop(number, None)
            return
        self._begin(number, request)

    def _estimate_usd(self) -> float:
        """Of the costs so far. Until one is known, all that is left: then one conversation goes before the others."""
        assert self._session is not None
        if usd := self._costs.next_usd():
            return usd
        left_usd = self._session.budget.left_usd
        return max(left_usd, _LEAST_USD) if math.isfinite(left_usd) else 0.0

    def _settle(self, number: int, usd: float) -> None:
        if self._session is None or (reserved_usd := self._reserved.pop(number, None)) is None:
            return
        self._session.start(_pay(self._session, self._costs.settled(usd, reserved_usd), reserved_usd))


async def _pay(session: ApiSession, usd: float, reserved_usd: float) -> None:
    session.budget.pay(usd)
    session.budget.release(reserved_usd)


def _seed(seed: int | None, repeat: int) -> int | None:
    """The seed of a conversation, as the package draws it for each of several trials."""
    if seed is None:
        return None
    numbers = random.Random(seed)
    return [numbers.randint(0, 1000000) for _ in range(repeat + 1)][repeat]
