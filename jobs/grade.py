"""Have the official SWE-bench harness grade patches: write them for it, run it where it can run, take its report.

The harness needs containers, which few clusters have. So the three steps stand alone: what is written here may be
graded anywhere, and the report be brought back at any time. A run is named after the very patches in it; the name comes
back in the report's, and says to which patches the verdicts belong. The harness skips what a run of that name has
done, so that typing the same command again resumes it.
"""

import hashlib
import json
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scoring.benchmark import BenchmarkError
from scoring.graded_elsewhere import GradedElsewhere
from scoring.graders.swe_harness import read_predictions, read_report, to_predictions
from store.atomic import write_file
from store.errors import RouteyardError
from store.layout import Layout
from store.names import to_file_name
from store.queries import read_queries
from store.records import Query
from store.responses import read_columns
from store.verdicts import fingerprint, read_verdicts, write_verdicts

_RUN_NAME = re.compile(r"routeyard-[0-9a-f]{12}")
# The harness speaks to the container engine through the package docker; both are there, or it cannot run.
_CHECK = "import docker, swebench; docker.from_env().ping()"


class HarnessError(RouteyardError):
    """The harness did not come to its end; the message says where its words are."""


@dataclass(frozen=True, slots=True)
class Run:
    """Patches of one model that are graded together.

    Attributes:
        name: depends on nothing but the patches and the model.
        predictions: the file with them.
    """

    name: str
    model: str
    n_patches: int
    predictions: Path

    @property
    def report_name(self) -> str:
        """Of the file that the harness writes where it is started."""
        return f"{self.model.replace('/', '__')}.{self.name}.json"

    @property
    def log(self) -> Path:
        return self.predictions.with_suffix(".log")


def write_runs(layout: Layout, benchmark: GradedElsewhere, model: str, profile: str) -> list[Run]:
    """Write the patches of a model that have no verdict yet, one file a run.

    A run has one patch per instance, so several answers of a model to one query make several runs.
    """
    queries = {query.index: query for query in read_queries(layout, benchmark.name)}
    verdicts = read_verdicts(layout, benchmark.name)
    rounds: list[dict[str, str]] = []
    for index, patch in _patches(layout, benchmark, queries, model, profile):
        instance = queries[index].metadata["instance_id"]
        if (index, fingerprint(patch)) in verdicts or any(one.get(instance) == patch for one in rounds):
            continue
        for one in rounds:
            if instance not in one:
                one[instance] = patch
                break
        else:
            rounds.append({instance: patch})
    return [_write_run(layout, benchmark.name, model, patches) for patches in rounds]


def why_not_here(python: str) -> str:
    """Why the harness cannot run on this machine, "" if it can."""
    try:
        answer = subprocess.run([python, "-c", _CHECK], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return " ".join(str(error).split())
    return "" if answer.returncode == 0 else (answer.stderr.strip().splitlines() or ["it gives no reason"])[-1][:300]


def command(run: Run, python: str, dataset: str, max_workers: int, timeout_s: int) -> list[str]:
    """The words that start the harness for a run."""
    return [
        python, "-m", "swebench.harness.run_evaluation", "--dataset_name", dataset, "--split", "test",
        "--predictions_path", str(run.predictions), "--run_id", run.name,
        "--max_workers", str(max_workers), "--timeout", str(timeout_s),
    ]  # fmt: skip


def run_harness(run: Run, words: list[str]) -> Path:
    """Run the harness to its end; gives back the path of its report.

    Raises:
        HarnessError: it failed; what it has graded so far is not graded again.
    """
    folder = run.predictions.parent
    with run.log.open("ab") as log:
        ended = subprocess.run(words, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False)
    report = folder / run.report_name
    if ended.returncode or not report.is_file():
        raise HarnessError(f"{run.model}: the harness ended with status {ended.returncode}; its words are in {run.log}")
    return report


def take_report(layout: Layout, benchmark: GradedElsewhere, path: Path, profile: str, model: str | None) -> str:
    """Bring the verdicts of a report into the store; gives back a line that says what came in.

    Args:
        path: of the report.
        model: whose patches were graded, for a report that neither was made from a file of `write_runs` nor has the
            name of a model in its own. Its verdicts are taken for those on the patches that are in the store now.

    Raises:
        BenchmarkError: it cannot be read, or nobody knows whose patches it is about.
    """
    report = _read_json(path)
    queries = {query.index: query for query in read_queries(layout, benchmark.name)}
    index_of = {query.metadata["instance_id"]: query.index for query in queries.values()}
    name = found[0] if (found := _RUN_NAME.findall(path.name)) else ""
    files = sorted(layout.grading(benchmark.name).glob(f"*.{name}.jsonl")) if name else []
    if files:
        model, patches = read_predictions(files[0].read_text(encoding="utf-8"))
    else:
        model = model or _model_in(path, layout.models(benchmark.name))
        patches = {
            queries[index].metadata["instance_id"]: patch
            for index, patch in reversed(_patches(layout, benchmark, queries, model, profile))
        }
    verdicts = read_report(report, patches.keys() & index_of.keys(), f"the harness, run {path.stem}", str(path))
    rows = [(index_of[one], fingerprint(patches[one]), verdict) for one, verdict in sorted(verdicts.items())]
    meta = {"imported_at": time.time(), "source": str(path), "model": model, "run": path.stem}
    is_new = bool(rows) and write_verdicts(layout, benchmark.name, rows, meta)
    n_resolved = sum(verdict.value == 1 for verdict in verdicts.values())
    return (
        f"{model}: {n_resolved} of {len(verdicts)} graded patches resolved, {len(patches) - len(verdicts)} not graded"
        f"{'' if is_new else ' (nothing new)'}{'' if files else '; taken for verdicts on the patches in the store now'}"
    )


def _patches(
    layout: Layout, benchmark: GradedElsewhere, queries: Mapping[int, Query], model: str, profile: str
) -> list[tuple[int, str]]:
    """(index, patch) of all responses from which there is something to hand in, by (index, repeat)."""
    find = benchmark.submission_compat if profile == "compat" else benchmark.submission
    table = read_columns(layout, benchmark.name, model, ["text"])
    rows = zip(table["index"].tolist(), table["failed"].tolist(), table["text"], strict=True)
    found = [(index, find(queries[index], text)[0]) for index, failed, text in rows if not failed]
    return [(index, patch) for index, patch in found if patch]


def _write_run(layout: Layout, benchmark: str, model: str, patches: dict[str, str]) -> Run:
    content = to_predictions(model, patches).encode()
    name = f"routeyard-{hashlib.sha256(content).hexdigest()[:12]}"
    path = layout.grading(benchmark) / f"{to_file_name(model)}.{name}.jsonl"
    write_file(path, content)
    return Run(name, model, len(patches), path)


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"{path} cannot be read as a report of the harness: {error}") from None


def _model_in(path: Path, models: list[str]) -> str:
    found = [model for model in models if path.name.startswith(f"{model.replace('/', '__')}.")]
    if not found:
        raise BenchmarkError(
            f"{path}: its name does not begin with that of a model; say which with grade.model=…; there are: "
            f"{', '.join(models) or 'none'}"
        )
    return max(found, key=len)
