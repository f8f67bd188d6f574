"""The split: published vectors, equal prompts, independence of the benchmarks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from store.split import train_mask


def unique_prompts(*sizes: int) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Names, benchmark and prompt group of benchmarks in which no prompt comes twice."""
    return [f"b{at}" for at in range(len(sizes))], np.repeat(np.arange(len(sizes)), sizes), np.arange(sum(sizes))


# random.Random(seed).shuffle of 10, 7 and 700 indices in one stream: training and test part of the first two; the first
# five and the last five of the third
REFERENCE = {
    42: (
        [7, 3, 2, 8, 5, 6, 9], [4, 0, 1],
        [1, 2, 5, 6], [0, 3, 4],
        [321, 525, 311, 420, 74], [574, 27, 616, 517, 238],
    ),
    999: (
        [5, 6, 4, 0, 2, 9, 3], [7, 8, 1],
        [3, 6, 5, 0], [4, 2, 1],
        [278, 567, 325, 634, 92], [76, 411, 646, 232, 407],
    ),
}  # fmt: skip


@pytest.mark.parametrize("seed", REFERENCE)
def test_the_reference_rule_gives_the_published_vectors(seed: int):
    mask = train_mask(*unique_prompts(10, 7, 700), seed=seed, rule="reference")
    train_a, test_a, train_b, test_b, train_c, test_c = REFERENCE[seed]
    small, middle, large = np.split(mask, [10, 17])
    assert np.flatnonzero(small).tolist() == sorted(train_a)
    assert np.flatnonzero(~small).tolist() == sorted(test_a)
    assert np.flatnonzero(middle).tolist() == sorted(train_b)
    assert np.flatnonzero(~middle).tolist() == sorted(test_b)
    assert large[train_c].all()
    assert not large[test_c].any()


def test_the_reference_rule_gives_the_first_published_benchmarks():
    """aime 60, bbh 1080, emorynlp 697 with seed 42."""
    mask = train_mask(*unique_prompts(60, 1080, 697), seed=42, rule="reference")
    aime, bbh, emorynlp = np.split(mask, [60, 1140])
    assert aime[[38, 23, 54, 11, 16, 20]].all()
    assert bbh[[822, 742, 280, 651, 639, 792]].all()
    assert emorynlp[[51, 690, 570, 331, 542, 167]].all()
    assert [int(part.sum()) for part in (aime, bbh, emorynlp)] == [42, 756, 487]


@pytest.mark.parametrize("rule", ["independent", "reference"])
@pytest.mark.parametrize(("n", "n_train"), [(700, 489), (10, 7), (7, 4), (1, 0), (2, 1), (100, 70)])
def test_the_share_is_rounded_down_as_in_the_reference(rule: str, n: int, n_train: int):
    assert train_mask(*unique_prompts(n), seed=1, rule=rule).sum() == n_train


@pytest.mark.parametrize("rule", ["independent", "reference"])
def test_equal_prompts_stay_together(rule: str):
    rng = np.random.default_rng(4)
    group = np.concatenate([rng.integers(0, 30, 200), 30 + rng.integers(0, 50, 300)])
    benchmark = np.repeat([0, 1], [200, 300])
    mask = train_mask(["a", "b"], benchmark, group, seed=3, rule=rule)
    for number in np.unique(group):
        assert len(set(mask[group == number].tolist())) == 1
    for at in (0, 1):
        n_prompts = len(np.unique(group[benchmark == at]))
        assert len(np.unique(group[(benchmark == at) & mask])) == int(n_prompts * 0.7)


def test_the_reference_rule_counts_unique_prompts_by_first_appearance():
    """Repeated prompts change neither the shuffle of the unique ones nor their numbers' meaning."""
    names, benchmark, group = unique_prompts(10)
    plain = train_mask(names, benchmark, group, seed=42, rule="reference")
    shuffled_numbers = np.array([5, 3, 9, 0, 8, 1, 7, 2, 6, 4])
    repeated = np.concatenate([shuffled_numbers[:4], shuffled_numbers[:2], shuffled_numbers[4:], shuffled_numbers[:1]])
    mask = train_mask(names, np.zeros(13, np.int64), repeated, seed=42, rule="reference")
    assert mask[[0, 1, 2, 3, 6, 7, 8, 9, 10, 11]].tolist() == plain.tolist()
    assert mask[[4, 5, 12]].tolist() == plain[[0, 1, 0]].tolist()


def test_independent_splits_do_not_move_when_a_benchmark_is_added():
    names, benchmark, group = ["aime", "bbh"], np.repeat([0, 1], [60, 100]), np.arange(160)
    before = train_mask(names, benchmark, group, seed=42)
    more = ["aardvark", "aime", "bbh", "zebra"]
    after = train_mask(more, np.repeat([0, 1, 2, 3], [33, 60, 100, 5]), np.arange(198), seed=42)
    np.testing.assert_array_equal(after[33:193], before)
    moved = train_mask(more, np.repeat([0, 1, 2, 3], [33, 60, 100, 5]), np.arange(198), seed=42, rule="reference")
    assert (moved[33:193] != train_mask(names, benchmark, group, seed=42, rule="reference")).any()


def test_seeds_and_benchmarks_of_one_size_differ():
    names, benchmark, group = unique_prompts(50, 50)
    masks = [train_mask(names, benchmark, group, seed=seed) for seed in (42, 999)]
    assert (masks[0] != masks[1]).any()
    assert (masks[0][:50] != masks[0][50:]).any()
    np.testing.assert_array_equal(masks[0], train_mask(names, benchmark, group, seed=42))


def test_other_shares():
    assert train_mask(*unique_prompts(40), seed=1, train_share=0.0).sum() == 0
    assert train_mask(*unique_prompts(40), seed=1, train_share=1.0).all()


def test_an_unknown_rule_names_the_valid_ones():
    with pytest.raises(ValueError, match=r"'stratified'; valid: independent, reference"):
        train_mask(*unique_prompts(4), seed=1, rule="stratified")
