"""RouteLLM's factorisation: the loss over pairs by hand, the pool, and the strong and the weak model."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import avg_acc, continuous, specialists, split, visible, world

from routers import training
from routers.routellm_mf import RouteLLMMF, in_a_pair, pair_loss, winners
from routers.router import RouterError, choose

torch = pytest.importorskip("torch")
NAN = np.nan
TRAIN, TEST = split(continuous())
UNTRAINED = {"epochs": 1, "learning_rate": 0.0, "select": "last"}
SHORT = {"epochs": 6}


def loss(delta, score, pairs):
    score = np.array(score, dtype=float)
    values = np.array(delta, dtype=float), winners(score, pairs), score
    total, n_pairs = pair_loss(*(training.tensor(value) for value in values))
    return float(total), int(n_pairs)


def cost_of(difference):
    return np.log1p(np.exp(-difference))


def test_loss_by_hand_leaves_ties_and_missing_scores_out():
    total, n_pairs = loss([[2.0, 0.5, -1.0, 7.0]], [[1, 0.5, 0.5, NAN]], "all")
    assert (total, n_pairs) == (pytest.approx(cost_of(1.5) + cost_of(3.0), rel=1e-6), 2)


def test_loss_counts_every_ordered_pair_once():
    total, n_pairs = loss([[0.0, 1.0, 3.0]], [[1, 0.5, 0]], "all")
    assert (total, n_pairs) == (pytest.approx(cost_of(-1) + cost_of(-3) + cost_of(-2), rel=1e-6), 3)


def test_pairs_of_the_best_only():
    total, n_pairs = loss([[0.0, 1.0, 3.0]], [[1, 0.5, 0]], "best")
    assert (total, n_pairs) == (pytest.approx(cost_of(-1) + cost_of(-3), rel=1e-6), 2)
    assert loss([[5.0, 1.0, 3.0]], [[1, 1, 0]], "best") == (pytest.approx(cost_of(2), rel=1e-6), 1)


def test_only_ties_make_no_pair():
    assert loss([[0.0, 1.0]], [[1, 1]], "all") == (0, 0)


@pytest.mark.parametrize(
    ("pairs", "score", "expected"),
    [
        ("all", [[1, 0, NAN, NAN], [NAN, NAN, 1, 1]], [0, 1]),
        ("all", [[1, 1, 0, NAN]], [0, 1, 2]),
        ("best", [[1, 1, 0, NAN]], [0, 2]),
        ("best", [[NAN, 0.5, 0.2, 0.1]], [1, 2, 3]),
        ("all", [[1, 1, NAN, NAN]], []),
    ],
)
def test_models_in_a_pair(pairs, score, expected):
    score = np.array(score, dtype=float)
    assert in_a_pair(winners(score, pairs), score).tolist() == expected


def test_delta_by_hand():
    utility = RouteLLMMF(dim=5, seed=3, **UNTRAINED).fit(TRAIN).predict(TEST)[0]
    rng = np.random.default_rng([3, 0])
    vector = rng.normal(size=(4, 5))
    projection, classifier = training.linear(rng, 12, 5)[0], training.linear(rng, 5, 1)[0][0]
    unit = np.sqrt((TRAIN.embedding.astype(float) ** 2).sum(axis=1).mean())
    for q, m in ((0, 0), (7, 2), (30, 3)):
        expected = classifier @ (vector[m] / np.linalg.norm(vector[m]) * (projection @ TEST.embedding[q] / unit))
        assert utility[q, m] == pytest.approx(expected, rel=1e-4)


def test_a_model_without_a_pair_is_not_chosen():
    score = TRAIN.score.copy()
    score[:40, 3], score[:40, :3] = 0.5, NAN  # the fourth model alone here, and missing elsewhere
    score[40:, 3] = NAN
    utility = RouteLLMMF(**SHORT).fit(replace(TRAIN, score=score)).predict(TEST)[0]
    assert np.isneginf(utility[:, 3]).all()
    assert np.isfinite(utility[:, :3]).all()


def test_nothing_but_ties_leaves_all_models():
    utility = RouteLLMMF(**SHORT).fit(replace(TRAIN, score=np.ones_like(TRAIN.score))).predict(TEST)
    assert np.isfinite(utility).all()


def test_noise_matters_in_training_only():
    one, other = (RouteLLMMF(noise=noise, **SHORT).fit(TRAIN) for noise in (0.0, 0.5))
    assert (one.predict(TEST) != other.predict(TEST)).any()
    np.testing.assert_array_equal(other.predict(TEST), other.predict(TEST))


# The binary form


def binary(**params):
    return RouteLLMMF(route="binary", **SHORT, **params)


def test_strong_is_the_best_by_benchmark_and_weak_the_cheapest_of_the_others():
    score = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]], dtype=float)
    cost = np.tile([5.0, 1.0, 3.0], (5, 1))
    train = world(score, np.array([0, 0, 1, 1, 1]), np.eye(5), cost)  # AvgAcc 1/2, 1/3, 5/12
    assert binary().fit(train).ends_ == (0, 1)
    assert binary(weak="model-c").fit(train).ends_ == (0, 2)
    assert binary(strong="model-b").fit(train).ends_ == (1, 2)
    assert binary(weak="model-a").fit(train).ends_ == (2, 0)
    cheap_best = replace(train, cost=np.tile([1.0, 5.0, 3.0], (5, 1)))
    assert binary().fit(cheap_best).ends_ == (0, 2)
    unpriced = replace(train, cost=np.tile([1.0, NAN, 3.0], (5, 1)))
    assert binary().fit(unpriced).ends_ == (0, 2)


def test_no_weak_model_says_what_to_set():
    unpriced = replace(TRAIN, cost=np.full_like(TRAIN.cost, NAN))
    with pytest.raises(RouterError, match="no other one has a known cost; set weak to one of model-a, model-b"):
        binary().fit(unpriced)
    binary(weak="model-a").fit(unpriced)


def test_a_model_that_is_not_there_lists_those_that_are():
    with pytest.raises(RouterError, match="weak is 'gpt'; valid: model-a, model-b, model-c, model-d"):
        binary(weak="gpt").fit(TRAIN)
    unscored = replace(TRAIN, score=np.where(np.arange(4) == 1, NAN, TRAIN.score))
    with pytest.raises(RouterError, match="strong is 'model-b'; valid: model-a, model-c, model-d"):
        binary(strong="model-b").fit(unscored)


def test_only_the_two_are_chosen_from_always_strong_to_always_weak():
    router = binary(n_trade_offs=11).fit(TRAIN)
    strong, weak = router.ends_
    choice = choose(router.predict(TEST))
    assert set(choice.ravel()) == {strong, weak}
    assert (choice[0] == strong).all()
    assert (choice[-1] == weak).all()
    share = (choice == weak).mean(axis=1)
    assert (np.diff(share) >= 0).all()
    np.testing.assert_array_equal(router.trade_offs(), np.arange(11) / 10)


def test_quantiles_are_the_shares_of_the_weak_model_among_training_queries():
    router = RouteLLMMF(route="binary", n_trade_offs=11, select="last", epochs=6).fit(TRAIN)
    share = (choose(router.predict(TRAIN)) == router.ends_[1]).mean(axis=1)
    np.testing.assert_allclose(share, router.trade_offs(), atol=0.5 / 10)


def test_even_thresholds_contain_a_half_where_the_higher_delta_decides():
    router = binary(thresholds="even", n_trade_offs=3).fit(TRAIN)
    strong, weak = router.ends_
    embedding, epoch = router.asked(TEST)
    delta = router.utility(epoch, embedding)
    expected = np.where(delta[:, strong] >= delta[:, weak], strong, weak)
    np.testing.assert_array_equal(choose(router.predict(TEST))[1], expected)


@pytest.mark.parametrize("strong", ["model-a", "model-d"])
def test_reaching_the_threshold_exactly_is_the_strong_models(strong):
    """All embeddings are zero, so both models have delta 0 and the strong one's chance is a half."""
    weak = "model-b"
    train, test = (replace(part, embedding=np.zeros_like(part.embedding)) for part in (TRAIN, TEST))
    router = binary(thresholds="even", n_trade_offs=3, strong=strong, weak=weak).fit(train)
    assert set(choose(router.predict(test))[1]) == {train.models.index(strong)}


