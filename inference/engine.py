"""The interface of an engine: prompts go in, responses come out as they finish, with no barrier in between."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from inference.spec import EngineSpec, ModelSpec, Sampling
from store.errors import RouteyardError
from store.records import Message, Response


class EngineError(RouteyardError):
    """The engine cannot start or has died; the message says why and what to do. Affects this model only."""


class OutOfMemoryError(EngineError):
    """The device has too little memory for the share the engine was told to take; a smaller one may do."""


class ModelError(EngineError):
    """The model as it is configured cannot be used anywhere, whatever the node; trying again is useless."""


@dataclass(frozen=True, slots=True)
class Request:
    """One query to be answered once.

    Attributes:
        benchmark, index, repeat: the key of the response.
        messages: chat messages.
        max_tokens: completion tokens at most.
        attempt: 1 for the first try.
    """

    benchmark: str
    index: int
    repeat: int
    messages: tuple[Message, ...]
    max_tokens: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Finished:
    """A request with its response. `is_transient` marks a failure that another try may mend."""

    request: Request
    response: Response
    is_transient: bool = False


class Engine(ABC):
    """Serves one model. Not thread-safe; one owner calls `submit` and `step` in turn."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """Requests it works on at the same time; a few more submitted keep it from ever waiting for us."""

    @property
    @abstractmethod
    def n_in_flight(self) -> int:
        """Requests submitted and not yet returned by `step`."""

    @abstractmethod
    def submit(self, request: Request) -> None:
        """Take a request. One the model cannot take (too long, no template, …) comes back from `step` as a failure.

        Raises:
            EngineError: the engine has died.
        """

    @abstractmethod
    def step(self) -> list[Finished]:
        """Compute for a moment; gives back what has finished, possibly nothing.

        Raises:
            EngineError: the engine has died. Requests in flight are lost, everything returned before is valid.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the device; the engine cannot be used afterwards."""


def failure(request: Request, error: str) -> Response:
    """The record of a request that failed: tried, and why not. Nothing was generated, so nothing is charged."""
    return Response(
        index=request.index,
        repeat=request.repeat,
        error=error,
        prompt_tokens=0,
        completion_tokens=0,
        cost_usd=0.0,
        attempts=request.attempt,
        finished_at=time.time(),
    )


def make_engine(spec: EngineSpec, model: ModelSpec, sampling: Sampling) -> Engine:
    """The engine that runs a model on this machine, started and ready.

    Raises:
        ModelError: its checkpoint is not there.
        OutOfMemoryError: the device has too little free memory.
        EngineError: unknown, not installed, or it cannot load the model.
    """
    if spec.name == "vllm":
        from inference.vllm_engine import VLLMEngine

        return VLLMEngine(spec, model, sampling)
    raise EngineError(f"unknown engine {spec.name!r}; valid: vllm")


def with_less_memory(spec: EngineSpec) -> EngineSpec:
    """The same engine with a smaller share of the device: four fifths on a GPU, half the cache on a CPU."""
    env = dict(spec.env)
    if gib := env.get("VLLM_CPU_KVCACHE_SPACE"):
        env["VLLM_CPU_KVCACHE_SPACE"] = str(max(1, int(gib) // 2))
    return replace(spec, gpu_memory_utilization=0.8 * spec.gpu_memory_utilization, env=env)


@cache
def _vllm_version() -> str | None:
    for package in ("vllm", "vllm-cpu"):
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
    return None


def engine_version(spec: EngineSpec) -> str:
    """Package and version of an engine without importing it, "vllm 0.11.0"; part of a response's identity.

    Raises:
        EngineError: it is not installed here.
    """
    if found := _vllm_version():
        return found
    raise EngineError("vllm is not installed here; on a GPU machine: pip install 'routeyard[inference]'")
