"""Candidate groups by hand, and the published rule against a plain reading of it, one model and one draw at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.candidate_groups import GROUPS, choose_groups, window_unions
from store.given_split import PARTS, split_per_subtask
from store.score_matrix import pack


def binary(*rows):
    """Models' rows of 0 and 1 as a matrix."""
    return pack([f"m{i}" for i in range(len(rows))], np.array([[int(c) for c in row] for row in rows]).T)


BY_HAND = binary(
    "1111111111",  # 1.0: dropped, above 0.9
    "1111100000",  # 0.5
    "0000000001",  # 0.1: dropped, not above 0.1
    "1100000000",  # 0.2
    "0011000000",  # 0.2, after the one before
    "0000011111",  # 0.5, after
    "1111000001",  # 0.5, after
    "1110000000",  # 0.3
)  # sorted: 3, 4, 7, 1, 5, 6; eight models, so a region is max(8 // 5, 3) = 3 of these


def test_groups_by_hand():
    groups = choose_groups(BY_HAND, (3,), np.ones(10, bool), np.random.RandomState(0))
    assert groups[3, "all-weak"].tolist() == [3, 4, 7]
    assert groups[3, "all-strong"].tolist() == [1, 5, 6]
    drawn = groups[3, "strong-to-weak"]  # bins (3, 4), (7, 1), (5, 6); with 5 the Oracle is 9 or, with 1, 10 of 10
    assert drawn[1:].tolist() == [1, 5]
    assert drawn[0] in (3, 4)


def test_only_the_queries_that_count_choose():
    counted = np.arange(10) < 5
    groups = choose_groups(BY_HAND, (3,), counted, np.random.RandomState(0))
    # means of the first five: 1 -> 1.0 dropped, 5 -> 0 dropped, 2 -> 0 dropped, 6 -> 0.8, 7 -> 0.6, 3 and 4 -> 0.4
    assert groups[3, "all-weak"].tolist() == [3, 4, 7]
    assert groups[3, "all-strong"].tolist() == [4, 7, 6]


@pytest.mark.parametrize(
    ("sizes", "counted", "words"),
    [
        ((4,), np.ones(10, bool), r"groups of 4 models; RouterEval's sizes are \(3, 5, 10, 100, 1000\)"),
        ((10,), np.ones(10, bool), "6 of 8 models have a mean score above 0.1 and up to 0.9; groups of 10"),
        ((3,), np.zeros(10, bool), "no query counts"),
    ],
)
def test_what_cannot_be_chosen_is_named(sizes, counted, words):
    with pytest.raises(ValueError, match=words):
        choose_groups(BY_HAND, sizes, counted, np.random.RandomState(0))


def plain_groups(score, sizes, stream):
    """RouterEval's rule as spec C.17 words it. score: [n_models, n_queries]."""
    mean = score.mean(axis=1)
    order = sorted(range(len(score)), key=lambda model: (mean[model], model))
    kept = [model for model in order if 0.1 < mean[model] <= 0.9]
    groups = {}
    for size in sizes:
        region = max(len(score) // 5, size)
        for group, models in (("all-strong", kept[-region:]), ("all-weak", kept[:region])):
            windows = [models[i : i + size] for i in range(len(models) - size + 1)]
            groups[size, group] = max(windows, key=lambda window: score[window].max(axis=0).mean())
        bins = [list(models) for models in np.array_split(kept, size)]
        draws = [[stream.choice(models) for models in bins] for _ in range(1000)]
        groups[size, "strong-to-weak"] = max(draws, key=lambda draw: score[draw].max(axis=0).mean())
    return groups


@pytest.mark.parametrize("is_graded", [False, True])
def test_published_groups_are_those_of_the_plain_rule_and_its_random_numbers(is_graded):
    rng = np.random.default_rng(1)
    score = (rng.random((61, 90)) < np.linspace(0.0, 1.0, 90)).astype(np.float64)
    if is_graded:
        score *= rng.integers(1, 9, score.shape) / 8  # exact in float32
    sizes = [20, 41]
    stream = np.random.RandomState(42)
    for size in sizes:
        stream.shuffle(np.arange(size))
    expected = plain_groups(score.T, (3, 5, 10), stream)
    found = choose_groups(pack([f"m{i}" for i in range(90)], score), (3, 5, 10), np.ones(61, bool),
                          split_per_subtask(sizes, 42)[1])  # fmt: skip
    assert {key: models.tolist() for key, models in found.items()} == expected
    alone = choose_groups(pack([f"m{i}" for i in range(90)], score), (10,), np.ones(61, bool),
                          split_per_subtask(sizes, 42)[1])  # fmt: skip
    assert set(alone) == {(10, group) for group in GROUPS}
    assert all(models.tolist() == expected[key] for key, models in alone.items())


@given(st.integers(1, 12), st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_every_window_is_the_union_of_its_rows(size, more, seed):
    values = np.random.default_rng(seed).integers(0, 256, (size + more, 3), np.uint8)
    for union in (np.bitwise_or, np.maximum):
        expected = [union.reduce(values[i : i + size]) for i in range(more + 1)]
        np.testing.assert_array_equal(window_unions(values, size, union), expected)


def test_the_split_is_the_reference_s():
    """`get_router_dataset.py`: a shuffle per sub-task from one stream, cut at int(0.8 n) and int(0.9 n)."""
    part, _ = split_per_subtask([10, 7], 42)
    np.random.seed(42)  # noqa: NPY002
    expected, start = np.empty(17, object), 0
    for n in (10, 7):
        order = np.array(range(n))
        np.random.shuffle(order)  # noqa: NPY002
        for name, rows in (("train", order[: int(0.8 * n)]), ("val", order[int(0.8 * n) : int(0.9 * n)]),
                           ("test", order[int(0.9 * n) :])):  # fmt: skip
            expected[start + rows] = name
        start += n
    assert [PARTS[number] for number in part] == expected.tolist()
    assert [(part == number).sum() for number in range(3)] == [8 + 5, 1 + 1, 1 + 1]