def test_other_models_teach_nothing():
    router = binary(strong="model-a", weak="model-c").fit(TRAIN)
    other = replace(TRAIN, score=np.where(np.arange(4) % 2 == 1, 1 - TRAIN.score, TRAIN.score))
    np.testing.assert_array_equal(router.predict(TEST), router.clone().fit(other).predict(TEST))


def test_two_specialists_are_told_apart():
    train, test = split(specialists(n_benchmarks=2))
    router = RouteLLMMF(route="binary", thresholds="even", n_trade_offs=3).fit(train)
    single = max(avg_acc(test, np.full(test.n_queries, m)) for m in range(2))
    assert avg_acc(test, choose(router.predict(visible(test, router)))[1]) > single + 0.2


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"dim": 0}, "dim is 0; expected"),
        ({"pairs": "some"}, "pairs is 'some'; valid: all, best"),
        ({"route": "three"}, "route is 'three'; valid: pool, binary"),
        ({"thresholds": "odd"}, "thresholds is 'odd'; valid: quantile, even"),
        ({"route": "binary", "n_trade_offs": 1}, "n_trade_offs is 1; expected a number of at least 2"),
        ({"route": "binary", "strong": "model-a", "weak": "model-a"}, "no weak model beside model-a"),
    ],
)
def test_unusable_parameters(params, message):
    with pytest.raises(RouterError, match=message):
        RouteLLMMF(**SHORT, **params).fit(TRAIN)
