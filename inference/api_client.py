"""One provider: its client, how many requests run at the same time, how many per minute. Only this file imports openai.

The key is read here and leaves this file nowhere but in the requests.
"""

import asyncio
import logging
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from inference.api_reply import ApiError, Scope, one_line, status_error
from inference.engine import EngineError
from inference.spec import ProviderSpec

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_SHORTEST_SECRET = 8  # a shorter key guards nothing, and may be a word that an answer uses


class ApiClient:
    """Sends requests of all models of one provider. Everything but the constructor belongs to one event loop."""

    def __init__(self, spec: ProviderSpec) -> None:
        """Reads the key.

        Raises:
            EngineError: openai is not installed, or there is no usable key.
        """
        try:
            import openai
        except ImportError as error:
            raise EngineError(f"openai cannot be imported ({error}); pip install 'routeyard[api]'") from None
        for name in ("openai", "httpx", "httpx2"):
            logging.getLogger(name).setLevel(logging.WARNING)  # else: a line per request
        self._key = _key_of(spec)
        self._openai = openai
        self._client = openai.AsyncOpenAI(
            api_key=self._key or "none", base_url=spec.base_url, timeout=spec.timeout_s, max_retries=0
        )
        self._timeout_s = spec.timeout_s
        self._slots = asyncio.Semaphore(spec.max_concurrency)
        self._gap_s = 60.0 / spec.requests_per_minute if spec.requests_per_minute else 0.0
        self._next_at = self._paused_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until one more request may be sent: a slot is free, its moment has come, the provider wants no pause."""
        async with self._slots:
            while (wait_s := max(self._next_at, self._paused_until) - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            self._next_at = time.monotonic() + self._gap_s
            yield

    async def post(self, body: dict[str, Any]) -> str:
        """Send one chat completion; gives back the body of the answer as it came, without the key.

        Raises:
            ApiError: no answer came, or one with an error status.
        """
        fields = dict(body)
        model, messages = fields.pop("model"), fields.pop("messages")
        openai = self._openai
        try:
            async with asyncio.timeout(self._timeout_s):  # the client's own starts anew with every byte that comes
                answer = await self._client.chat.completions.with_raw_response.create(
                    model=model, messages=messages, extra_body=fields
                )
                content = answer.content.decode(errors="replace")
                return self.redact(content) if len(self._key) >= _SHORTEST_SECRET else content
        except (TimeoutError, openai.APITimeoutError):
            raise ApiError(f"no answer within {self._timeout_s:g} s", Scope.TRY) from None
        except openai.APIStatusError as error:
            refusal = status_error(
                error.status_code, error.body, error.response.headers.get("retry-after"), time.time()
            )
            refusal.args = (self.redact(str(refusal)),)
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            text = one_line(f"{type(cause).__name__} {cause}".strip())
            raise ApiError(self.redact(f"connection failed: {text}"), Scope.TRY) from None
        if refusal.status in (429, 503):
            self._paused_until = max(self._paused_until, time.monotonic() + refusal.retry_after_s)
        raise refusal

    def redact(self, text: str) -> str:
        """The text without the key."""
        return text.replace(self._key, "***") if self._key else text

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _key_of(spec: ProviderSpec) -> str:
    if spec.key_env is None:
        return ""
    where = f"the API {spec.base_url}"
    if not _NAME.fullmatch(spec.key_env):
        raise EngineError(f"{where}: key_env has to be the NAME of an environment variable (A-Z, 0-9, _), not a key")
    key = os.environ.get(spec.key_env, "").strip()
    if not key:
        raise EngineError(f"{where}: its key is missing; export {spec.key_env}=…")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EngineError(f"{where}: the value of {spec.key_env} is no key (it has spaces or unusual characters)")
    return key
