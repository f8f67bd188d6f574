"""A table of finished text, and how it looks as Markdown, as LaTeX and on the terminal; records as CSV."""

import csv
import io
import re
from dataclasses import dataclass
from itertools import pairwise
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
        "Δ": r"$\Delta$",
        "θ": r"$\theta$",
        "†": r"$\dagger$",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, a cell per row, and whether the cells are words (left-aligned) or numbers."""

    title: str
    cells: tuple[str, ...]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Columns under a title.

    Attributes:
        name: file stem. caption: a sentence under the title.
        columns: the first one names the rows.
        kinds: "reference", "router" or "model" of each row; rows of a kind stand together.
        is_wide: has a column per benchmark, so the terminal shows it only where it fits.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    kinds: tuple[str, ...]
    is_wide: bool = False


def as_markdown(table: Table) -> str:
    """The table with its title and caption, numbers right-aligned."""

    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cells)} |"

    columns = table.columns
    head = [line([_markdown(c.title) for c in columns]), line(["---" if c.is_text else "---:" for c in columns])]
    body = [line([_markdown(cell) for cell in cells]) for cells in zip(*(c.cells for c in columns), strict=True)]
    return "\n".join([f"## {table.title}", "", table.caption, "", *head, *body, ""])


def as_latex(table: Table) -> str:
    """A tabular with booktabs rules, a rule between kinds of rows."""
    cells = list(zip(*(c.cells for c in table.columns), strict=True))
    lines = [f"  {' & '.join(cell.translate(_LATEX) for cell in row)} \\\\" for row in cells]
    for i, (kind, following) in reversed(list(enumerate(pairwise(table.kinds)))):
        if kind != following:
            lines.insert(i + 1, "  \\midrule")
    alignment = "".join("l" if c.is_text else "r" for c in table.columns)
    titles = " & ".join(c.title.translate(_LATEX) for c in table.columns)
    return "\n".join(
        [
            f"% {table.title}. {table.caption}",
            f"\\begin{{tabular}}{{{alignment}}}",
            "  \\toprule",
            f"  {titles} \\\\",
            "  \\midrule",
            *lines,
            "  \\bottomrule",
            "\\end{tabular}",
            "",
        ]
    )


def as_csv(rows: list[dict[str, Any]]) -> str:
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
    name_width = min(max(len(cell) for cell in names.cells), console.width // 3)  # longer names fold
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


def _markdown(cell: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", cell)
