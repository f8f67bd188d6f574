"""HybridLLM on embeddings: its pair, its labels, its thresholds."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import avg_acc, split, visible, world

from routers.hybrid_llm_mlp import HybridLLMMLP
from routers.router import RouterError, choose


def halves(n_queries=600, seed=0):
    """The small model solves the queries on one side, the large one nearly all, a third one nothing."""
    rng = np.random.default_rng(seed)
    embedding = rng.normal(size=(n_queries, 6))
    chance = np.stack([0.05 + 0.9 * (embedding[:, 0] > 0), np.full(n_queries, 0.9), np.zeros(n_queries)], axis=1)
    cost = np.tile([0.1, 1.0, 0.5], (n_queries, 1))
    return world(rng.random(chance.shape) < chance, np.arange(n_queries) % 3, embedding, cost)


TRAIN, TEST = split(halves())


@pytest.mark.parametrize("label", ["det", "prob", "trans"])
def test_half_of_the_queries_for_the_large_model_are_the_right_half(label):
    router = HybridLLMMLP(label=label, max_iter=60).fit(TRAIN)
    choice = choose(router.predict(visible(TEST, router)))
    assert avg_acc(TEST, choice[50]) > 0.85 > avg_acc(TEST, choice[0]) + 0.3
    assert (choice[50] == 1).mean() == pytest.approx(0.5, abs=0.12)


def test_trade_off_is_the_share_of_the_large_model():
    router = HybridLLMMLP(max_iter=30, n_trade_offs=11).fit(TRAIN)
    choice = choose(router.predict(visible(TEST, router)))
    share = (choice == 1).mean(axis=1)
    assert share[0] == 0
    assert share[-1] == 1
    assert (np.diff(share) >= 0).all()
    np.testing.assert_allclose(share, router.trade_offs(), atol=0.12)
    assert not (choice == 2).any()


@pytest.mark.parametrize("models", [(0, 1), (1, 0)], ids=["small first", "large first"])
def test_a_prediction_at_the_threshold_goes_to_the_small_model(models):
    """Equal embeddings have equal predictions, so every quantile is one of them."""
    train = replace(TRAIN, embedding=np.ones_like(TRAIN.embedding))
    names = [train.models[m] for m in models]
    router = HybridLLMMLP(small=names[0], large=names[1], max_iter=2, n_trade_offs=3).fit(train)
    choice = choose(router.predict(replace(TEST, embedding=np.ones_like(TEST.embedding))))
    assert choice[:, 0].tolist() == [models[0], models[0], models[1]]


def test_pair_is_the_cheapest_and_the_best_unless_named():
    assert HybridLLMMLP(max_iter=1).fit(TRAIN).pair_ == (0, 1)
    assert HybridLLMMLP(small="model-c", large="model-a", max_iter=1).fit(TRAIN).pair_ == (2, 0)


@pytest.mark.parametrize(
    ("params", "column", "message"),
    [
        ({"small": "model-x"}, {}, "no model 'model-x' in the pool"),
        ({}, {"cost": np.full(TRAIN.cost.shape, np.nan)}, "name it in `small`"),
        (
            {"large": "model-b"},
            {"score": np.where([False, True, False], np.nan, TRAIN.score)},
            "model-b has no training",
        ),
        ({"label": "soft"}, {}, "valid: det, prob, trans"),
    ],
)
def test_what_cannot_be_used_is_named(params, column, message):
    with pytest.raises(RouterError, match=message):
        HybridLLMMLP(**params).fit(replace(TRAIN, **column))
