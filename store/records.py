"""The three records that travel between the rooms: a query, a response to it, a score for that.

They live in `store` because `inference`, `scoring` and `routers` may all import it and not each other.
"""

from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]  # {"role": "user" | "system" | "assistant", "content": str | list}


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a benchmark.

    Attributes:
        index: stable row number inside the benchmark's file, from 0 unless the source counts otherwise.
        text: the bare question; this is what routers embed.
        ground_truth: the gold answer, any JSON value.
        messages: the chat messages exactly as sent to a model; empty until the benchmark's prompt is applied.
        metadata: further JSON fields of the row that scoring or analysis needs (subject, level, options, …).
    """

    index: int
    text: str
    ground_truth: Any
    messages: tuple[Message, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What one model answered to one query. A failure is a response too: `error` says why, `text` is empty.

    Attributes:
        index: the query's index.
        repeat: which of several answers of the same model to the same query, 0 by default.
        text: the complete output, reasoning included.
        error: empty for a success.
        finish_reason: "stop", "length", … as the engine says; empty for a failure.
        prompt_tokens, completion_tokens: -1 where unknown.
        cost_usd, latency_s: NaN where unknown. Latency is submission to last token, waiting included.
        attempts: how many times it was tried.
        finished_at: Unix time in seconds; the earliest success of a key is the one that counts.
        extra: further JSON fields.
    """

    index: int
    repeat: int = 0
    text: str = ""
    error: str = ""
    finish_reason: str = ""
    prompt_tokens: int = -1
    completion_tokens: int = -1
    cost_usd: float = float("nan")
    latency_s: float = float("nan")
    attempts: int = 1
    finished_at: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """The value in [0, 1] a benchmark gives a response.

    Attributes:
        value: in [0, 1]; NaN where there is none (the key then counts as missing, never as 0).
        prediction: the answer that was extracted, empty where none was found.
        explanation: why, in a few words, so that a wrong grade can be argued about later.
    """

    value: float
    prediction: str = ""
    explanation: str = ""
