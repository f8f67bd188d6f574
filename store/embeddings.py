"""Query embeddings of one encoder and one benchmark."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import StoreError
from store.layout import Layout
from store.tables import Table, read_meta, read_table, write_table

_KIND = "embeddings"


def write_embeddings(
    layout: Layout,
    encoder: str,
    benchmark: str,
    index: NDArray[np.int64],
    vector: NDArray[np.float32],
    meta: dict[str, Any],
) -> None:
    """Store vectors float32 [n_queries, dim] for indices int64 [n_queries]; `meta` holds the digest of their making."""
    path = layout.embeddings(encoder, benchmark)
    order = np.argsort(index)  # `read_embeddings` searches
    columns: Table = {"index": index[order], "vector": vector[order].astype(np.float32)}
    write_table(path, _KIND, columns, {"encoder": encoder, "benchmark": benchmark, **meta})


def embedding_digest(layout: Layout, encoder: str, benchmark: str) -> str | None:
    """Digest of the stored vectors' making; None if there are none."""
    return _meta(layout, encoder, benchmark).get("digest")


def embedding_seconds(layout: Layout, encoder: str, benchmark: str) -> float:
    """Seconds that embedding one query took, in batches; NaN where it is not known."""
    return _meta(layout, encoder, benchmark).get("s_per_text", float("nan"))


def read_embeddings(layout: Layout, encoder: str, benchmark: str, index: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors of the given indices, in their order, float32 [len(index), dim].

    Raises:
        StoreError: some are not in the store.
    """
    try:
        table, _ = read_table(layout.embeddings(encoder, benchmark), _KIND)
    except FileNotFoundError:
        raise StoreError(
            f"no embeddings of {benchmark} by {encoder} in {layout.root}; make them with launch/embed.py"
        ) from None
    row = np.searchsorted(table["index"], index)
    found = row < len(table["index"])
    found[found] = table["index"][row[found]] == index[found]
    if not found.all():
        raise StoreError(
            f"{layout.embeddings(encoder, benchmark)} lacks {np.count_nonzero(~found)} of {len(index)} queries "
            f"(first: {index[~found][0]}); make them with launch/embed.py"
        )
    return table["vector"][row]


def _meta(layout: Layout, encoder: str, benchmark: str) -> dict[str, Any]:
    try:
        return read_meta(layout.embeddings(encoder, benchmark), _KIND)
    except FileNotFoundError:
        return {}
