"""RouterEval's classifiers: a line, and what a line cannot do."""

import numpy as np
import pytest
from worlds import continuous, split, world

from routers.mlp_r import MLPR
from routers.router import RouterError, choose

pytest.importorskip("torch")
TRAIN, TEST = split(continuous())


def test_layers():
    def shapes(**params):
        return [weight.shape for weight, _ in MLPR(epochs=1, **params).fit(TRAIN).networks_[0]]

    assert shapes(hidden=7, n_hidden=2) == [(7, 12), (7, 7), (4, 7)]
    assert shapes(n_hidden=0) == [(4, 12)]


def test_a_line_cannot_tell_the_corners_of_a_square_apart_and_a_perceptron_can():
    corner = np.tile([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]], (40, 1))
    is_even = corner.prod(axis=1) > 0
    train = world(np.stack([is_even, ~is_even], axis=1).astype(float), np.zeros(160), corner)

    def share_right(n_hidden):
        router = MLPR(hidden=32, n_hidden=n_hidden, learning_rate=0.01).fit(train)
        return (choose(router.predict(train))[0] == ~is_even).mean()

    assert share_right(2) == 1.0
    assert share_right(0) < 0.8


@pytest.mark.parametrize(("labels", "expected"), [("soft", [0.3, 0.8]), ("half", [0, 1]), ("near_best", [0, 1])])
def test_labels(labels, expected):
    train = world(np.tile([0.3, 0.8], (90, 1)), np.zeros(90), np.ones((90, 2)))
    router = MLPR(n_hidden=0, labels=labels, learning_rate=0.1, epochs=40, batch_size=16).fit(train)
    np.testing.assert_allclose(1 / (1 + np.exp(-router.predict(train)[0, 0])), expected, atol=0.05)


def test_one_query_per_step_as_the_reference():
    choose(MLPR(n_hidden=0, learning_rate=0.01, epochs=2, batch_size=1).fit(TRAIN).predict(TEST))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden": 0}, "hidden is 0; expected"),
        ({"n_hidden": -1}, "n_hidden is -1; expected"),
        ({"labels": "hard"}, "labels is 'hard'; valid: soft, half, near_best"),
    ],
)
def test_unusable_parameters(params, message):
    with pytest.raises(RouterError, match=message):
        MLPR(**params).fit(TRAIN)
