"""The report folder: every file of it follows from its arguments alone, byte by byte."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from scoring.comparison_tables import comparison_files
from scoring.evaluation import Evaluation
from scoring.figures import CAPTIONS, figure_files
from scoring.html_report import html_page
from scoring.paper_tables import paper_table_files
from scoring.queries_page import queries_page, too_large
from scoring.tables import table_files
from store.atomic import write_file

_TABLES = (  # those that not every result has
    "compare", "cost", "curves", "decisions", "latency", "pairs", "paper_encoders", "paper_models_cost",
    "paper_test_cost", "seeds",
)  # fmt: skip
_OPTIONAL = {"queries.html"}
_OPTIONAL |= {f"{name}.{suffix}" for name in _TABLES for suffix in ("md", "tex", "csv", "parquet")}
_OPTIONAL |= {f"{name}.{suffix}" for name in CAPTIONS for suffix in ("svg", "png")}


def report_files(
    result: dict[str, Any], evaluation: Evaluation | None = None, prompts: Sequence[str] | None = None
) -> dict[str, bytes]:
    """File name -> content: metrics.json, tables as text and records, figures, index.html, queries.html.

    Args:
        result: from `scoring.reduction.reduce`; with a key `published` (`scoring.comparison.compare`) the files
            `compare` come besides, with `latency` (`scoring.latency_figures`) the files `latency`, with `encoders`
            (`scoring.paper_tables.encoder_figures`) paper_encoders.
        evaluation: what was reduced; with it comes queries.html, if it is not too large for a browser.
        prompts: the start of each query's prompt, [n_queries], to be shown there.
    """
    figures = figure_files(result)
    metrics = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    pages = {}
    if evaluation is None:
        pages["index.html"] = html_page(result, figures)
    else:
        reason = too_large(evaluation)
        if not reason:
            pages["queries.html"] = queries_page(result, evaluation, prompts)
        pages["index.html"] = html_page(result, figures, queries=reason)
    tables = table_files(result) | paper_table_files(result)
    tables |= comparison_files(result["published"]) if "published" in result else {}
    return {"metrics.json": metrics, **tables, **figures, **pages}


def write_report(
    result: dict[str, Any],
    folder: Path,
    evaluation: Evaluation | None = None,
    prompts: Sequence[str] | None = None,
) -> list[Path]:
    """Write the report, each file all or nothing, the main page last; gives back the paths.

    Args:
        result, evaluation, prompts: see `report_files`.
        folder: made if need be; files of an earlier report are replaced.

    Raises:
        OSError: the file system refuses; what was there before is whole.
    """
    files = report_files(result, evaluation, prompts)
    for name, content in files.items():
        write_file(folder / name, content)
    for name in _OPTIONAL - files.keys():
        (folder / name).unlink(missing_ok=True)  # of an earlier report: it would show other routers
    return [folder / name for name in files]
