"""Give a benchmark the text encoder that its scoring needs, because `scoring` has none and may not import one.

A benchmark whose scoring compares texts by what they mean names an encoder in its attribute `encoder` and gets what
makes vectors of texts in its attribute `embed`; all others stay as they are.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from numpy.typing import NDArray

from inference.embedding import load
from inference.spec import EncoderSpec
from scoring.benchmark import Benchmark

Embed = Callable[[Sequence[str]], NDArray]
AnyBenchmark = TypeVar("AnyBenchmark", bound=Benchmark)


@runtime_checkable
class _NeedsEncoder(Protocol):
    encoder: str
    embed: Embed | None


def with_encoder(benchmark: AnyBenchmark) -> AnyBenchmark:
    """The same benchmark; its encoder, if it needs one, is loaded with the first text and serves all threads."""
    if isinstance(benchmark, _NeedsEncoder):
        benchmark.embed = _embedder(benchmark.encoder)
    return benchmark


def _embedder(path: str) -> Embed:
    loaded, using = functools.cache(lambda: load(EncoderSpec(name=path, path=path))), threading.Lock()

    def embed(texts: Sequence[str]) -> NDArray:
        with using:  # tokenizers refuse to be used by two threads at the same time
            return loaded()(texts)

    return embed
