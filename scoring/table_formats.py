"""A table of finished text, and how it looks as Markdown, as LaTeX and on the terminal; records as CSV."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

UNKNOWN = "–"
_GAP = 2  # blanks between columns on the terminal
_MARKDOWN_SPECIAL = re.compile(r"([\\|*_`<>\[\]])")
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "–": "--",
        "<": "$<$",
        ">": "$>$",
        "±": r"$\pm$",
        "Δ": r"$\Delta$",
        "θ": r"$\theta$",
        "†": r"$\dagger$",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)
_MARKDOWN_MARKS = {"": "{}", "best": "**{}**", "second": "<u>{}</u>"}
_LATEX_MARKS = {"": "{}", "best": r"\textbf{{{}}}", "second": r"\underline{{{}}}"}


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, a cell per row, and whether the cells are words (left-aligned) or numbers.

    Attributes:
        marks: "best", "second" or "" per cell, bold and underlined in Markdown and LaTeX; empty: none is marked.
        group: a heading over neighbouring columns that share it, in LaTeX only.
    """

    title: str
    cells: tuple[str, ...]
    is_text: bool = False
    marks: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns under a title.

    Attributes:
        name: file stem. caption: a sentence under the title.
        columns: the first one names the rows.
        kinds: "reference", "router" or "model" of each row, by which the page filters, or what else it is; rows of a
            kind stand together.
        is_wide: has a column per benchmark or router, so the terminal shows it only where it fits.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    kinds: tuple[str, ...]
    is_wide: bool = False


def known_columns(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns without those after the first in which nothing is known."""
    return (*columns[:1], *(column for column in columns[1:] if any(cell != UNKNOWN for cell in column.cells)))


def as_markdown(table: Table) -> str:
    """The table with its title and caption, numbers right-aligned."""

    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cells)} |"

    columns = table.columns
    head = [line([_markdown(c.title) for c in columns]), line(["---" if c.is_text else "---:" for c in columns])]
    body = [line(list(cells)) for cells in zip(*(_marked(c, _markdown, _MARKDOWN_MARKS) for c in columns), strict=True)]
    return "\n".join([f"## {table.title}", "", table.caption, "", *head, *body, ""])


def as_latex(table: Table) -> str:
    """A tabular with booktabs rules, a rule between kinds of rows."""
    cells = zip(*(_marked(c, _latex, _LATEX_MARKS) for c in table.columns), strict=True)
    lines = [f"  {' & '.join(row)} \\\\" for row in cells]
    for i, (kind, following) in reversed(list(enumerate(pairwise(table.kinds)))):
        if kind != following:
            lines.insert(i + 1, "  \\midrule")
    alignment = "".join("l" if c.is_text else "r" for c in table.columns)
    titles = " & ".join(_latex(c.title) for c in table.columns)
    return "\n".join(
        [
            f"% {table.title}. {table.caption}",
            f"\\begin{{tabular}}{{{alignment}}}",
            "  \\toprule",
            *_group_lines(table.columns),
            f"  {titles} \\\\",
            "  \\midrule",
            *lines,
            "  \\bottomrule",
            "\\end{tabular}",
            "",
        ]
    )


def text_files(tables: Sequence[Table]) -> dict[str, bytes]:
    """File name -> content: every table in Markdown and LaTeX."""
    texts = {f"{table.name}.md": as_markdown(table) for table in tables}
    texts |= {f"{table.name}.tex": as_latex(table) for table in tables}
    return {name: text.encode() for name, text in texts.items()}


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Records under a header of their keys; None is an empty field."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def print_columns(table: Table, console: Console) -> None:
    """Print a table in as many parts beside its row names as the width asks for; a wide one whole or not at all."""
    names, *columns = table.columns
    name_width = min(_width(names), console.width // 3)  # longer names fold
    parts = _parts(columns, console.width - name_width)
    console.print(Text(f"\n{table.title}", style="bold"))
    if table.is_wide and len(parts) > 1:
        console.print(Text(f"{len(columns)} columns do not fit here: see {table.name}.md or index.html of the report."))
        return
    console.print(Text(table.caption, style="dim"))
    for part in parts:
        printed = RichTable(box=box.SIMPLE_HEAD, padding=(0, _GAP - 1, 0, 0), pad_edge=False, show_edge=False)
        printed.add_column(names.title, width=name_width, overflow="fold")
        for column in part:
            printed.add_column(Text(column.title), justify="left" if column.is_text else "right", width=_width(column))
        rows = list(zip(table.kinds, names.cells, *(c.cells for c in part), strict=True))
        rows = [row for row in rows if any(cell != UNKNOWN for cell in row[2:])]
        for i, (kind, *cells) in enumerate(rows):
            printed.add_row(*map(Text, cells), end_section=i + 1 < len(rows) and rows[i + 1][0] != kind)
        console.print()
        console.print(printed)


def _parts(columns: list[Column], width: int) -> list[list[Column]]:
    """The columns in runs that fit into the width; a run has at least one."""
    parts: list[list[Column]] = []
    room = 0
    for column in columns:
        needed = _width(column) + _GAP
        if not parts or needed > room:
            parts.append([])
            room = width
        parts[-1].append(column)
        room -= needed
    return parts


def _width(column: Column) -> int:
    """Width that keeps every cell on one line; the title may fold at its spaces."""
    return max(len(text) for text in (*column.cells, *column.title.split(" ")))


def _marked(column: Column, escaped: Callable[[str], str], marks: dict[str, str]) -> list[str]:
    """The cells of a column, escaped and marked."""
    marked = column.marks or ("",) * len(column.cells)
    return [marks[mark].format(escaped(cell)) for cell, mark in zip(column.cells, marked, strict=True)]


def _group_lines(columns: tuple[Column, ...]) -> list[str]:
    """A line with the headings over groups of columns, and the rules under them; nothing if there are none."""
    if not any(column.group for column in columns):
        return []
    headings, rules, first = [], "", 1
    for name, members in groupby(columns, key=lambda column: column.group):
        width = len(list(members))
        headings.append(f"\\multicolumn{{{width}}}{{c}}{{{_latex(name)}}}")
        rules += f"\\cmidrule(lr){{{first}-{first + width - 1}}}" if name else ""
        first += width
    return [f"  {' & '.join(headings)} \\\\", f"  {rules}"]


def _latex(text: str) -> str:
    return text.translate(_LATEX)


def _markdown(cell: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", cell)
