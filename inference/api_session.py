"""What all API models of one process share: the event loop, a client per provider, the answers paid for, the budget."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import astuple
from pathlib import Path
from sqlite3 import Error as CacheError
from types import TracebackType
from typing import Any, Self

from inference.api_budget import Budget
from inference.api_cache import Answer, ApiCache
from inference.api_client import ApiClient
from inference.spec import ProviderSpec

log = logging.getLogger("routeyard.api")


class ApiSession:
    """One loop in a thread of its own; engines hand it coroutines. To be closed, best as a context manager."""

    def __init__(self, cache_path: Path, *, max_cost_usd: float | None = None) -> None:
        """Opens the cache and starts the loop.

        Args:
            max_cost_usd: what this session may spend at most; None: no limit.

        Raises:
            StoreError: the cache cannot be used.
        """
        self.budget = Budget(max_cost_usd)
        self._cache = ApiCache(cache_path)
        self._clients: dict[tuple[Any, ...], ApiClient] = {}
        self._under_way: dict[str, asyncio.Future[Answer]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="api", daemon=True)
        self._thread.start()

    @property
    def spent_usd(self) -> float:
        """Paid in this session; cached answers cost nothing, and one of unknown cost counts with its estimate."""
        return self.budget.spent_usd

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing more is sent: the budget is spent, or `halt`. What was not sent stays missing."""
        return self.budget.is_exhausted

    def halt(self) -> None:
        """Send nothing more, as if the budget were spent; what is under way comes home."""
        self._loop.call_soon_threadsafe(self.budget.close)

    def client(self, provider: ProviderSpec) -> ApiClient:
        """The one client of a provider, whatever the number of its models.

        Raises:
            EngineError: openai is not installed, or there is no usable key.
        """
        key = astuple(provider)
        if key not in self._clients:
            self._clients[key] = ApiClient(provider)
        return self._clients[key]

    def start(self, coroutine: Coroutine[Any, Any, None]) -> "Future[None]":
        """Run a coroutine in the session's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def answer(self, key: str, send: Callable[[], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """The answer of a key, and whether it was there: in the cache, or under way for somebody else.

        A new one is in the cache before it is given back.

        Args:
            send: asks for a new answer.

        Raises:
            Whatever `send` raises, whoever sent.
        """
        while leader := self._under_way.get(key):
            await asyncio.wait([leader])
            if not leader.cancelled():
                return leader.result(), True
        mine = self._under_way[key] = self._loop.create_future()
        try:
            answer = await asyncio.wrap_future(self._cache.get(key))
            is_cached = answer is not None
            if answer is None:
                answer = await send()
                await self._keep(key, answer)
            mine.set_result(answer)
        except Exception as error:
            mine.set_exception(error)
            mine.exception()  # raised here in any case; that nobody else waited is no reason for a warning
            raise
        finally:
            del self._under_way[key]
            mine.cancel()  # nothing, unless this task was cancelled: then somebody who waits sends instead
        return answer, is_cached

    async def _keep(self, key: str, answer: Answer) -> None:
        """Commit an answer. One that cannot be is given back all the same: it was paid for."""
        try:
            await asyncio.shield(asyncio.wrap_future(self._cache.put(key, answer)))
        except CacheError as error:
            log.error("the cache of API answers cannot be written (%s); answers go on to the store", error)

    def close(self) -> None:
        """End what is under way, and keep everything that came home."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._cache.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.close()
        await self._loop.shutdown_default_executor()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
