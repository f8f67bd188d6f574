"""The report folder: every file of it follows from the result alone, byte by byte."""

from pathlib import Path
from typing import Any

import orjson

from scoring.figures import figure_files
from scoring.html_report import html_page
from scoring.tables import table_files
from store.atomic import write_file


def report_files(result: dict[str, Any]) -> dict[str, bytes]:
    """File name -> content: metrics.json, the tables as CSV, Markdown and LaTeX, the figures, index.html."""
    figures = figure_files(result)
    metrics = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    page = html_page(result, figures)
    return {"metrics.json": metrics, **table_files(result), **figures, "index.html": page}


def write_report(result: dict[str, Any], folder: Path) -> list[Path]:
    """Write the report, each file all or nothing, the page last; gives back the paths.

    Args:
        result: from `scoring.reduction.reduce`.
        folder: made if need be; files of an earlier report are replaced.

    Raises:
        OSError: the file system refuses; what was there before is whole.
    """
    files = report_files(result)
    for name, content in files.items():
        write_file(folder / name, content)
    return [folder / name for name in files]
