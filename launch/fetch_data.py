"""Fetch the question files of benchmarks into data.dir.

python launch/fetch_data.py
python launch/fetch_data.py benchmarks=[gpqa,mmlupro] data.dir=/shared/data
python launch/fetch_data.py dry_run=true
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from configs.schema import Config
from launch.command import Command, run

if TYPE_CHECKING:
    from rich.table import Table

    from scoring.benchmark import Benchmark

_LARGEST_SAMPLE = 32 << 20  # bytes; what is larger is none of the files behind the published tables

COMMAND = Command(
    name="fetch_data",
    summary="Fetch the question files of benchmarks from their public sources, checked by SHA-256 where it is known.",
    details="Benchmarks: those named, or all that are not there yet. dry_run=true only lists what is there. What is\n"
    "given out after consent (GPQA, HLE, LiveMathBench) wants the terms agreed to on its page and HF_TOKEN set.",
    sections=("data", "benchmark"),
)


def fetch_data(config: Config) -> int:
    """Fetch what is missing, list everything; exit status 0 if all the benchmarks are there, 1 if one is not."""
    from launch.follow import console, print_failure
    from scoring.benchmark import BenchmarkError, find, names
    from scoring.download import fetch
    from scoring.source import is_there

    data_dir = Path(config.data.dir).expanduser()
    params = {name: entry.params for name, entry in config.benchmark.items()} or {name: {} for name in names()}
    benchmarks = {name: find(name, **params[name]) for name in params}
    causes = {name: _missing(benchmark, data_dir) for name, benchmark in benchmarks.items()}
    for name, benchmark in benchmarks.items():
        if config.collect.dry_run or not benchmark.source or not (config.benchmark or causes[name]):
            continue
        if all(is_there(data_dir / name / file) for file in benchmark.source.files):
            continue
        console.print(f"fetch: {name} from {benchmark.source.page}", soft_wrap=True, highlight=False)
        try:
            fetch(name, benchmark.source, data_dir)
            causes[name] = _missing(benchmark, data_dir)
        except (BenchmarkError, OSError) as error:
            causes[name] = str(error)
    console.print(_table(benchmarks, causes, data_dir))
    for name, cause in causes.items():
        is_plain = config.collect.dry_run and benchmarks[name].source and not _files(data_dir, name)
        if cause and not is_plain:  # else the table has said where it can be had
            print_failure(f"{name}: {cause}", "not there")
    return 1 if any(causes.values()) else 0


def _missing(benchmark: "Benchmark", data_dir: Path) -> str:
    """Why a benchmark cannot be used, empty if it can: its loader has the last word."""
    from scoring.benchmark import BenchmarkError

    try:
        benchmark.load(data_dir)
    except BenchmarkError as error:
        return str(error)
    return ""


def _files(data_dir: Path, name: str) -> list[Path]:
    return sorted(path for path in (data_dir / name).rglob("[!.]*") if path.is_file())


def _table(benchmarks: "dict[str, Benchmark]", causes: dict[str, str], data_dir: Path) -> "Table":
    """A row per benchmark that has files."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("benchmark", "", "files", "MB", "SHA-256", "source"):
        table.add_column(title, justify="right" if title in ("files", "MB") else "left", overflow="fold")
    for name, benchmark in benchmarks.items():
        files = _files(data_dir, name)
        if not files and not causes[name]:
            continue  # it makes its rows itself
        source = benchmark.source
        origin = f"{source.page}{' (consent)' if source.needs_consent else ''}" if source else "by hand"
        table.add_row(
            name, "[red]not there[/red]" if causes[name] else "[green]there[/green]", str(len(files)),
            f"{sum(path.stat().st_size for path in files) / 1e6:,.1f}", _digests(name, files, data_dir), origin,
        )  # fmt: skip
    return table


def _digests(name: str, files: list[Path], data_dir: Path) -> str:
    """How the SHA-256 of its files compare with the known ones."""
    from scoring.source import digest_of, known_digests

    known, words = known_digests(), []
    published = {digest: key for key, digest in known.items() if key.startswith("LLMRouterBench/")}
    n_equal = 0
    for path in files:
        key = path.relative_to(data_dir).as_posix().removesuffix(".gz")
        if key in known or path.stat().st_size < _LARGEST_SAMPLE:
            found = digest_of(path)
            if found == known.get(key):
                n_equal += 1
            elif found in published:
                words.append(f"{path.name} is {published[found]}")
            elif key in known:
                words.append(f"[yellow]{path.name} is another one[/yellow]")
    if n_equal:
        words.insert(0, f"{n_equal} as known" if n_equal < len(files) else "as known")
    return "; ".join(words) or ("none known" if files else "")


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, fetch_data, arguments)


if __name__ == "__main__":
    sys.exit(main())
