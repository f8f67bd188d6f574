"""Small stores for the tests of this room."""

from typing import Any

from store.layout import Layout
from store.records import Query, Response
from store.responses import ResponseWriter

BENCHMARK, MODEL, DIGEST = "aime", "org/model-1", "0123456789abcdef"


def answer(index: int, **fields: Any) -> Response:
    """A success whose text tells its key; fields replace any of its own."""
    known = {
        "text": f"answer {index}.{fields.get('repeat', 0)}",
        "finish_reason": "stop",
        "finished_at": 1000.0 + index,
    }
    return Response(index, **{**known, **fields})


def failure(index: int, **fields: Any) -> Response:
    """A recorded failure."""
    return answer(index, **{"text": "", "error": "TimeoutError: 30 s", "finish_reason": "", **fields})


def add_part(
    layout: Layout,
    writer: str,
    rows: list[Response],
    *,
    benchmark: str = BENCHMARK,
    model: str = MODEL,
    digest: str = DIGEST,
) -> ResponseWriter:
    """Commit the rows as a part of their own; gives back its writer."""
    part = ResponseWriter(layout, benchmark, model, writer, {"digest": digest})
    for row in rows:
        part.append(row)
    part.commit()
    return part


def query(index: int, prompt: str | None = None, **fields: Any) -> Query:
    """A query with a chat message."""
    messages = ({"role": "user", "content": prompt or f"What is {index}?"},)
    return Query(index, **{"text": f"question {index}", "ground_truth": str(index), "messages": messages, **fields})
