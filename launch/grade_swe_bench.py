"""Have the official harness grade the patches of SWE-Bench.

python launch/grade_swe_bench.py
python launch/grade_swe_bench.py grade.reports=[gpt-5.routeyard-0123456789ab.json]
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from configs.schema import Config
from launch.command import Command, run
from launch.score import score_benchmarks

if TYPE_CHECKING:
    from jobs.grade import Run

NAME = "swe_bench"
COMMAND = Command(
    name="grade_swe_bench",
    summary="Have the official SWE-bench harness grade the patches in the store, take its reports, and score.",
    details=(
        "Patches without a verdict are written to <store>/grading/swe_bench, a file of predictions for each model.\n"
        "Where a container engine and the package swebench are, the harness grades them; elsewhere the line to type\n"
        "is printed, and grade.reports=[…] brings the reports back. Models: those of the pool, or all in the store."
    ),
    sections=("store", "data", "pool", "cluster", "score", "grade"),
    defaults={"cluster": "inline", "benchmarks": [NAME]},
)


def grade(config: Config) -> int:
    """Grade what can be graded here or was graded elsewhere, and score; gives back the exit status."""
    from jobs.grade import take_report, write_runs
    from launch.follow import console
    from launch.planning import layout_of, store_queries
    from scoring.benchmark import BenchmarkError, find
    from scoring.graded_elsewhere import GradedElsewhere

    if list(config.benchmark) != [NAME]:
        raise BenchmarkError(f"benchmarks={list(config.benchmark)}: this command grades {NAME}; see launch/score.py")
    benchmark = find(NAME, **config.benchmark[NAME].params)
    assert isinstance(benchmark, GradedElsewhere)
    if failures := store_queries(config):
        raise BenchmarkError(failures[NAME])
    layout, status = layout_of(config), 0
    reports = [Path(path).expanduser() for path in config.grade.reports]
    if not reports:
        pool = {model.name for model in config.pool.models} if config.pool else None
        models = [model for model in layout.models(NAME) if pool is None or model in pool]
        runs = [one for model in models for one in write_runs(layout, benchmark, model, config.score.profile)]
        reports = _run_here(config, runs)
        status = int(len(reports) < len(runs))
    for path in reports:
        line = take_report(layout, benchmark, path, config.score.profile, config.grade.model)
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    return max(status, score_benchmarks(config))


def _run_here(config: Config, runs: "list[Run]") -> list[Path]:
    """Reports of the runs that the harness could grade here; of the others it says what to type elsewhere."""
    from jobs.grade import HarnessError, command, run_harness, why_not_here
    from launch.follow import console
    from launch.planning import layout_of

    options, reports = config.grade, []
    python = options.python or sys.executable
    why_not = why_not_here(python) if runs else ""
    for one in runs:
        words = command(one, python, options.dataset, options.max_workers, options.timeout_s)
        if why_not:
            console.print(
                f"{one.model}: {one.n_patches} patches are written and not graded: no harness here ({why_not}). Where "
                f"there is one: python {' '.join(words[1:])}\n  and then: python launch/grade_swe_bench.py "
                f"store.root={layout_of(config).root} grade.reports=[{one.report_name}]",
                soft_wrap=True, highlight=False, markup=False,
            )  # fmt: skip
            continue
        console.print(f"{one.model}: the harness grades {one.n_patches} patches; log: {one.log}",
                      soft_wrap=True, highlight=False)  # fmt: skip
        try:
            reports.append(run_harness(one, words))
        except HarnessError as error:
            console.print(f"[red]failed[/red] {error}", soft_wrap=True, highlight=False)
    return reports


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, grade, arguments)


if __name__ == "__main__":
    sys.exit(main())
