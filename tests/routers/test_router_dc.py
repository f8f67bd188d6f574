"""RouterDC's two losses against cases computed by hand, and what they do with ties and missing pairs."""

import numpy as np
import pytest
import torch

from routers.router import RouterError
from routers.router_dc import RouterDC, balanced, extremes, partners, sample_llm_loss, sample_sample_loss
from routers.text_networks import shape_of
from tests.tiny_encoder import encoder

LOG2 = float(np.log(2))
E1, E2 = float(np.log1p(np.exp(-1))), float(np.log1p(np.exp(-2)))  # -log of a share when ahead by 1 and by 2


def loss_of(similarity, score, n_good, n_bad, **options):
    score = np.array(score, dtype=float)
    good, bad = extremes(score, n_good, n_bad, np.random.default_rng(0))
    return float(sample_llm_loss(torch.tensor(similarity, dtype=torch.float64), score, good, bad, **options))


@pytest.mark.parametrize(
    ("similarity", "score", "n_good", "n_bad", "expected"),
    [
        ([[1.0, 0.0, -1.0]], [[1.0, 0.6, 0.0]], 1, 1, E2),
        ([[1.0, 0.0, -1.0]], [[1.0, 0.6, 0.0]], 2, 1, E2 + E1),  # each positive against the negatives alone
        ([[1.0, 0.0, -1.0]], [[1.0, 0.6, 0.6]], 1, 1, 0.0),  # the worst earned more than half: nothing to push
        ([[0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]], 1, 2, np.log(3)),
        ([[1.0, 0.0, -1.0], [5.0, 1.0, 2.0]], [[1.0, 0.6, 0.0], [0.0, 0.0, 0.0]], 1, 1, E2 / 2),  # all failed: no part
        ([[1.0, 0.0, -1.0]], [[1.0, np.nan, 0.0]], 2, 1, E2),  # a missing pair is neither
        ([[1.0, 0.0]], [[1.0, 0.4]], 2, 1, E1 + LOG2),  # 0 < s <= 0.5 is drawn and pushed
    ],
)
def test_sample_llm_loss(similarity, score, n_good, n_bad, expected):
    assert loss_of(similarity, score, n_good, n_bad) == pytest.approx(expected, rel=1e-6)


def test_the_mask_of_the_reference_averages_the_weights_apart():
    score = np.array([[1.0, 0.6, 0.0], [0.0, 0.0, 0.0]])
    good, bad = np.array([[0, 1], [0, 1]]), np.array([[2], [2]])
    similarity = torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    assert float(sample_llm_loss(similarity, score, good, bad)) == pytest.approx((E2 + E1) / 2)
    broadcast = float(sample_llm_loss(similarity, score, good, bad, broadcast_mask=True))
    assert broadcast == pytest.approx((E2 + LOG2) / 2 * 0.5 + (E1 + LOG2) / 2 * 0.5)


COSINE = [[1.0, 0.5, 0.0], [0.5, 1.0, -0.5], [0.0, -0.5, 1.0]]


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([1, 0, 2], [[2], [2], [0]], (np.log1p(np.exp(-0.5)) + 2 * E1) / 3),
        ([0, 1, 2], [[2], [2], [0]], (E1 + np.log1p(np.exp(-1.5)) + E1) / 3),  # each is its own partner: cosine 1
        ([1, 0, 2], [[-1], [-1], [-1]], 0.0),
        ([1, 0, 2], [[2, -1], [2, -1], [0, 1]],
         (np.log1p(np.exp(-0.5)) + E1 + np.log1p(np.exp(-1) + np.exp(-1.5))) / 3),
    ],
)  # fmt: skip
def test_sample_sample_loss(positive, negative, expected):
    loss = sample_sample_loss(torch.tensor(COSINE, dtype=torch.float64), np.array(positive), np.array(negative))
    assert float(loss) == pytest.approx(expected)


