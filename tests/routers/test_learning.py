"""Routers find what is there and find nothing where nothing is."""

import numpy as np
import pytest
from worlds import accuracy, avg_acc, noise, specialists, split

from routers.best_single import BestSingle
from routers.dataset_oracle import DatasetOracle
from routers.router import choose, find, names
from tests.tiny_encoder import make, marked, tiny_training

SPECIALISTS, NOISE = split(specialists()), split(noise())
TRAINED = ["embedllm", "graphrouter", "mlp_r", "routellm_mf"]


def result(name, parts, **parameters):
    train, test = parts
    return accuracy(make(name, **parameters).fit(train), train, test)


CLOSED_FORM = ["linear", "carrot", "irt", "svm", "mlp", "routellm_sw"]


@pytest.mark.parametrize("name", ["knn", "avengers", "avengers_pro", "dataset_best", *CLOSED_FORM, *TRAINED])
def test_specialists_are_found(name):
    train, test = SPECIALISTS
    ceiling = avg_acc(test, choose(DatasetOracle().fit(train).predict(test))[0])
    assert ceiling > 0.85
    assert result("best_single", SPECIALISTS) < 0.5
    assert result(name, SPECIALISTS) == pytest.approx(ceiling, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameters"), [("router_dc", {"top_k": 1, "per_benchmark": 0}), ("mlc", {})])
def test_specialists_are_found_from_the_text_alone(name, parameters):
    world = train, test = split(specialists(2000))  # with fewer, the number of threads decides which step looks best
    ceiling = avg_acc(test, choose(DatasetOracle().fit(train).predict(test))[0])
    plan = {"steps": 400, "patience": 100, "batch_size": 64, "micro_batch": 32, "evaluate_every": 25}
    training = tiny_training(**plan, learning_rate=3e-2)
    found = result(name, world, training=training, **parameters)
    assert found == pytest.approx(ceiling, abs=0.01)


@pytest.mark.parametrize("name", marked([name for name in names() if "score" not in find(name)().inputs]))
def test_noise_is_not_beaten(name):
    train, test = NOISE
    single = avg_acc(test, choose(BestSingle().fit(train).predict(test))[0])
    error = np.sqrt(2 * 0.25 / test.n_queries)  # of the difference between two independent choices
    assert abs(result(name, NOISE) - single) < 3 * error
