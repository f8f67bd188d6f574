"""RouterEval's candidate groups: few models out of thousands, all strong, all weak, or from strong to weak (spec C.17).

Models are sorted by their mean score; those at 0.1 or below, or above 0.9, are dropped. With r = max(n / 5, m), of all
n models, *all-weak* is the window of m neighbours among the r weakest with the highest Oracle accuracy, *all-strong*
the same among the r strongest, *strong-to-weak* the best of 1,000 draws of one model from each of m equal bins.

The reference (`get_router_dataset.py`) takes means and Oracle accuracies over all queries, those of the test too:
rule `published`. The Oracle of such a group is too good on the test. By default they are taken over the training
queries. Random numbers are the reference's in both. It sorts equal means as its machine does, here by their place.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.score_matrix import ScoreMatrix

GROUPS = ("all-strong", "all-weak", "strong-to-weak")
SIZES = (3, 5, 10, 100, 1000)  # the paper's; draws of a size come after those of all smaller ones
RULES = ("train", "published")
_FLOOR, _CEILING, _N_REGIONS, _N_DRAWS = 0.1, 0.9, 5, 1000
_BLOCK_BYTES = 32 << 20


def choose_groups(
    matrix: ScoreMatrix, sizes: tuple[int, ...], counted: NDArray[np.bool_], stream: np.random.RandomState
) -> dict[tuple[int, str], NDArray[np.int64]]:
    """(size, group) -> numbers of its models, from weak to strong, int64 [size].

    Args:
        matrix: scores of all models.
        sizes: some of `SIZES`.
        counted: queries over which means and Oracle accuracies are taken, [n_queries].
        stream: random numbers; the reference goes on with that of its split.

    Raises:
        ValueError: a size is unknown, no query counts, or too few models are left for a group.
    """
    if unknown := set(sizes).difference(SIZES):
        raise ValueError(f"groups of {', '.join(map(str, sorted(unknown)))} models; RouterEval's sizes are {SIZES}")
    if not counted.any():
        raise ValueError("no query counts")
    values = matrix.on(counted)
    mean = matrix.total(values) / counted.sum()
    order = np.argsort(mean, kind="stable")
    kept = order[(mean[order] > _FLOOR) & (mean[order] <= _CEILING)]
    if len(kept) < max(sizes):
        raise ValueError(
            f"{len(kept)} of {len(mean)} models have a mean score above {_FLOOR} and up to {_CEILING}; groups of "
            f"{max(sizes)} need as many"
        )
    groups = {}
    for size in SIZES[: SIZES.index(max(sizes)) + 1]:
        bins = np.array_split(kept, size)
        draws = stream.randint(0, [len(models) for models in bins], size=(_N_DRAWS, size))
        if size not in sizes:
            continue
        n_region = max(len(mean) // _N_REGIONS, size)
        for group, region in (("all-strong", kept[-n_region:]), ("all-weak", kept[:n_region])):
            first = int(matrix.total(window_unions(values[region], size, matrix.union)).argmax())
            groups[size, group] = region[first : first + size]
        starts = np.cumsum([0, *(len(models) for models in bins[:-1])])
        drawn = kept[starts + draws]
        groups[size, "strong-to-weak"] = drawn[_oracle_totals(matrix, values, drawn).argmax()]
    return groups


def window_unions(values: NDArray[Any], size: int, union: np.ufunc) -> NDArray[Any]:
    """Union of every `size` neighbouring rows, [n_rows - size + 1, width], in three passes whatever the size.

    Rows are cut into blocks of `size`; a window is the tail of a block and the head of the next one (van Herk 1992).

    Args:
        values: [n_rows, width] with n_rows >= size; 0 must be neutral to the union.
        union: maximum or bitwise_or.
    """
    n_rows, width = values.shape
    blocks = np.zeros((-(-n_rows // size), size, width), values.dtype)
    blocks.reshape(-1, width)[:n_rows] = values
    head = union.accumulate(blocks, axis=1).reshape(-1, width)
    tail = union.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].reshape(-1, width)
    n_windows = n_rows - size + 1
    return union(tail[:n_windows], head[size - 1 : size - 1 + n_windows])


def _oracle_totals(matrix: ScoreMatrix, values: NDArray[Any], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum over queries of the best score in each group of models. groups: [n_groups, size]."""
    step = max(1, _BLOCK_BYTES // (groups.shape[1] * values[0].nbytes))
    blocks = (groups[start : start + step] for start in range(0, len(groups), step))
    return np.concatenate([matrix.total(matrix.union.reduce(values[block], axis=1)) for block in blocks])
