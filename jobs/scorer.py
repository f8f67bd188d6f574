"""A benchmark ready to score: with an encoder, where its scoring compares texts by what they mean.

`scoring` has no encoder and may not import one. A benchmark that needs one names it in its attribute `encoder` and gets
what makes vectors of texts in its attribute `embed`; all others are as `scoring.benchmark.find` gives them.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from inference.embedding import load
from inference.spec import EncoderSpec
from scoring.benchmark import Benchmark, find

Embed = Callable[[Sequence[str]], NDArray]


@runtime_checkable
class _NeedsEncoder(Protocol):
    encoder: str
    embed: Embed | None


def scorer(name: str, params: dict[str, Any]) -> Benchmark:
    """The benchmark of that name; its encoder, if any, is loaded with the first text and may be used from any thread.

    Raises:
        BenchmarkError: no such benchmark.
    """
    benchmark = find(name, **params)
    if isinstance(benchmark, _NeedsEncoder):
        benchmark.embed = _embedder(benchmark.encoder)
    return benchmark


def _embedder(path: str) -> Embed:
    loaded, using = functools.cache(lambda: load(EncoderSpec(name=path, path=path))), threading.Lock()

    def embed(texts: Sequence[str]) -> NDArray:
        with using:  # tokenizers refuse to be used by two threads at the same time
            return loaded()(texts)

    return embed
