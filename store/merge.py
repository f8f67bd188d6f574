"""The one rule that decides among several rows of the same key; status, scoring, sealing and matrices all use it."""

import numpy as np
from numpy.typing import NDArray


def first_success(
    index: NDArray[np.int64],
    repeat: NDArray[np.int64],
    failed: NDArray[np.bool_],
    finished_at: NDArray[np.float64],
    file_rank: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Positions of the rows that count, one per (index, repeat), ascending by key.

    A success comes before a failure, then the earlier finish, then the earlier file in the order of the names, then
    the earlier row. So whoever reads, and in whichever order files appear, sees the same record.

    Args:
        index, repeat: the key of each row, [n_rows].
        failed: whether the row records a failure, [n_rows].
        finished_at: Unix time in seconds, [n_rows].
        file_rank: position of the row's file among the sorted file names, [n_rows].
    """
    order = np.lexsort((np.arange(len(index)), file_rank, finished_at, failed, repeat, index))
    sorted_index, sorted_repeat = index[order], repeat[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(sorted_index) != 0) | (np.diff(sorted_repeat) != 0)
    return order[is_first]
