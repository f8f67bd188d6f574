"""A model behind an OpenAI-compatible API: requests go out together, each is tried until it is answered or refused."""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from inference.api_budget import BudgetError, Costs
from inference.api_cache import Answer, cache_key
from inference.api_images import with_images
from inference.api_reply import ApiError, Scope, one_line, parse_answer
from inference.api_session import ApiSession
from inference.engine import Engine, EngineError, Finished, Request, failure
from inference.spec import ModelSpec, ProviderSpec, Sampling
from store.records import Message, Response

_STEP_S = 0.2
_LONGEST_BACKOFF_S = 100.0
_OURS = {"model", "messages", "stream", "n"}  # in request_args these would break what is counted and kept


class ApiEngine(Engine):
    """One model of one provider. What it shares with other models (limits, cache, budget) is the session's."""

    def __init__(
        self,
        model: ModelSpec,
        provider: ProviderSpec,
        sampling: Sampling,
        session: ApiSession,
        *,
        max_attempts: int = 10,
        backoff_s: float = 1.0,
    ) -> None:
        """Sends nothing yet.

        Args:
            max_attempts: tries of a request before its failure is recorded.
            backoff_s: pause after the first failed try; doubles from try to try.

        Raises:
            EngineError: openai is not installed, there is no usable key, or request_args has a field that it cannot.
        """
        try:
            import tenacity
        except ImportError as error:
            raise EngineError(f"tenacity cannot be imported ({error}); pip install 'routeyard[api]'") from None
        if wrong := _OURS & model.request_args.keys():
            raise EngineError(
                f"model {model.name}: remove {', '.join(sorted(wrong))} from its request_args in the pool"
            )
        self._model, self._provider, self._sampling, self._session = model, provider, sampling, session
        self._client = session.client(provider)
        self._tenacity, self._max_attempts = tenacity, max_attempts
        self._backoff = tenacity.wait_exponential(backoff_s, _LONGEST_BACKOFF_S) + tenacity.wait_random(0, backoff_s)
        self._done: SimpleQueue[tuple[int, Finished]] = SimpleQueue()
        self._open: set[int] = set()  # submitted, not yet given back by step
        self._futures: set[Future[None]] = set()
        self._sent: set[int] = set()  # of these, what the provider may be charging for
        self._n_submitted = 0
        self._costs = Costs()
        self._refusal: ApiError | None = None  # of the model as a whole

    @property
    def capacity(self) -> int:
        return self._provider.max_concurrency

    @property
    def n_in_flight(self) -> int:
        """Requests submitted and not yet returned by `step`; one that the budget refuses disappears from here."""
        return len(self._open)

    def submit(self, request: Request) -> None:
        self._n_submitted += 1
        self._open.add(self._n_submitted)
        future = self._session.start(self._serve(self._n_submitted, request))
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)

    def step(self) -> list[Finished]:
        """Waits for a moment until something has finished; gives back all that has.

        Raises:
            EngineError: the provider refuses the model as a whole, and everything it may charge for has come home.
        """
        finished: list[Finished] = []
        is_over = self._refusal is not None and not self._sent
        wait_s = _STEP_S if self._open and not is_over else 0.0
        while True:
            try:
                number, result = self._done.get(timeout=wait_s)
            except Empty:
                break
            self._open.discard(number)
            finished.append(result)
            wait_s = 0.0
        if is_over and not finished and self._refusal:
            raise EngineError(self._advice(self._refusal))
        return finished

    def close(self) -> None:
        """End what is under way. The session stays open."""
        for future in list(self._futures):
            future.cancel()
        self._open.clear()

    async def _serve(self, number: int, request: Request) -> None:
        """From a request to what `step` gives back for it."""
        try:
            response = await self._answer(number, request)
        except BudgetError:
            self._open.discard(number)
            return
        except ApiError as error:
            if error.scope is Scope.MODEL:
                self._refusal = self._refusal or error
                self._sent.discard(number)  # it stays open: it is lost with the others when `step` raises
                return
            n_tries = error.n_tries
            text = f"{error} ({n_tries} {'try' if n_tries == 1 else 'tries'})"
            response = replace(failure(request, text), attempts=n_tries)
        except Exception as error:  # a poisoned request costs itself, whatever it makes the client raise
            response = failure(request, one_line(self._client.redact(f"{type(error).__name__}: {error}")))
        self._done.put((number, Finished(request, response)))
        self._sent.discard(number)

    async def _answer(self, number: int, request: Request) -> Response:
        started = time.monotonic()
        n_tries = 0

        async def send() -> Answer:
            nonlocal n_tries
            answer, n_tries = await self._try(number, body, lambda: self._estimate_usd(request, body))
            return answer | {"latency_s": time.monotonic() - started, "finished_at": time.time()}

        try:
            messages, keyed_messages = await asyncio.to_thread(with_images, request.messages)
        except ValueError as error:
            raise ApiError(str(error), Scope.REQUEST) from None
        body = self._body(messages, request.max_tokens)
        key = cache_key(self._provider.base_url, body | {"messages": keyed_messages}, request.repeat)
        answer, is_cached = await self._session.answer(key, send)
        fields = {**answer, "cost_usd": math.nan if answer["cost_usd"] is None else answer["cost_usd"]}
        if is_cached:
            fields["extra"] = {**answer["extra"], "cached": True}
        return Response(index=request.index, repeat=request.repeat, attempts=max(1, n_tries), **fields)

    def _body(self, messages: list[Message], max_tokens: int) -> dict[str, Any]:
        """All fields that are sent; null in request_args takes a field away."""
        body = {
            "model": self._model.path,
            "messages": messages,
            "temperature": self._sampling.temperature,
            "top_p": self._sampling.top_p,
            "max_tokens": max_tokens,
            **self._model.request_args,
        }
        return {name: value for name, value in body.items() if value is not None}

    async def _try(self, number: int, body: dict[str, Any], estimate: Callable[[], float]) -> tuple[Answer, int]:
        """Send a request until it is answered; gives back the answer and the number of tries.

        Raises:
            ApiError: of the last try.
            BudgetError: the budget does not admit a further try.
        """
        tenacity, n_tries = self._tenacity, 0
        async for attempt in tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._max_attempts),
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, ApiError) and error.scope is Scope.TRY),
            wait=lambda state: max(self._backoff(state), state.outcome.exception().retry_after_s),
            reraise=True,
        ):
            with attempt:
                n_tries += 1
                try:
                    return await self._try_once(number, body, estimate), n_tries
                except ApiError as error:
                    error.n_tries = n_tries
                    raise
        raise AssertionError("the last try gives back or raises")

    async def _try_once(self, number: int, body: dict[str, Any], estimate: Callable[[], float]) -> Answer:
        budget = self._session.budget
        async with self._client.turn():
            reserved_usd = await budget.reserve(estimate)
            try:
                if self._refusal:
                    raise self._refusal
                self._sent.add(number)
                answer = parse_answer(self._model, await self._client.post(body))
                self._pay(answer["cost_usd"], reserved_usd)
            except ApiError as error:
                self._pay(error.cost_usd, reserved_usd)
                if error.scope is Scope.TRY:
                    self._sent.discard(number)
                raise
            finally:
                budget.release(reserved_usd)
        if math.isnan(answer["cost_usd"]):
            answer["cost_usd"] = None  # JSON has no NaN
        return answer

    def _pay(self, usd: float, reserved_usd: float) -> None:
        self._session.budget.pay(self._costs.settled(usd, reserved_usd))

    def _estimate_usd(self, request: Request, body: dict[str, Any]) -> float:
        """Of the costs so far. Before any is known: all tokens it may generate, and a token for four characters."""
        if usd := self._costs.next_usd():
            return usd
        n_completion = max(body.get("max_tokens", 0), body.get("max_completion_tokens", 0))
        n_prompt = sum(len(str(message.get("content"))) for message in request.messages) / 4
        prices = self._model.price_prompt_usd or 0.0, self._model.price_completion_usd or 0.0
        return (n_prompt * prices[0] + n_completion * prices[1]) / 1e6

    def _advice(self, error: ApiError) -> str:
        cures = {
            401: f"check the key in {self._provider.key_env}" if self._provider.key_env else "it needs a key: key_env",
            402: "no credit is left",
            403: "the key has no permission for this model",
            404: f"does it know {self._model.path!r}, and is its address right?",
        }
        return f"model {self._model.name}: {self._provider.base_url} refuses it, {error}; {cures[error.status]}"
