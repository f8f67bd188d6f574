"""The second page of a report, `queries.html`: every test query, for those who ask why a figure is what it is.

It is apart from index.html so that the main page stays small and holds no question of a benchmark: that one can be
published where the questions may not. Like index.html it needs nothing beside it.
"""

import html
from collections.abc import Sequence
from string import Template
from typing import Any

from scoring.evaluation import Evaluation
from scoring.html_parts import read_page
from scoring.query_data import query_data

MOST_PAIRS = 4_000_000  # queries × models, collected routers among the models: some 20 MB of page


def queries_page(result: dict[str, Any], evaluation: Evaluation, prompts: Sequence[str] | None = None) -> bytes:
    """The whole page; arguments and errors as of `scoring.query_data.query_data`."""
    page = Template(read_page("queries.html")).substitute(
        title=html.escape(f"Queries: {evaluation.setting}"),
        style=read_page("page.css", "queries.css"),
        script=read_page("page.js", "queries.js"),
        data=query_data(result, evaluation, prompts),
    )
    return page.encode(errors="replace")


def too_large(evaluation: Evaluation) -> str:
    """Why there is no page for this evaluation, in a sentence; "" where there is one."""
    n_queries, n_models = len(evaluation.benchmark), len(evaluation.models) + len(evaluation.collected)
    if n_queries * n_models <= MOST_PAIRS:
        return ""
    return (
        f"There is no page of single queries: {n_queries:,} queries × {n_models:,} models are more than "
        f"{MOST_PAIRS:,} pairs, which is too much for a browser."
    )