def test_gradients_against_finite_differences():
    rng = np.random.default_rng(0)
    score = np.where(rng.random((5, 6)) < 0.2, np.nan, rng.integers(3, size=(5, 6)) / 2)
    good, bad = extremes(score, 3, 3, rng)
    similarity = torch.tensor(rng.normal(size=(5, 6)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: sample_llm_loss(x, score, good, bad), similarity)
    cosine = torch.tensor(rng.normal(size=(5, 5)), requires_grad=True)
    positive, negative = partners(np.array([0, 0, 1, 1, 1]), 3, rng)
    assert torch.autograd.gradcheck(lambda x: sample_sample_loss(x, positive, negative), cosine)


def test_where_nothing_is_pushed_the_gradient_is_zero_and_not_nan():
    similarity = torch.zeros((1, 2), requires_grad=True)
    sample_llm_loss(similarity, np.array([[1.0, 1.0]]), np.array([[0]]), np.array([[1]])).backward()
    assert similarity.grad.abs().sum() == 0


def test_ties_are_drawn_evenly_and_missing_scores_come_last():
    rng = np.random.default_rng(0)
    score = np.tile([[1.0, 1.0, 0.0, 0.0, np.nan]], (4000, 1))
    good, bad = extremes(score, 1, 1, rng)
    assert set(np.unique(good)) == {0, 1}
    assert set(np.unique(bad)) == {2, 3}
    assert abs((good == 0).mean() - 0.5) < 0.04
    assert abs((bad == 2).mean() - 0.5) < 0.04
    good, bad = extremes(score, 5, 5, rng)
    assert (good[:, -1] == 4).all()
    assert (bad[:, -1] == 4).all()


def test_partners_are_of_the_own_cluster_and_all_others_of_other_clusters():
    cluster = np.array([0, 0, 0, 1, 1, 2])
    seen = set()
    for seed in range(50):
        positive, negative = partners(cluster, 4, np.random.default_rng(seed))
        assert (cluster[positive] == cluster).all()
        for row, others in enumerate(negative):
            there = others[others >= 0]
            assert len(set(there)) == len(there) == min(4, (cluster != cluster[row]).sum())
            assert (cluster[there] != cluster[row]).all()
        seen.add(int(positive[0]))
    assert seen == {0, 1, 2}


def test_benchmarks_are_brought_to_one_size():
    benchmark = np.array([0] * 3 + [1] * 50)
    rows = balanced(np.arange(53), benchmark, 20, seed=1)
    assert np.bincount(benchmark[rows]).tolist() == [20, 20]
    assert sorted(np.bincount(rows[benchmark[rows] == 0])) == [6, 7, 7]
    assert len(set(rows[benchmark[rows] == 1])) == 20
    assert balanced(np.arange(53), benchmark, 0, seed=1).tolist() == list(range(53))


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ({"encodr": "x"}, "training has no encodr; valid: .*encoder"),
        ({"pooling": "max"}, "training.pooling is 'max'; valid: first, last, mean"),
        ({"batch_size": 0}, "training.batch_size is 0"),
        ({"steps": 10.5}, "training.steps is 10.5; expected an integer of at least 1"),
        ({"zero_stage": 4}, "training.zero_stage is 4; valid: 0, 1, 2, 3"),
        ({"learning_rate": "fast"}, "training.learning_rate is 'fast'"),
    ],
)
def test_wrong_training_parameters_are_named(training, words):
    with pytest.raises(RouterError, match=f"router_dc: {words}"):
        RouterDC(training=training).plan()


@pytest.mark.slow
def test_the_size_of_an_unusual_encoder_is_looked_up():
    assert 30e9 < RouterDC().gpu_bytes(8) < 40e9
    assert RouterDC(training={"encoder": encoder()}).gpu_bytes(8) < 7e9
    assert shape_of("router_dc", encoder())[1:] == (16, 1)
    assert 4000 < shape_of("router_dc", encoder())[0] < 10_000
    with pytest.raises(RouterError, match="router_dc: /nowhere cannot be loaded"):
        RouterDC(training={"encoder": "/nowhere"}).gpu_bytes(8)
