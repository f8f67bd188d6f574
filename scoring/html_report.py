"""The report as one HTML page that needs nothing beside it: no network, no file, no library."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import orjson

from scoring.contenders import BEST_SINGLE, DATASET_ORACLE, ORACLE, RANDOM
from scoring.figure_style import INK, PAPER, WIDTH
from scoring.figures import CAPTIONS
from scoring.plot_data import plot_data
from scoring.table_formats import Column, Table
from scoring.tables import (
    label,
    percent,
    signed_percent,
    span,
    tables,
    usd,
    verdict,
)

Result = dict[str, Any]

_PAGES = Path(__file__).with_name("pages")

# What stands where: a heading, figures, tables, by name. What is in none of them follows under its own title.
_SECTIONS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Accuracy", ("accuracy", "gains"), ("summary",)),
    ("Metrics and trade-offs", ("trade_off", "savings", "latency"), ("metrics",)),
    ("Benchmarks", ("domains", "benchmarks"), ("accuracy",)),
    ("Hard queries", ("hardness",), ()),
    ("Routing", ("shares",), ()),
    ("Size of the pool", ("pool_size",), ()),
    ("Cost", (), ("cost",)),
    ("All queries", (), ("all_queries",)),
)

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
    sections = []
    for title, figure_names, table_names in _SECTIONS:
        pictures = [_figure(name, drawn.pop(name)) for name in figure_names if name in drawn]
        found = [written.pop(name) for name in table_names if name in written]
        listed = [(_folded if pictures and table.is_wide else _table)(table, result["benchmarks"]) for table in found]
        sections.append((title, [*pictures, *listed]))
    sections += [(table.title, [_table(table, result["benchmarks"])]) for table in written.values()]
    sections += [("Further figures", [_figure(name, svg) for name, svg in drawn.items()])]
    if queries is not None:
        door = f'<p class="soft">{html.escape(queries)}</p>' if queries else _EXPLORER
        sections.insert(4, ("Query by query", [door]))
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
        contents="\n".join(f'<li><a href="#{_slug(title)}">{html.escape(title)}</a></li>' for title in titles),
        benchmarks="\n".join(f"<option>{html.escape(name)}</option>" for name in result["benchmarks"]),
        sections="\n".join(_section(title, parts) for title, parts in shown.items()),
        notes="\n".join(f"<li>{html.escape(note)}</li>" for note in result["notes"]),
        provenance="\n".join(_provenance(result["provenance"])),
    )
    return page.encode(errors="replace")


def in_script(value: Any) -> str:
    """A value as JSON that may stand in a script element, whatever its texts hold."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")


def inline_svg(name: str, svg: bytes, title: str) -> str:
    """An SVG file as an element of an HTML page, in the page's own ink and paper.

    Ids get the figure's name in front, since all figures of a page share one space of ids; namespaces, metadata
    and line breaks, which only a file needs, go.
    """
    text = svg.decode()
    text = text[text.index("<svg") :]
    width = re.search(r'\swidth="([\d.]+)pt"', text.split(">", 1)[0])
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<style[^>]*>.*?</style>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*\n\s*", " ", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    text = (
        re.sub(r'\s(?:xmlns(?::\w+)?|width|height|version)="[^"]*"', "", text.split(">", 1)[0])
        + ">"
        + text.split(">", 1)[1]
    )
    text = text.replace("xlink:href=", "href=")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    text = text.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    is_wide = width is not None and float(width[1]) > 72 * WIDTH
    opening = f'<svg role="img" aria-label="{html.escape(title)}"' + (' class="wide"' if is_wide else "")
    return text.replace("<svg", opening, 1)


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
        f"{span(best['difference_interval'], signed_percent)}: {verdict(best)}."
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


def read_page(*names: str) -> str:
    """Files of the pages, one after the other."""
    return "".join((_PAGES / name).read_text(encoding="utf-8") for name in names)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _section(title: str, parts: list[str]) -> str:
    slug = _slug(title)
    heading = f'<h2 id="{slug}">{html.escape(title)}</h2>'
    return "\n".join([f'<section aria-labelledby="{slug}">', heading, *parts, "</section>"])


def _figure(name: str, svg: bytes) -> str:
    """A drawn figure; that of the trade-offs makes room for the plot that the page's script puts in its place."""
    caption = CAPTIONS.get(name, name.replace("_", " ").capitalize())
    picture = inline_svg(name, svg, caption)
    box = (
        f'<div class="scroll drawn" id="figure-{name}" tabindex="0" role="region" aria-label="{html.escape(caption)}">'
    )
    plot = '<div class="plot" id="plot" hidden></div>' if name == "trade_off" else ""
    return f"<figure><figcaption>{html.escape(caption)}</figcaption>{plot}{box}\n{picture}</div></figure>"


def _breakable(name: str) -> str:
    """A name that may be broken after an underscore, where a phone leaves it little room."""
    return html.escape(name).replace("_", "_<wbr>")


def _folded(table: Table, benchmarks: Sequence[str]) -> str:
    return f"<details><summary>{html.escape(table.title)}</summary>\n{_table(table, benchmarks)}\n</details>"


def _table(table: Table, benchmarks: Sequence[str]) -> str:
    """A table whose headings sort; the columns of a benchmark say so, for the filter."""

    def style(column: Column) -> str:
        return ' class="word"' if column.is_text else ""

    def heading(column: Column) -> str:
        own = f' data-benchmark="{html.escape(column.title)}"' if table.is_wide and column.title in benchmarks else ""
        button = f'<button type="button">{html.escape(column.title or "Name")}</button>'
        return f'<th scope="col"{style(column)}{own}>{button}</th>'

    def cell(text: str, column: Column) -> str:
        return f"<td{style(column)}>{html.escape(text)}</td>"

    first, *columns = table.columns
    lines = []
    for kind, name, *cells in zip(table.kinds, first.cells, *(c.cells for c in columns), strict=True):
        values = "".join(map(cell, cells, columns))
        lines.append(f'<tr class="{html.escape(kind)}"><th scope="row">{_breakable(name)}</th>{values}</tr>')
    title = html.escape(table.title)
    return "\n".join(
        [
            f'<p class="caption">{html.escape(table.caption)} Click a heading to sort.</p>',
            f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table class="sortable">',
            f'<caption class="unseen">{title}</caption>',
            f"<thead><tr>{''.join(map(heading, table.columns))}</tr></thead>",
            "<tbody>",
            *lines,
            "</tbody></table></div>",
        ]
    )


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
