"""The interface of a benchmark, and how one is found by its name.

A benchmark is one file in `scoring/benchmarks/` plus one YAML in `configs/benchmark/`, both called like the
benchmark; nothing lists them. Importing this module imports none of them.
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import scoring.benchmarks
from scoring.source import Source
from store import registry
from store.errors import RouteyardError
from store.records import Message, Query, Score


class BenchmarkError(RouteyardError):
    """A benchmark's file is missing or unreadable, or its name is unknown; the message says what to do."""


class Benchmark(ABC):
    """Load, prompt, score: everything the suite knows about one benchmark.

    Subclasses set the class attributes and the three methods. Keyword arguments of `__init__`, if any, are the
    benchmark's `params` in its YAML; they are stored and nothing else.

    Attributes:
        name: equal to the file name and the YAML name.
        source: where its files can be fetched; None where it makes its rows itself or no public place is known.
        scorer_version: raised by one whenever `score` or `score_compat` may give another value for some response;
            scores made by an older version are then made again.
    """

    name: ClassVar[str]
    source: ClassVar[Source | None] = None
    scorer_version: ClassVar[int] = 1

    @abstractmethod
    def load(self, data_dir: Path) -> list[Query]:
        """All rows of the benchmark, without messages. `data_dir` is the folder that holds all benchmarks' files; this
        one's are in one of its `folders`, and as long as they do not change they are not read again.

        Raises:
            BenchmarkError: a file is missing or a row is malformed; the message names file and line, the source
                of the data and how to get it.
        """

    @abstractmethod
    def prompt(self, query: Query) -> list[Message]:
        """The chat messages for one query, without system message unless the benchmark's authors use one."""

    @abstractmethod
    def score(self, query: Query, text: str) -> Score:
        """Judge an output as the benchmark's authors mean it (profile `robust`). Must not raise for any text."""

    def score_compat(self, query: Query, text: str) -> Score:
        """Judge an output with the rules the published tables were made with, defects included."""
        return self.score(query, text)

    def queries(self, data_dir: Path) -> list[Query]:
        """All rows with their messages: what goes into the store."""
        return [replace(query, messages=tuple(self.prompt(query))) for query in self.load(data_dir)]


def folders(data_dir: Path, name: str) -> list[Path]:
    """Where a benchmark's files may lie: a folder called like it, or with hyphens for the underscores of its name."""
    return [data_dir / folder for folder in dict.fromkeys((name, name.replace("_", "-")))]


def names() -> list[str]:
    """Names of all benchmarks, sorted; imports none of them."""
    return registry.names(scoring.benchmarks)


def find(name: str, **params) -> Benchmark:
    """The benchmark of that name.

    Raises:
        BenchmarkError: no such benchmark; the message has the nearest name and all valid ones.
    """
    return registry.find(scoring.benchmarks, name, names(), Benchmark, BenchmarkError)(**params)
