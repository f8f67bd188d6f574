"""One row counts per key, whatever the order of rows and files."""

from itertools import permutations

import numpy as np
import pytest

from store.merge import first_success

# (failed, finished_at, name) of rows of one key, best first
RANKED = [
    (False, 5.0, "early success"),
    (False, 9.0, "late success"),
    (True, 1.0, "early failure"),
    (True, 9.0, "late failure"),
    (True, np.nan, "failure at no known time"),
]


def winner(rows: list[tuple[bool, float, str]]) -> str:
    (at,) = first_success(
        np.zeros(len(rows), np.int64),
        np.zeros(len(rows), np.int64),
        np.array([failed for failed, _, _ in rows]),
        np.array([finished_at for _, finished_at, _ in rows]),
        np.arange(len(rows)),
    )
    return rows[at][2]


@pytest.mark.parametrize("first", range(len(RANKED)))
def test_the_first_success_wins_in_every_order(first: int):
    rest = RANKED[first:]
    assert {winner(list(order)) for order in permutations(rest)} == {rest[0][2]}


def test_of_equals_the_earlier_file_wins_then_the_earlier_row():
    zeros = np.zeros(4, np.int64)
    rank = np.array([2, 1, 1, 3])
    assert first_success(zeros, zeros, zeros.astype(bool), np.zeros(4), rank).tolist() == [1]


def test_rows_come_by_index_then_repeat():
    index, repeat = np.array([7, 3, 7, 3, -2]), np.array([0, 1, 1, 0, 0])
    rows = first_success(index, repeat, np.zeros(5, bool), np.zeros(5), np.zeros(5, np.int64))
    keys = [(int(index[row]), int(repeat[row])) for row in rows]
    assert keys == [(-2, 0), (3, 0), (3, 1), (7, 0), (7, 1)]


def test_no_rows_give_no_rows():
    empty = np.empty(0, np.int64)
    assert first_success(empty, empty, empty.astype(bool), empty.astype(float), empty).tolist() == []


def test_it_agrees_with_a_plain_loop():
    rng = np.random.default_rng(11)
    n = 500
    index, repeat, rank = rng.integers(0, 40, n), rng.integers(0, 3, n), rng.integers(0, 5, n)
    failed, finished_at = rng.random(n) < 0.5, rng.integers(0, 6, n).astype(float)
    best: dict[tuple, tuple] = {}
    for row in range(n):
        candidate = (failed[row], finished_at[row], rank[row], row)
        key = (index[row], repeat[row])
        best[key] = min(best.get(key, candidate), candidate)
    assert first_success(index, repeat, failed, finished_at, rank).tolist() == [best[key][-1] for key in sorted(best)]
