"""Which queries of a benchmark count: one rule for collecting, status, training and reduction."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from configs.compose import ConfigError, available, compose
from configs.schema import BenchmarkConfig, Config
from store.errors import StoreError
from store.layout import Layout
from store.queries import read_indices, read_query_columns


def selected(layout: Layout, name: str, benchmark: BenchmarkConfig) -> NDArray[np.int64]:
    """Indices of a benchmark that count: all, its seeded sample or those of a list, int64 ascending.

    Raises:
        ConfigError: the list cannot be read, or names an index twice or one that the benchmark does not have.
        StoreError: the sample is larger than the benchmark.
    """
    index, sample = read_indices(layout, name), benchmark.sample
    if sample is None:
        return index
    if sample.index is not None:
        return _listed(Path(sample.index).expanduser(), index, f"benchmark.{name}.sample.index={sample.index}")
    if sample.size is None:
        raise ConfigError(f"benchmark.{name}.sample: neither size nor index; give one, or sample=null for every query")
    if sample.size > len(index):
        raise StoreError(f"benchmark.{name}.sample.size={sample.size}: it has only {len(index)} queries")
    rows = random.Random(sample.seed).sample(range(len(index)), sample.size)
    return index[np.sort(rows)]


def selection(config: Config, layout: Layout, names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Benchmark -> indices that count, of those that use a sample.

    One that the command did not choose has the sample of its own YAML, as when it was collected; unless its queries
    came with a release, for then those are the published ones.
    """
    entries = dict(config.benchmark)
    made_here = (name for name in names if "made_from" in read_query_columns(layout, name, ())[1])
    if others := sorted(set(made_here).intersection(available("benchmark")) - entries.keys()):
        entries |= compose([f"benchmarks=[{','.join(others)}]"]).benchmark
    return {name: selected(layout, name, entries[name]) for name in names if name in entries and entries[name].sample}


def _listed(path: Path, index: NDArray[np.int64], where: str) -> NDArray[np.int64]:
    """The indices in a file, of which every one has to be among `index`."""
    valid, seen = set(index.tolist()), dict[int, str]()
    for place, entry in _entries(path, where):
        if not isinstance(entry, int) or isinstance(entry, bool):
            raise ConfigError(f"{where}: {place} is {entry!r}, expected an index, an integer")
        if entry not in valid:
            raise ConfigError(
                f"{where}: {place} is {entry}, which is no index of it; it has {len(index)} queries, "
                f"from {index[0]} to {index[-1]}"
            )
        if entry in seen:
            raise ConfigError(f"{where}: {place} is {entry}, and so is {seen[entry]}; name every index once")
        seen[entry] = place
    if not seen:
        raise ConfigError(f"{where}: the file holds no index")
    return np.sort(np.array(list(seen), np.int64))


def _entries(path: Path, where: str) -> list[tuple[str, object]]:
    """(place, entry) of a JSON list, or of a text file with one integer a line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if text.lstrip().startswith("["):
            return [(f"entry {number}", entry) for number, entry in enumerate(json.loads(text), 1)]
    except (OSError, ValueError) as error:
        raise ConfigError(f"{where}: cannot be read ({' '.join(str(error).split())})") from None
    lines = [(f"line {number}", line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [(place, int(line) if line.isdecimal() and line.isascii() else line) for place, line in lines]
