"""How a comparison with published figures looks: a record per figure as CSV and Parquet, `compare.md` to read."""

from typing import Any

from scoring.number_formats import decimals, percent, usd
from scoring.record_files import record_files
from scoring.table_formats import UNKNOWN, Column, Table, as_markdown

Record = dict[str, Any]

_METRICS = {
    "accuracy": "Accuracy",
    "avg_acc": "AvgAcc",
    "cost_usd": "Cost USD",
    "gain_at_random": "Gain@R",
    "gain_at_best_single": "Gain@B",
    "gap_at_oracle": "Gap@O",
    "perf_gain": "PerfGain",
    "cost_save": "CostSave",
    "pareto_dist": "ParetoDist",
}


def comparison_files(published: dict[str, Any]) -> dict[str, bytes]:
    """File name -> content, from `scoring.comparison.compare`."""
    records = [record | {"reasons": "; ".join(record["reasons"])} for record in published["rows"]]
    return record_files({"compare": records}) | {"compare.md": _page(published).encode()}


def comparison_tables(published: dict[str, Any]) -> list[Table]:
    """Agreement per printed table, figures over several benchmarks, and per printed table a column per benchmark."""
    rows = published["rows"]
    sources = dict.fromkeys(row["source"] for row in rows if row["benchmark"])
    tables = [_agreement(published["tables"]), _overall([row for row in rows if not row["benchmark"]])]
    tables += [
        _per_benchmark(source, [r for r in rows if r["benchmark"] and r["source"] == source]) for source in sources
    ]
    return [table for table in tables if table.kinds]


def _page(published: dict[str, Any]) -> str:
    parts = ["# Beside the published figures", "", " ".join(published["notes"]), ""]
    parts += [as_markdown(table) for table in comparison_tables(published)]
    if published["reasons"]:
        sentences = (f"* **{reason}**: {sentence}" for reason, sentence in published["reasons"].items())
        parts += ["## Remarks", "", *sentences, ""]
    for title, key in (("Published, not in this run", "not_run"), ("In this run, not published", "only_here")):
        if published[key]:
            parts += [f"## {title}", "", ", ".join(published[key]) + ".", ""]
    return "\n".join(parts)


def _agreement(summaries: list[Record]) -> Table:
    columns = (
        _text("", [row["source"] for row in summaries]),
        _text("Rows", [f"{row['kind']}s" for row in summaries]),
        _text("Figures", [_METRICS[row["metric"]] for row in summaries]),
        _numbers("Compared", [str(row["n_compared"]) for row in summaries]),
        _numbers("Mean |Δ|", [_write(row["metric"], row["mean_absolute_difference"]) for row in summaries]),
        _numbers("Largest Δ", [_signed(row["metric"], row["largest_difference"]) for row in summaries]),
        _text("Largest at", [" on ".join(row["largest_at"]) for row in summaries]),
    )
    caption = "Single benchmarks that compare. Accuracies in percent and points, costs in USD."
    return Table("agreement", "Agreement", caption, columns, ("source",) * len(summaries))


def _overall(rows: list[Record]) -> Table:
    """Means, totals and metrics; rows of one name stand together, those of another pool or a transfer are left out."""
    rows = [row for row in rows if not {"pool", "transfer"} & set(row["reasons"])]
    caption = (
        "Percent, Δ in points; costs in USD. Without Δ the two do not compare. A source that begins with “rows of” or "
        "“models of” is recomputed from printed rows, over what compares. What another pool or a transfer makes "
        "different is in compare.csv alone."
    )
    return _figures("overall", "Means, totals and metrics", caption, rows)


def single_benchmarks_table(published: dict[str, Any]) -> Table:
    """Every figure of a single benchmark in a row of its own, to be sorted and filtered."""
    rows = [row for row in published["rows"] if row["benchmark"]]
    caption = "Percent, Δ in points; costs in USD. Without Δ the two do not compare; the remarks say why."
    return _figures("single_benchmarks", "Single benchmarks", caption, rows, is_single=True)


def _figures(name: str, title: str, caption: str, rows: list[Record], is_single: bool = False) -> Table:
    """A row per figure, of a single benchmark or over several; rows of one name stand together."""
    order = {name: i for i, name in enumerate(dict.fromkeys(row["name"] for row in rows))}
    kinds = ("reference", "router", "model")
    rows = sorted(rows, key=lambda row: (kinds.index(row["kind"]), order[row["name"]], row["here"], row["trade_off"]))
    several = _numbers("Benchmarks", [str(row["n_benchmarks"]) for row in rows])
    columns = (
        _text("", [_label(row["name"], row["trade_off"], row["here"]) for row in rows]),
        _text("Benchmark", [row["benchmark"] for row in rows]) if is_single else several,
        _text("Metric", [_METRICS[row["metric"]] for row in rows]),
        _numbers("Published", [_write(row["metric"], row["published"]) for row in rows]),
        _numbers("Measured", [_write(row["metric"], row["measured"]) for row in rows]),
        _numbers("Δ", [_signed(row["metric"], row["difference"]) for row in rows]),
        _text("Source", [row["source"] for row in rows]),
        _text("Remarks", [", ".join(row["reasons"]) for row in rows]),
    )
    return Table(name, title, caption, columns, tuple(row["kind"] for row in rows))


def _per_benchmark(source: str, rows: list[Record]) -> Table:
    """Measured figure and its distance to the printed one, a column per benchmark."""
    by_row: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        names = (row["kind"], row["name"], row["trade_off"], row["here"])
        cell = f"{_write(row['metric'], row['measured'])} ({_signed(row['metric'], row['difference'])})"
        by_row.setdefault(names, {})[row["benchmark"]] = cell
    benchmarks = dict.fromkeys(row["benchmark"] for row in rows)
    cells = [_numbers(b, [of_row.get(b, UNKNOWN) for of_row in by_row.values()]) for b in benchmarks]
    labels = [_label(*key[1:]) for key in by_row]
    caption = "Measured, in brackets the distance to the printed figure; – where the two do not compare."
    title = (
        f"{source[:1].upper()}{source[1:]}, {'USD' if rows[0]['metric'] == 'cost_usd' else 'accuracy'} per benchmark"
    )
    name = source.lower().replace(" ", "_")
    return Table(name, title, caption, (_text("", labels), *cells), tuple(key[0] for key in by_row), is_wide=True)


def _label(name: str, trade_off: str, here: str) -> str:
    """The printed name with its trade-off, and the one in this run where it is another."""
    return " ".join(filter(None, (name, trade_off))) + ("" if name == here else f" / {here}")


def _write(metric: str, value: float | None) -> str:
    if metric == "cost_usd":
        return usd(value)
    return decimals(value, 3) if metric == "pareto_dist" else percent(value)


def _signed(metric: str, value: float | None) -> str:
    if value is None:
        return UNKNOWN
    value = round(value if metric in ("cost_usd", "pareto_dist") else 100 * value, 2)
    return f"{value + 0.0:+.2f}"  # + 0.0: no minus before a zero


def _text(title: str, cells: list[str]) -> Column:
    return Column(title, tuple(cells), is_text=True)


def _numbers(title: str, cells: list[str]) -> Column:
    return Column(title, tuple(cells))
