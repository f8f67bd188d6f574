"""The report as one HTML page that needs nothing beside it: no network, no file, no library."""

import html
from collections.abc import Sequence
from string import Template
from typing import Any

import orjson

from scoring.cells import label, verdict
from scoring.contenders import BEST_SINGLE, DATASET_ORACLE, ORACLE, RANDOM
from scoring.figures import CAPTIONS
from scoring.html_parts import figure_html, folded_html, in_script, read_page, section_html, slug, table_html
from scoring.number_formats import p_value, percent, signed_percent, span, usd
from scoring.plot_data import plot_data
from scoring.published_section import published_parts
from scoring.tables import seed_heading, tables

Result = dict[str, Any]

_QUERIES, _PUBLISHED = "Query by query", "Beside the published figures"  # sections with parts of their own

# What stands where: a heading, figures, tables, by name. What is in none of them follows under its own title.
_SECTIONS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Accuracy", ("accuracy", "gains"), ("summary", "seeds")),
    ("Routers against each other", (), ("pairs",)),
    ("Metrics and trade-offs", ("trade_off", "savings"), ("metrics", "curves")),
    ("Latency", ("latency",), ("latency",)),
    ("Benchmarks", ("domains", "benchmarks"), ("accuracy",)),
    ("Hard queries", ("hardness",), ()),
    (_QUERIES, (), ()),
    ("Routing", ("shares",), ("decisions",)),
    ("Cost", (), ("cost",)),
    ("Pool size", ("pool_size",), ("pool_size",)),
    ("All queries", (), ("all_queries",)),
    (_PUBLISHED, (), ()),
)
_DETAILS = {"accuracy", "pool_size", "seeds"}  # tables that are folded where a figure says the same

_EXPLORER = (
    '<p><a class="door" href="queries.html">Open the query explorer</a></p>\n<p class="soft">Every test query with the '
    "score and the cost of each model and the choice of each router, to filter and to search. It is a file of its own, "
    "beside this one.</p>"
)


def html_page(result: Result, figures: dict[str, bytes], queries: str | None = None) -> bytes:
    """The whole page; the same arguments give the same bytes.

    Args:
        result: from `scoring.reduction.reduce`; keys that the page does not know are no error.
        figures: file name -> content, from `scoring.figures.figure_files`; the .svg ones are put into the page.
        queries: "" where queries.html stands beside the page, else why there is none; None says nothing about it.
    """
    drawn = {name.removesuffix(".svg"): svg for name, svg in figures.items() if name.endswith(".svg")}
    written = {table.name: table for table in tables(result)}
    own: dict[str, list[str]] = {}
    seeds = [seed_heading(seed) for seed in result["seeds"]]
    filtered = dict.fromkeys(result["benchmarks"], "benchmark") | dict.fromkeys(seeds, "seed")
    if queries is not None:
        own[_QUERIES] = [f'<p class="soft">{html.escape(queries)}</p>' if queries else _EXPLORER]
    if "published" in result:
        own[_PUBLISHED] = published_parts(result["published"], filtered)
    sections = []
    for title, figure_names, table_names in _SECTIONS:
        pictures = [_figure(name, drawn.pop(name)) for name in figure_names if name in drawn]
        found = [written.pop(name) for name in table_names if name in written]
        listed = [
            (folded_html if pictures and table.name in _DETAILS else table_html)(table, filtered) for table in found
        ]
        sections.append((title, [*pictures, *listed, *own.get(title, [])]))
    sections += [(table.title, [table_html(table, filtered)]) for table in written.values()]
    sections += [("Further figures", [_figure(name, svg) for name, svg in drawn.items()])]
    shown = {title: parts for title, parts in sections if parts}
    titles = [*shown, "Notes", "Words", "Provenance"]
    page = Template(read_page("report.html")).substitute(
        title=html.escape(f"Routeyard: {result['setting']}"),
        style=read_page("page.css", "report.css"),
        script=read_page("page.js", "report.js"),
        plot=in_script(plot_data(result) if "trade_off.svg" in figures else None),
        scope=html.escape(_scope(result)),
        headline=html.escape(_headline(result)),
        cards="\n".join(_cards(result)),
        contents="\n".join(f'<li><a href="#{slug(title)}">{html.escape(title)}</a></li>' for title in titles),
        benchmarks=_options(result["benchmarks"]),
        seeds=_options(seeds),
        sections="\n".join(section_html(title, parts) for title, parts in shown.items()),
        notes="\n".join(f"<li>{html.escape(note)}</li>" for note in result["notes"]),
        provenance="\n".join(_provenance(result["provenance"])),
    )
    return page.encode(errors="replace")


def _options(names: Sequence[str]) -> str:
    return "\n".join(f"<option>{html.escape(name)}</option>" for name in names)


def _figure(name: str, svg: bytes) -> str:
    return figure_html(name, svg, CAPTIONS.get(name, name.replace("_", " ").capitalize()))


def _scope(result: Result) -> str:
    tests = [f"{n:,}" for n in dict.fromkeys(result["n_test"])]
    seeds = ", ".join(map(str, result["seeds"]))
    return (
        f"{len(result['models'])} models, {len(result['benchmarks'])} benchmarks, {result['n_queries']:,} queries, "
        f"{' or '.join(tests)} of them tested per seed; seeds {seeds}"
    )


def _headline(result: Result) -> str:
    """What a reader in a hurry takes away."""
    best = _best_router(result)
    single = _reference(result, BEST_SINGLE)
    if best is None:
        return f"No router was evaluated. Best Single is {single['models'][0]}: AvgAcc {percent(single['avg_acc'])}%."
    level = 100 * result["bootstrap"]["level"]
    return (
        f"The router with the highest AvgAcc is {best['name']}: {percent(best['avg_acc'])}%, "
        f"{signed_percent(best['difference'])} points to Best Single ({single['models'][0]}), {level:g}% interval "
        f"{span(best['difference_interval'], signed_percent)}, p {p_value(best['p_holm'])} after Holm's "
        f"correction: {verdict(best)}."
    )


def _cards(result: Result) -> list[str]:
    best = _best_router(result)
    rows = [_reference(result, RANDOM), _reference(result, BEST_SINGLE), *([best] if best else [])]
    rows += [_reference(result, DATASET_ORACLE), _reference(result, ORACLE)]
    return [
        f"<li><b>{percent(row['avg_acc'])}</b><span>{html.escape(label(row))}"
        + (f" · {usd(row['cost_usd'])} USD" if row["cost_usd"] is not None else "")
        + "</span></li>"
        for row in rows
    ]


def _best_router(result: Result) -> dict[str, Any] | None:
    ranked = [row for row in result["routers"] if not row["is_reference"] and row["avg_acc"] is not None]
    return max(ranked, key=lambda row: row["avg_acc"], default=None)


def _reference(result: Result, name: str) -> dict[str, Any]:
    return next(row for row in result["references"] if row["name"] == name)


def _provenance(provenance: dict[str, Any]) -> list[str]:
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    return [
        f'<tr><th scope="row">{html.escape(str(key))}</th><td>'
        + (
            html.escape(value)
            if isinstance(value, str)
            else f"<pre>{html.escape(orjson.dumps(value, option=options).decode())}</pre>"
        )
        + "</td></tr>"
        for key, value in sorted(provenance.items())
    ]
