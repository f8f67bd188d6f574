"""Multilayer perceptron: scikit-learn's networks, shared by models or not."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, pool, split

from routers.mlp import MLP
from routers.router import choose

NAN = np.nan
TRAIN, TEST = split(continuous())
SHORT = {"max_iter": 20, "hidden_size": 8, "n_components": 0}


def reference(router, score):
    """scikit-learn's predictions for the test part of a network trained on the router's components."""
    from sklearn.neural_network import MLPRegressor

    known = ~np.isnan(score).reshape(len(score), -1).any(axis=1)
    x, y = (part.embedding / np.linalg.norm(part.embedding, axis=1, keepdims=True) for part in (TRAIN, TEST))
    network = MLPRegressor(
        hidden_layer_sizes=(router.hidden_size,) * router.n_layers, max_iter=router.max_iter, random_state=router.seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit((x @ router.axes_)[known], score[known])
    return network.predict(y @ router.axes_)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_network_per_model_is_the_reference(n_layers):
    score = np.where(np.random.default_rng(0).random(TRAIN.score.shape) < 0.3, NAN, TRAIN.score)
    router = MLP(per_model=True, n_layers=n_layers, **SHORT).fit(replace(TRAIN, score=score))
    utility = router.predict(TEST)[0]
    for m in range(4):
        np.testing.assert_allclose(utility[:, m], reference(router, score[:, m]), atol=1e-5)


def test_one_network_has_an_output_for_each_model():
    router = MLP(**SHORT).fit(TRAIN)
    assert len(router.networks_) == 1
    np.testing.assert_allclose(router.predict(TEST)[0], reference(router, TRAIN.score), atol=1e-5)


def test_models_that_miss_the_same_queries_share_a_network():
    missing = np.arange(TRAIN.n_queries)[:, None] < [0, 30, 0, 30]
    score = np.where(missing, NAN, TRAIN.score)
    router = MLP(**SHORT).fit(replace(TRAIN, score=score))
    assert [model.tolist() for model, _ in router.networks_] == [[1, 3], [0, 2]]
    utility = router.predict(TEST)[0]
    for pair in ([0, 2], [1, 3]):
        np.testing.assert_allclose(utility[:, pair], reference(router, score[:, pair]), atol=1e-5)


def test_order_of_the_models_does_not_matter_among_several_networks():
    missing = np.arange(TRAIN.n_queries)[:, None] < [0, 30, 0, 30]
    train = replace(TRAIN, score=np.where(missing, NAN, TRAIN.score))
    order = [3, 0, 2, 1]
    turned = MLP(**SHORT).fit(pool(train, order)).predict(pool(TEST, order))
    np.testing.assert_array_equal(turned, MLP(**SHORT).fit(train).predict(TEST)[..., order])


def test_a_model_without_a_score_has_no_network():
    train = replace(TRAIN, score=np.where(np.arange(4) == 2, NAN, TRAIN.score))
    router = MLP(**SHORT).fit(train)
    assert [model.tolist() for model, _ in router.networks_] == [[0, 1, 3]]
    assert np.isneginf(router.predict(TEST)[..., 2]).all()


def test_seeds_differ():
    one, two = (MLP(seed=seed, **SHORT).fit(TRAIN).predict(TEST) for seed in (42, 999))
    assert (one != two).all()


def test_components_are_of_the_training_part():
    router = MLP(n_components=5, max_iter=5).fit(TRAIN)
    assert router.axes_.shape == (12, 5)
    assert choose(router.predict(TEST)).shape == (1, TEST.n_queries)
