"""Routers find what is there and find nothing where nothing is."""

import numpy as np
import pytest
from worlds import avg_acc, noise, specialists, split, visible

from routers.best_single import BestSingle
from routers.dataset_oracle import DatasetOracle
from routers.router import choose, find, names

SPECIALISTS, NOISE = split(specialists()), split(noise())


def result(name, parts):
    train, test = parts
    router = find(name)().fit(train)
    return avg_acc(test, choose(router.predict(visible(test, router)))[-1])  # the last trade-off: accuracy alone


@pytest.mark.parametrize("name", ["knn", "avengers", "avengers_pro", "dataset_best"])
def test_specialists_are_found(name):
    train, test = SPECIALISTS
    ceiling = avg_acc(test, choose(DatasetOracle().fit(train).predict(test))[0])
    assert ceiling > 0.85
    assert result("best_single", SPECIALISTS) < 0.5
    assert result(name, SPECIALISTS) == pytest.approx(ceiling, abs=0.01)


@pytest.mark.parametrize("name", [name for name in names() if "score" not in find(name).inputs])
def test_noise_is_not_beaten(name):
    train, test = NOISE
    single = avg_acc(test, choose(BestSingle().fit(train).predict(test))[0])
    error = np.sqrt(2 * 0.25 / test.n_queries)  # of the difference between two independent choices
    assert abs(result(name, NOISE) - single) < 3 * error
