"""Splits that come with the data: each query's metadata has `split`, "train", "val" or "test".

RouterEval's is 80/10/10 per sub-task (spec C.17). Its routers never look at "val", and neither does anything here: such
queries are in the store and in no setting that splits so.
"""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from store.errors import StoreError
from store.layout import Layout
from store.queries import read_query_columns

PARTS = ("train", "val", "test")


def split_per_subtask(sizes: Sequence[int], seed: int) -> tuple[NDArray[np.int64], np.random.RandomState]:
    """Part of each query, as its place in `PARTS`, by RouterEval's rule and its very random numbers.

    Args:
        sizes: number of queries of each sub-task, in their order; rows of a sub-task stand together.
        seed: 42 in the reference (`get_router_dataset.py`).

    Returns:
        int64 [n_queries], and the random stream after the shuffles: the reference draws its groups from it.
    """
    stream = np.random.RandomState(seed)
    parts = []
    for size in sizes:
        order = np.arange(size)
        stream.shuffle(order)
        part = np.full(size, 2)
        part[order[: int(0.9 * size)]] = 1
        part[order[: int(0.8 * size)]] = 0
        parts.append(part)
    return np.concatenate(parts), stream


def given_split(layout: Layout, benchmark: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of a benchmark's training queries and of its test queries, ascending.

    Raises:
        StoreError: the benchmark has no queries, or they do not say where they belong.
    """
    table, _ = read_query_columns(layout, benchmark, ["index", "metadata"])
    part = np.array([json.loads(text).get("split", "") for text in table["metadata"]])
    if not np.isin(part, PARTS).all() or not {"train", "test"} <= set(part.tolist()):
        raise StoreError(f"{benchmark} came without a split of its own; choose another setting.split_rule than given")
    return table["index"][part == "train"], table["index"][part == "test"]
