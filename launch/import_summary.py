"""What an import of a published release has brought, for the terminal."""

from collections import Counter, defaultdict

from rich.table import Table

from launch.follow import console
from store.release_import import ImportReport


def print_summary(report: ImportReport) -> None:
    """Counts, what went wrong, and which benchmarks share their models."""
    counts = Counter(result.outcome for result in report.results)
    console.print(", ".join(f"{number} runs {outcome}" for outcome, number in sorted(counts.items())))
    for result in report.results:
        if result.outcome in ("failed", "superseded"):
            colour = "red" if result.outcome == "failed" else "yellow"
            console.print(f"[{colour}]{result.outcome}[/{colour}] {result.source}: {result.message}",
                          soft_wrap=True, highlight=False)  # fmt: skip
    models: dict[str, set[str]] = defaultdict(set)
    records: Counter[str] = Counter()
    for result in report.results:
        if result.outcome in ("imported", "already there"):
            models[result.benchmark].add(result.model)
            records[result.benchmark] += result.n_records
    groups: dict[frozenset[str], list[str]] = defaultdict(list)
    for benchmark, names in sorted(models.items()):
        groups[frozenset(names)].append(benchmark)
    table = Table(title="Benchmarks with the same models; each row can be a setting", title_justify="left", box=None)
    for column in ("benchmarks", "models", "records"):
        table.add_column(column, justify="left" if column == "benchmarks" else "right", overflow="fold")
    for shared, benchmarks in groups.items():
        n_records = sum(records[benchmark] for benchmark in benchmarks)
        table.add_row(f"{len(benchmarks)}: {', '.join(benchmarks)}", str(len(shared)), str(n_records))
    if groups:
        console.print(table)
