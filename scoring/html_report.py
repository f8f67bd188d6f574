"""The report as one HTML page that needs nothing beside it: no network, no file, no library."""

import html
import re
from pathlib import Path
from string import Template
from typing import Any

import orjson

from scoring.contenders import BEST_SINGLE, DATASET_ORACLE, ORACLE, RANDOM
from scoring.figures import INK, PAPER
from scoring.table_formats import Table
from scoring.tables import (
    accuracy_table,
    all_queries_table,
    cost_table,
    label,
    metrics_table,
    percent,
    signed_percent,
    span,
    summary_table,
    usd,
    verdict,
)

Result = dict[str, Any]

_TEMPLATE = Path(__file__).with_name("report_template.html")

_CAPTIONS = {
    "accuracy": "Routers (blue), references (green) and the five best single models (grey); lines mark the references.",
    "trade_off": "Total cost and accuracy of single models and of every trade-off of every router.",
    "benchmarks": "Accuracy per benchmark; the colour is the difference to Best Single.",
    "hardness": "Test queries by the number of models that are right on them, and the accuracy on each group.",
    "shares": "Which models each router chose.",
}


def html_page(result: Result, figures: dict[str, bytes]) -> bytes:
    """The whole page; the same result and figures give the same bytes.

    Args:
        result: from `scoring.reduction.reduce`.
        figures: file name -> content, from `scoring.figures.figure_files`; the .svg ones are put into the page.
    """
    drawn = {name: _figure(name, figures[f"{name}.svg"]) for name in _CAPTIONS if f"{name}.svg" in figures}
    sections = [
        _section("Accuracy", drawn.get("accuracy"), _table(summary_table(result))),
        _section("Metrics and trade-offs", drawn.get("trade_off"), _table(metrics_table(result))),
        _section("Benchmarks", drawn.get("benchmarks"), _folded(accuracy_table(result))),
        _section("Hard queries", drawn.get("hardness")),
        _section("Routing", drawn.get("shares")) if "shares" in drawn else "",
        _section("Cost", _table(cost_table(result))) if result["has_cost"] else "",
        _section("All queries", _table(all_queries_table(result))),
    ]
    page = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(f"Routeyard: {result['setting']}"),
        scope=html.escape(_scope(result)),
        headline=html.escape(_headline(result)),
        cards="\n".join(_cards(result)),
        sections="\n".join(section for section in sections if section),
        notes="\n".join(f"<li>{html.escape(note)}</li>" for note in result["notes"]),
        provenance="\n".join(_provenance(result["provenance"])),
    )
    return page.encode()


def inline_svg(name: str, svg: bytes, title: str) -> str:
    """An SVG file as an element of an HTML page, in the page's own ink and paper.

    Ids get the figure's name in front, since all figures of a page share one space of ids; namespaces and metadata,
    which only a file needs, go.
    """
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<style[^>]*>.*?</style>\s*", "", text, flags=re.DOTALL)
    text = (
        re.sub(r'\s(?:xmlns(?::\w+)?|width|height|version)="[^"]*"', "", text.split(">", 1)[0])
        + ">"
        + text.split(">", 1)[1]
    )
    text = text.replace("xlink:href=", "href=")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    text = text.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    opening = f'<svg role="img" aria-label="{html.escape(title)}"' + (' class="wide"' if name == "benchmarks" else "")
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


def _section(title: str, *parts: str | None) -> str:
    return "\n".join([f"<h2>{html.escape(title)}</h2>", *(part for part in parts if part)])


def _figure(name: str, svg: bytes) -> str:
    picture = inline_svg(name, svg, _CAPTIONS[name])
    caption = f"<figcaption>{_CAPTIONS[name]}</figcaption>"
    return f'<figure>{caption}<div class="scroll" tabindex="0">\n{picture}</div></figure>'


def _folded(table: Table) -> str:
    return f"<details><summary>{html.escape(table.title)}</summary>\n{_table(table)}\n</details>"


def _table(table: Table) -> str:
    def cell(tag: str, text: str, is_text: bool, scope: str = "") -> str:
        style = ' class="word"' if is_text else ""
        return f"<{tag}{scope}{style}>{text}</{tag}>"

    columns = table.columns
    heads = [
        cell("th", f'<button type="button">{html.escape(c.title or "Name")}</button>', c.is_text, ' scope="col"')
        for c in columns
    ]
    lines = []
    for kind, (name, *cells) in zip(table.kinds, zip(*(c.cells for c in columns), strict=True), strict=True):
        values = [cell("td", html.escape(text), c.is_text) for text, c in zip(cells, columns[1:], strict=True)]
        lines.append(f'<tr class="{kind}"><th scope="row">{html.escape(name)}</th>{"".join(values)}</tr>')
    return "\n".join(
        [
            f'<p class="caption">{html.escape(table.caption)} Click a heading to sort.</p>',
            '<div class="scroll" tabindex="0"><table>',
            f"<thead><tr>{''.join(heads)}</tr></thead>",
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
