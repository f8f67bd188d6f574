"""The queries of a benchmark, once, not once per model.

Two digests: `prompt_digest` covers what a model is sent (index, messages) and is part of every response's identity;
`digest` covers everything. So a corrected gold answer costs a rescoring and never a response.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.digest import digest
from store.errors import StoreError
from store.layout import Layout
from store.records import Query
from store.tables import Table, read_meta, read_table, write_table

_KIND = "queries"


def write_queries(
    layout: Layout,
    benchmark: str,
    queries: Sequence[Query],
    meta: dict[str, Any] | None = None,
    *,
    grow: bool = False,
) -> bool:
    """Store a benchmark's queries; True if anything was written, False if they were there already.

    Args:
        meta: further facts of the file; new ones are written even if the queries are the same.
        grow: the rows in the store are all among `queries`, unchanged: an import that meets more rows. Responses to
            them stay valid.

    Raises:
        StoreError: two rows share an index, or responses exist that were made with other prompts.
    """
    ordered = sorted(queries, key=lambda query: query.index)
    table = to_table(ordered)
    if len(np.unique(table["index"])) != len(ordered):
        raise StoreError(f"benchmark {benchmark}: two queries share an index; an index must be unique")
    digests = {
        "prompt_digest": digest([table["index"].tolist(), table["messages"]]),
        "digest": digest([table["index"].tolist(), *(table[name] for name in table if name != "index")]),
    }
    path = layout.queries(benchmark)
    if path.exists():
        old = read_meta(path, _KIND)
        if old["digest"] == digests["digest"] and old.items() >= (meta or {}).items():
            return False
        is_new_prompt = not grow and old["prompt_digest"] != digests["prompt_digest"]
        if is_new_prompt and any(layout.root.glob(_any_response(layout, benchmark))):
            raise StoreError(
                f"{path}: {benchmark} has responses to other prompts (prompt digest {old['prompt_digest'][:8]}, now "
                f"{digests['prompt_digest'][:8]}: the data file or the prompt changed). Collect into another store "
                f"(store.root=…), or remove {layout.responses(benchmark, 'x').parent} to start this benchmark anew."
            )
    write_table(path, _KIND, table, {"benchmark": benchmark, **digests, **(meta or {})})
    return True


def read_queries(layout: Layout, benchmark: str) -> list[Query]:
    """All queries of a benchmark, by index.

    Raises:
        StoreError: they are not in the store.
    """
    table, _ = read_query_columns(layout, benchmark)
    return [
        Query(index, text, json.loads(truth), tuple(json.loads(messages)), json.loads(metadata))
        for index, text, messages, truth, metadata in zip(
            table["index"].tolist(),
            table["text"],
            table["messages"],
            table["ground_truth"],
            table["metadata"],
            strict=True,
        )
    ]


def read_query_columns(
    layout: Layout, benchmark: str, names: Sequence[str] | None = None
) -> tuple[Table, dict[str, Any]]:
    """Chosen columns (index, text, messages, ground_truth, metadata; the last three as JSON text) and the meta."""
    path = layout.queries(benchmark)
    try:
        return read_table(path, _KIND, names)
    except FileNotFoundError:
        known = ", ".join(layout.benchmarks()) or "none"
        raise StoreError(
            f"no queries of {benchmark} in {layout.root} (benchmarks there: {known}). "
            f"Collect it (launch/collect.py benchmarks=[{benchmark}]) or import a release (launch/import_release.py)."
        ) from None


def read_indices(layout: Layout, benchmark: str) -> NDArray[np.int64]:
    """Indices of a benchmark's queries, ascending, int64 [n_queries]."""
    return read_query_columns(layout, benchmark, ["index"])[0]["index"]


def to_table(queries: Sequence[Query]) -> Table:
    """Queries as columns."""
    return {
        "index": np.array([query.index for query in queries], np.int64),
        "text": [query.text for query in queries],
        "messages": [to_json(list(query.messages)) for query in queries],
        "ground_truth": [to_json(query.ground_truth) for query in queries],
        "metadata": [to_json(query.metadata) for query in queries],
    }


def to_json(value: Any) -> str:
    """Compact JSON text; keeps key order, lone surrogates and the difference between 1 and 1.0."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _any_response(layout: Layout, benchmark: str) -> str:
    folder = layout.responses(benchmark, "x").parent.relative_to(layout.root)
    return f"{folder}/*/[!.]*.h5"
