"""What the trained routers share: labels and losses by hand, which epoch counts, what may not depend on what."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from worlds import avg_acc, continuous, noise, pool, split, visible

from routers import training
from routers.mlp_r import MLPR
from routers.router import RouterError, choose, find

torch = pytest.importorskip("torch")
NAN = np.nan
TRAINED = ["embedllm", "graphrouter", "mlp_r", "routellm_mf"]
SHORT = {"epochs": 4, "patience": 2}
TRAIN, TEST = split(continuous())
every_trained = pytest.mark.parametrize("name", TRAINED)


def short(name, **params):
    return find(name)(**SHORT, **params)


@pytest.mark.parametrize(
    ("rule", "score", "expected"),
    [
        ("soft", [0.5, 0.2, NAN], [0.5, 0.2, NAN]),
        ("half", [0.5, 0.49, NAN], [1, 0, NAN]),
        ("near_best", [0.8, 0.77, 0.75, NAN], [1, 1, 0, NAN]),  # 95 % of 0.8 are 0.76
        ("near_best", [1, 0, 1, NAN], [1, 0, 1, NAN]),
        ("near_best", [0, 0, NAN], [0, 0, NAN]),
    ],
)
def test_labels(rule, score, expected):
    np.testing.assert_allclose(training.labels(rule, np.array([score])).numpy(), [expected])


def test_cross_entropy_leaves_missing_targets_out():
    logit, target = (torch.tensor(value) for value in ([[0.0, 2.0, 9.0]], [[0.25, 1.0, NAN]]))
    expected = (np.log(2) + np.log1p(np.exp(-2))) / 2
    total, n_terms = training.cross_entropy(logit, target)
    assert (float(total / n_terms), int(n_terms)) == (pytest.approx(expected, rel=1e-6), 2)
    assert [float(value) for value in training.cross_entropy(logit, torch.full((1, 3), NAN))] == [0, 0]


def test_network_by_hand():
    network = ((np.array([[1.0, -1.0]]), np.array([0.5])), (np.array([[2.0], [-1.0]]), np.array([1.0, -np.inf])))
    embedding = np.array([[1.0, 0.0], [0.0, 1.0]])  # hidden: 1.5, and -0.5, which ReLU makes 0
    assert training.forward(network, embedding).tolist() == [[4.0, -np.inf], [1.0, -np.inf]]


def pulled_down(now, rows):
    """A loss whose gradient is always the same."""
    return now["x"].sum(), torch.tensor(1)


def distance(schedule):
    """How far eight steps go: under a constant gradient each step of Adam is as long as the learning rate."""
    router = MLPR(epochs=8, learning_rate=0.01, select="last")
    network = training.descend(
        router, training.material(router, TRAIN), {"x": np.zeros((4, 12))}, pulled_down,
        lambda now: [(now["x"], now["x"][:, 0])], lambda output: None, batch_size=0, schedule=schedule,
    )  # fmt: skip
    return -float(network[0][-1][1][0])


def test_schedules_of_the_learning_rate():
    assert distance("constant") == pytest.approx(8 * 0.01, rel=1e-5)
    assert distance("cosine") == pytest.approx(4.5 * 0.01, rel=1e-5)  # sum of (1 + cos(pi k / 8)) / 2 over k = 0 … 7


@pytest.mark.parametrize(("select", "n_held_out"), [("val", 12), ("last", 0), ("test_peak", 0)])
def test_a_tenth_of_the_training_queries_chooses_the_epoch(select, n_held_out):
    data = training.material(MLPR(select=select), TRAIN)
    assert len(data.held_out.score) == n_held_out
    assert len(data.fit.score) == TRAIN.n_queries - n_held_out


def validated(values, patience):
    """Number of the epoch that counts, and of epochs trained, when the validation losses are these."""
    router = MLPR(epochs=len(values), learning_rate=1.0, patience=patience)
    losses = iter(values)
    network = training.descend(
        router, training.material(router, TRAIN), {"x": np.zeros((4, 12))}, pulled_down,
        lambda now: [(now["x"], now["x"][:, 0])],  # an epoch is a step of 1, so that x counts them
        lambda output: (torch.tensor(next(losses)), torch.tensor(1)), batch_size=0,
    )  # fmt: skip
    return round(-float(network[0][-1][1][0]), 3), len(values) - len(list(losses))


def test_the_lowest_validation_loss_counts_and_patience_ends_the_training():
    assert validated([3.0, 2.0, 2.5, 1.0, 1.5, 1.2, 0.0], patience=2) == (4, 6)
    assert validated([3.0, 2.0, 2.0, 1.0], patience=5) == (4, 4)
    assert validated([1.0, 1.0, 1.0], patience=5) == (1, 3)  # the first of equals


def test_a_validation_that_says_nothing_leaves_the_last_epoch():
    assert validated([NAN, NAN, NAN, NAN], patience=2) == (2, 2)


@every_trained
def test_test_peak_is_a_reference_and_the_others_are_not(name):
    assert not {"score", "cost", "benchmark"} & find(name)(select="val").inputs
    assert not {"score", "cost", "benchmark"} & find(name)(select="last").inputs
    assert {"score", "benchmark"} <= find(name)(select="test_peak").inputs


@every_trained
def test_test_peak_takes_the_best_epoch_on_the_queries_it_is_given(name):
    params = {"scenario": "pf"} if name == "graphrouter" else {}
    peak = short(name, select="test_peak", **params).fit(TRAIN)
    networks = peak.scenarios_[0] if name == "graphrouter" else peak.networks_
    assert len(networks) == SHORT["epochs"]
    accuracy = [avg_acc(TEST, training.forward(network, TEST.embedding).argmax(axis=1)) for network in networks]
    assert avg_acc(TEST, choose(peak.predict(visible(TEST, peak)))[0]) == max(accuracy)
    reversed_test = replace(TEST, score=1 - TEST.score)
    lowest = choose(peak.predict(visible(reversed_test, peak)))[0]
    assert avg_acc(TEST, lowest) == pytest.approx(min(accuracy))


def test_test_peak_without_scores_says_what_is_missing():
    with pytest.raises(RouterError, match="mlp_r: needs the score of every query and got none"):
        short("mlp_r", select="test_peak").fit(TRAIN).predict(replace(TEST, score=None))


def test_the_last_epoch_of_last_is_that_of_test_peak():
    last, peak = (short("mlp_r", select=select).fit(TRAIN) for select in ("last", "test_peak"))
    for one, other in zip(last.networks_[0], peak.networks_[-1], strict=True):
        np.testing.assert_array_equal(one[0], other[0])


@every_trained
def test_neither_torch_nor_its_threads_are_left_changed_or_matter(name):
    before, random_state = torch.get_num_threads(), torch.random.get_rng_state()
    utility = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        utility.append(short(name).fit(TRAIN).predict(TEST))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert torch.equal(random_state, torch.random.get_rng_state())
    np.testing.assert_array_equal(*utility)


@every_trained
def test_unit_of_the_embedding_does_not_matter(name):
    train, test = (replace(part, embedding=part.embedding * np.float32(1024)) for part in (TRAIN, TEST))
    router = short(name)
    np.testing.assert_allclose(router.fit(train).predict(test), router.clone().fit(TRAIN).predict(TEST), rtol=1e-5)


@every_trained
def test_zero_embeddings(name):
    train = replace(TRAIN, embedding=np.zeros_like(TRAIN.embedding))
    choose(short(name).fit(train).predict(TEST))


@every_trained
def test_a_model_added_without_scores_changes_nothing_for_the_others_choice(name):
    wider = pool(TRAIN, [0, 1, 2, 3, 3])
    wider = replace(wider, models=(*TRAIN.models, "model-unscored"))
    wider.score[:, 4] = NAN
    test = replace(pool(TEST, [0, 1, 2, 3, 3]), models=wider.models)
    utility = short(name).fit(wider).predict(test)
    assert np.isneginf(utility[..., 4]).all()
    assert np.isfinite(utility[..., :4]).all()


def test_a_learning_rate_that_is_too_high_is_named():
    with pytest.raises(RouterError, match="mlp_r: training diverged; lower learning_rate, it is 1e\\+30"):
        MLPR(learning_rate=1e30, **SHORT).fit(TRAIN)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"select": "best"}, "select is 'best'; valid: val, last, test_peak"),
        ({"epochs": 0}, "epochs is 0; expected a number of at least 1"),
        ({"patience": 0}, "patience is 0; expected a number of at least 1"),
        ({"learning_rate": -1}, "learning_rate is -1; expected a number of at least 0"),
    ],
)
@every_trained
def test_unusable_parameters(name, params, message):
    with pytest.raises(RouterError, match=message):
        find(name)(**params).fit(TRAIN)


def test_without_torch_the_message_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RouterError, match=r"torch cannot be imported .* pip install 'routeyard\[train\]'"):
        MLPR().fit(TRAIN)


def test_routing_needs_no_torch(monkeypatch):
    router = short("mlp_r").fit(TRAIN)
    expected = router.predict(TEST)
    monkeypatch.setitem(sys.modules, "torch", None)
    np.testing.assert_array_equal(router.predict(TEST), expected)


def test_noise_is_not_learned_by_heart():
    """On coin flips the lowest validation loss comes early: the network stays near the training means."""
    train, _ = split(noise(n_queries=300))
    by_heart, selected = (
        np.std(MLPR(epochs=40, learning_rate=3e-3, select=select).fit(train).predict(train))
        for select in ("last", "val")
    )
    assert selected < 0.3 < 1.0 < by_heart
