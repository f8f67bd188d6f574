"""The section of the report's page that sets published figures beside the measured ones, as compare.md does."""

import html
from collections.abc import Mapping
from typing import Any

from scoring.comparison_tables import comparison_tables, single_benchmarks_table
from scoring.html_parts import folded_html, table_html


def published_parts(published: dict[str, Any], filtered: Mapping[str, str]) -> list[str]:
    """Notes, agreement, figures over several benchmarks, those of single ones to unfold, and what the remarks mean.

    Args:
        published: from `scoring.comparison.compare`. filtered: see `table_html`.
    """
    parts = [f"<p>{html.escape(' '.join(published['notes']))}</p>"]
    for table in comparison_tables(published):
        if not table.is_wide:
            parts.append(f"<h3>{html.escape(table.title)}</h3>\n{table_html(table, filtered)}")
    single = single_benchmarks_table(published)
    if single.kinds:
        parts.append(folded_html(single, filtered))
    if published["reasons"]:
        meanings = "".join(
            f"<dt>{html.escape(reason)}</dt><dd>{html.escape(sentence)}</dd>"
            for reason, sentence in published["reasons"].items()
        )
        parts.append(f"<h3>Remarks</h3>\n<dl>{meanings}</dl>")
    for title, key in (("Published, not in this run", "not_run"), ("In this run, not published", "only_here")):
        if published[key]:
            parts.append(f"<h3>{title}</h3>\n<p>{html.escape(', '.join(published[key]))}.</p>")
    return parts
