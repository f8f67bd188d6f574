"""Published release -> store: streaming, one process per core, each run once, the newest run of each pair.

An import may be repeated at any time: runs that are there are skipped by the digest of their bytes.
"""

import hashlib
import os
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.synchronize import Lock
from pathlib import Path, PurePath
from typing import Any, Literal

import numpy as np

from store.atomic import write_file
from store.errors import NewerSchemaError, StoreError
from store.layout import Layout
from store.queries import read_queries, write_queries
from store.records import Query
from store.release_format import (
    DIGEST,
    SCORER,
    benchmark_name,
    identify,
    parse_run,
    time_stamp,
    to_query,
    to_row,
    unix_time,
)
from store.responses import KIND, to_table
from store.scores import read_scores, write_scores
from store.tables import read_meta, table_image

Outcome = Literal["imported", "already there", "superseded", "failed"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of one file of the release; part is the name of its file in the store."""

    source: str
    outcome: Outcome
    benchmark: str = ""
    model: str = ""
    part: str = ""
    n_records: int = 0
    message: str = ""


@dataclass(slots=True)
class ImportReport:
    """All files of a release, and whether its end was reached.

    Attributes:
        results: one per JSON file, in the order they finished.
        broken: why reading stopped early ("" if it did not); what came before is in the store.
    """

    results: list[RunResult] = field(default_factory=list)
    broken: str = ""

    def count(self, outcome: Outcome) -> int:
        """How many files had this outcome."""
        return sum(result.outcome == outcome for result in self.results)


def import_release(
    path: Path,
    layout: Layout,
    *,
    n_processes: int | None = None,
    on_result: Callable[[RunResult], None] = lambda result: None,
) -> ImportReport:
    """Bring every run of a release into the store.

    Args:
        path: a folder or a .tar, .tar.gz, .tar.xz, … of the release.
        n_processes: one per available core by default.
        on_result: called after each file.

    Raises:
        StoreError: the path does not exist, is no archive, or holds no JSON file at all.
    """
    if not path.exists():
        raise StoreError(f"{path} does not exist; expected a release as a folder or a .tar.gz")
    report = ImportReport()
    n_processes = n_processes or len(os.sched_getaffinity(0))
    context = get_context("spawn")

    def collect(futures: set[Future[RunResult]]) -> None:
        for future in futures:
            report.results.append(future.result())
            on_result(report.results[-1])

    with ProcessPoolExecutor(n_processes, context, _set_up, (layout.root, context.Lock())) as pool:
        waiting: set[Future[RunResult]] = set()
        seen: set[PurePath] = set()
        try:
            for source, modified_at, content in _files(path):
                waiting.add(pool.submit(_import_run, source, modified_at, content))
                benchmark_folder = PurePath(source).parent.parent
                is_first = benchmark_folder not in seen  # it defines the queries; the others are compared with it
                seen.add(benchmark_folder)
                if is_first or len(waiting) > 2 * n_processes:
                    done, waiting = wait(waiting, return_when="ALL_COMPLETED" if is_first else FIRST_COMPLETED)
                    collect(done)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            report.broken = (
                f"{path} breaks off or is damaged ({error or type(error).__name__}). Every run before that place is "
                "in the store; get the archive again and repeat the import, nothing is done twice."
            )
        collect(wait(waiting).done)
    report.results = _newest_of_each_pair(report.results)
    if not report.results and not report.broken:
        raise StoreError(f"{path} holds no .json file; expected <dataset>/<split>/<model>/<run>.json")
    return report


def _files(path: Path) -> Iterator[tuple[str, float, bytes]]:
    """(name, modification time, content) of every JSON file, archives in one forward pass."""
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield str(file.relative_to(path)), file.stat().st_mtime, file.read_bytes()
        return
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".json") and (stream := archive.extractfile(member)):
                yield member.name, member.mtime, stream.read()


def _newest_of_each_pair(results: list[RunResult]) -> list[RunResult]:
    """The same report whichever of two runs of a pair came in first: the older one is superseded."""
    newest: dict[tuple[str, str], str] = {}
    for result in results:
        pair = result.benchmark, result.model
        newest[pair] = max(newest.get(pair, ""), result.part)
    return [
        replace(result, outcome="superseded", message=newest[result.benchmark, result.model])
        if result.outcome == "imported" and result.part < newest[result.benchmark, result.model]
        else result
        for result in results
    ]


_root: Path
_lock: Lock


def _set_up(root: Path, lock: Lock) -> None:
    global _root, _lock
    _root, _lock = root, lock


def _import_run(source: str, modified_at: float, content: bytes) -> RunResult:
    try:
        run = parse_run(content, source)
        dataset, split, model = identify(run, source)
        benchmark, stamp = benchmark_name(dataset, split), time_stamp(source, modified_at)
        layout = Layout(_root)
        sha256 = hashlib.sha256(content).hexdigest()
        place = layout.responses(benchmark, model) / f"sealed-{SCORER}-{stamp}.h5"
        result = RunResult(source, "imported", benchmark, model, place.name, len(run["records"]))
        if settled := _settled(layout, result, place, sha256):
            return settled
        with _lock:
            known = _merge_queries(layout, benchmark, run["records"])
        rows, order = _to_rows(run["records"], known, unix_time(stamp))
        header = {key: None if key == "records" else value for key, value in run.items()}
        responses = [response for response, _ in rows]
        meta = {
            "benchmark": benchmark, "model": model, "digest": DIGEST, "writer": f"{SCORER}-{stamp}",
            "source": source, "sha256": sha256, "header": header, "order": order,
        }  # fmt: skip
        image = table_image(KIND, to_table(responses), meta)
        scores = {
            "index": np.array([response.index for response in responses], np.int64),
            "repeat": np.array([response.repeat for response in responses], np.int64),
            "score": np.array([score.value for _, score in rows]),
            "response_finished_at": np.array([response.finished_at for response in responses]),
            "prediction": [score.prediction for _, score in rows],
            "explanation": [""] * len(rows),
        }
        with _lock:
            if settled := _settled(layout, result, place, sha256):  # another file may have the same names inside
                return settled
            write_file(place, image)
            write_scores(layout, benchmark, model, scores, {"scorer": SCORER, "stamp": stamp})
            for part in layout.parts(benchmark, model):
                if part < place:
                    part.unlink()
        return result
    except NewerSchemaError:
        raise  # not this file's fault: no file can be imported here
    except StoreError as error:
        return RunResult(source, "failed", message=str(error))


def _settled(layout: Layout, result: RunResult, place: Path, sha256: str) -> RunResult | None:
    """The outcome if this run needs no import: it is there, or a newer one is.

    Raises:
        StoreError: the pair holds responses that were collected, not imported.
    """
    parts = layout.parts(result.benchmark, result.model)
    collected = [part for part in parts if not part.name.startswith(f"sealed-{SCORER}-")]
    if collected:
        raise StoreError(
            f"{result.source}: {collected[0]} holds collected responses of {result.model} on {result.benchmark}; "
            "import into another store (store.root=…)"
        )
    if parts and parts[-1] > place:
        return replace(result, outcome="superseded", message=parts[-1].name)
    if (
        place in parts
        and read_meta(place, KIND)["sha256"] == sha256
        and read_scores(layout, result.benchmark, result.model, ())
    ):
        return replace(result, outcome="already there")
    return None


def _merge_queries(layout: Layout, benchmark: str, records: list[dict[str, Any]]) -> dict[int, Query]:
    """The benchmark's queries by index, this run's added where they are new."""
    known = (
        {query.index: query for query in read_queries(layout, benchmark)} if layout.queries(benchmark).exists() else {}
    )
    n_before = len(known)
    for position, record in enumerate(records):
        query = to_query(record, position)
        known.setdefault(query.index, query)
    if len(known) > n_before:
        write_queries(layout, benchmark, list(known.values()), {"source": SCORER}, grow=True)
    return known


def _to_rows(
    records: list[dict[str, Any]], known: dict[int, Query], finished_at: float
) -> tuple[list[Any], list[int] | None]:
    """(response, score) per record by (index, repeat), and the file's own order where it was another."""
    n_seen: Counter[int] = Counter()
    rows = []
    for position, record in enumerate(records):
        query = known[to_query(record, position).index]
        rows.append(to_row(record, query, n_seen[query.index], finished_at))
        n_seen[query.index] += 1
    order = sorted(range(len(rows)), key=lambda at: (rows[at][0].index, rows[at][0].repeat))
    is_sorted = order == list(range(len(rows)))
    return [rows[at] for at in order], None if is_sorted else order
