"""What an API said: an answer, or an error and whom it concerns."""

import json
import re
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from inference.price import cost_usd
from inference.spec import ModelSpec

_LONGEST_PAUSE_S = 600.0
_NO_CREDIT = re.compile(r"insufficient_quota|billing_hard_limit|credit balance", re.IGNORECASE)
_POLICY = re.compile(r"content.?(policy|filter)|moderation|sensitive_words|flagged", re.IGNORECASE)


class Scope(Enum):
    """What an error concerns: another try may go well, no try of this request will, no request to this model will."""

    TRY = "try"
    REQUEST = "request"
    MODEL = "model"


class ApiError(Exception):
    """One try failed.

    Attributes:
        scope: what it concerns.
        status: of HTTP, 0 where there was none.
        retry_after_s: the server asked for this pause.
        cost_usd: was charged all the same; NaN where unknown.
        n_tries: of the request, this one included.
    """

    def __init__(
        self, message: str, scope: Scope, *, status: int = 0, retry_after_s: float = 0.0, cost_usd: float = 0.0
    ) -> None:
        super().__init__(message)
        self.scope, self.status, self.retry_after_s, self.cost_usd = scope, status, retry_after_s, cost_usd
        self.n_tries = 1


def status_error(status: int, body: object, retry_after: str | None, now: float) -> ApiError:
    """The error that an answer with an HTTP status from 300 on means.

    Args:
        body: the decoded `error` of the body, or its text.
        retry_after: the header, seconds or a date.
        now: Unix time in seconds.
    """
    details = body if isinstance(body, str) else json.dumps(body)
    message = body.get("message") if isinstance(body, dict) else None
    text = f"HTTP {status}: {one_line(str(message or details))}"
    if status in (400, 403, 429) and _NO_CREDIT.search(details):
        return ApiError(text, Scope.MODEL, status=402)
    if (status == 403 or status >= 500) and _POLICY.search(details):
        return ApiError(text, Scope.REQUEST, status=status)
    if status in (401, 402, 403, 404):
        return ApiError(text, Scope.MODEL, status=status)
    if status in (408, 409, 429) or status >= 500:
        return ApiError(text, Scope.TRY, status=status, retry_after_s=seconds_of(retry_after, now))
    return ApiError(text, Scope.REQUEST, status=status)


def seconds_of(retry_after: str | None, now: float) -> float:
    """The pause that a header Retry-After asks for, at most ten minutes; 0 where it is missing or unreadable."""
    if retry_after is None:
        return 0.0
    try:
        pause_s = float(retry_after)
    except ValueError:
        try:
            pause_s = parsedate_to_datetime(retry_after).timestamp() - now
        except ValueError:
            return 0.0
    return min(max(pause_s, 0.0), _LONGEST_PAUSE_S) if pause_s == pause_s else 0.0


def parse_answer(model: ModelSpec, content: str) -> dict[str, Any]:
    """The fields of a `Response` that a chat completion determines.

    Raises:
        ApiError: malformed, without an answer, or kept back by the provider's filter.
    """
    try:
        body = json.loads(content)
        usage = body.get("usage") or {}
        prompt_tokens, completion_tokens = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        cost = usage.get("cost")
        reasoning_tokens = _count((usage.get("completion_tokens_details") or {}).get("reasoning_tokens"))
        choice = (body.get("choices") or [None])[0]
        message = {} if choice is None else choice["message"]
        text, refusal, reason = message.get("content"), message.get("refusal"), (choice or {}).get("finish_reason")
    except (ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
        raise ApiError(f"malformed answer ({type(error).__name__}): {one_line(content, 100)}", Scope.TRY) from None
    if not isinstance(cost, int | float):
        cost = cost_usd(model, prompt_tokens, completion_tokens)
    charged = float(cost) if usage else 0.0

    if choice is None or reason == "error":
        said = body.get("error") or (choice or {}).get("error") or "no choices"
        details = said.get("message", said) if isinstance(said, dict) else said
        raise ApiError(f"no answer: {one_line(str(details))}", Scope.TRY, cost_usd=charged)
    if text is None and reason == "content_filter":
        raise ApiError("no answer: the provider's content filter", Scope.REQUEST, cost_usd=charged)
    if text is None:
        text = refusal or ("" if reason == "length" else None)  # all tokens went into reasoning: that is the answer
    if not isinstance(text, str):
        raise ApiError(f"no answer: content is {text!r:.100}", Scope.TRY, cost_usd=charged)

    extra: dict[str, Any] = {"response_id": body.get("id"), "model": body.get("model")}
    extra["reasoning"] = message.get("reasoning_content") or message.get("reasoning")
    extra["reasoning_tokens"] = reasoning_tokens if reasoning_tokens >= 0 else None
    extra["refusal"] = refusal
    return {
        "text": text,
        "finish_reason": reason or "",
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "cost_usd": float(cost),
        "extra": {name: value for name, value in extra.items() if value is not None},
    }


def one_line(text: str, length: int = 400) -> str:
    """A text without line breaks, cut where it is too long for a message."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[:length] + "…"


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else -1
