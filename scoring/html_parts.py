"""What the pages of a report are made of, as HTML: sections, figures, tables, and the files beside this one."""

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from scoring.figure_style import INK, PAPER, WIDTH
from scoring.table_formats import Column, Table

_PAGES = Path(__file__).with_name("pages")


def read_page(*names: str) -> str:
    """Files of the pages, one after the other."""
    return "".join((_PAGES / name).read_text(encoding="utf-8") for name in names)


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


def slug(title: str) -> str:
    """A title as an id."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def section_html(title: str, parts: list[str]) -> str:
    """A section under a heading that links can name."""
    heading = f'<h2 id="{slug(title)}">{html.escape(title)}</h2>'
    return "\n".join([f'<section aria-labelledby="{slug(title)}">', heading, *parts, "</section>"])


def figure_html(name: str, svg: bytes, caption: str) -> str:
    """A drawn figure; that of the trade-offs makes room for the plot that the page's script puts in its place."""
    picture = inline_svg(name, svg, caption)
    box = (
        f'<div class="scroll drawn" id="figure-{name}" tabindex="0" role="region" aria-label="{html.escape(caption)}">'
    )
    plot = '<div class="plot" id="plot" hidden></div>' if name == "trade_off" else ""
    return f"<figure><figcaption>{html.escape(caption)}</figcaption>{plot}{box}\n{picture}</div></figure>"


def _breakable(name: str) -> str:
    """A name that may be broken after an underscore, where a phone leaves it little room."""
    return html.escape(name).replace("_", "_<wbr>")


def folded_html(table: Table, filtered: Mapping[str, str]) -> str:
    """A table that a click on its title unfolds."""
    return f"<details><summary>{html.escape(table.title)}</summary>\n{table_html(table, filtered)}\n</details>"


def table_html(table: Table, filtered: Mapping[str, str]) -> str:
    """A table whose headings sort.

    Args:
        filtered: heading -> "benchmark" or "seed": columns of a wide table that the page's filter can hide.
    """

    def style(column: Column) -> str:
        return ' class="word"' if column.is_text else ""

    def heading(column: Column) -> str:
        kind = filtered.get(column.title) if table.is_wide else None
        own = f' data-{kind}="{html.escape(column.title)}"' if kind else ""
        button = f'<button type="button">{_breakable(column.title or "Name")}</button>'
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
