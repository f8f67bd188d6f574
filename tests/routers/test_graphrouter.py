"""GraphRouter: labels, messages and normalisation by hand, then the whole pass, then costs and benchmarks."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import continuous, rows, split, visible, world

from routers import training
from routers.graphrouter import GraphRouter, best_of, convolve, normalise
from routers.router import RouterError, choose

torch = pytest.importorskip("torch")
NAN = np.nan
TRAIN, TEST = split(continuous())
SHORT = {"epochs": 6, "patience": 3}
UNTRAINED = {"epochs": 1, "learning_rate": 0.0, "weight_decay": 0.0, "select": "last"}


@pytest.mark.parametrize(
    ("cost_weight", "expected"),
    [(0.0, [1, 1, 0]), (0.5, [0, 1, 0]), (0.8, [0, 1, 0])],
)
def test_published_labels(cost_weight, expected):
    score, cost = np.array([[1.0, 1.0, 0.0]]), np.array([[0.8, 0.1, 0.0]])
    assert best_of((1 - cost_weight) * score - cost_weight * cost)[0].tolist() == expected


@pytest.mark.parametrize(
    ("utility", "expected"),
    [
        ([0, 0, 0], [1, 1, 1]),  # nobody is right: everybody is best
        ([0.3, 0.1 + 0.2, 0.29], [1, 1, 0]),  # equal up to rounding
        ([1.0, 1 - 0.9e-5, 1 - 1.1e-5], [1, 1, 0]),
        ([NAN, 0.2, -0.1], [NAN, 1, 0]),
        ([-0.5, -0.4, NAN], [0, 1, NAN]),
    ],
)
def test_labels_are_all_that_reach_the_best(utility, expected):
    np.testing.assert_array_equal(best_of(np.array([utility])), [expected])


def messages(query, model, edge, visible, weight, bias, edge_weight, edge_bias, aggregation):
    """The convolution by its formula, one edge at a time."""
    out = np.array(model, dtype=float)
    for m in range(len(model)):
        sent = [
            weight @ query[q] + bias + edge_weight @ edge[q][m] + edge_bias for q in range(len(query)) if visible[q][m]
        ]
        if sent:
            out[m] += np.sum(sent, axis=0) if aggregation == "sum" else np.mean(sent, axis=0)
    return out


@pytest.mark.parametrize(
    ("aggregation", "expected"), [("sum", [[14.75, 103.5], [20, -1]]), ("mean", [[12.375, 51.75], [20, -1]])]
)
def test_messages_of_two_queries_to_two_models_by_hand(aggregation, expected):
    """To the first model: (1 + 1/4, 10 + 1/2) and (2 + 1/2, 91 + …); none to the second, which stays as it is."""
    query, model = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[10.0, 0.0], [20.0, -1.0]])
    edge = np.array([[[1.0, 0, 0], [9, 9, 9]], [[0, 1.0, 0], [9, 9, 9]]])
    visible = np.array([[1, 0], [1, 0]])
    weight, bias = np.array([[1.0, 2.0], [10.0, 90.0]]), np.array([0.25, 0.5])
    edge_weight, edge_bias = np.array([[0.5, 0.25, 0.0], [1.0, 0.5, 0.0]]), np.array([0.25, 0.5])
    layers = weight, bias, edge_weight, edge_bias
    by_hand = messages(query, model, edge, visible, *layers, aggregation)
    tensors = [training.tensor(value) for value in (query, model, edge, visible[None], *layers)]
    result = convolve(*tensors[:4], tuple(tensors[4:6]), tuple(tensors[6:]), aggregation)[0].numpy()
    np.testing.assert_allclose(by_hand, expected)
    np.testing.assert_allclose(result, expected)


@pytest.mark.parametrize("aggregation", ["sum", "mean"])
def test_messages_on_random_graphs(aggregation):
    rng = np.random.default_rng(0)
    query, model, edge = rng.normal(size=(9, 4)), rng.normal(size=(3, 4)), rng.normal(size=(9, 3, 3))
    visible = rng.random((5, 9, 3)) < 0.5
    layers = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=(4, 3)), rng.normal(size=4)
    tensors = [training.tensor(value) for value in (query, model, edge, visible, *layers)]
    result = convolve(*tensors[:4], tuple(tensors[4:6]), tuple(tensors[6:]), aggregation).numpy()
    for graph in range(5):
        expected = messages(query, model, edge, visible[graph], *layers, aggregation)
        np.testing.assert_allclose(result[graph], expected, rtol=1e-4, atol=1e-4)


def test_normalisation_is_that_of_torch_over_all_nodes_of_a_graph():
    rng = np.random.default_rng(1)
    query, model, scale, shift = (training.tensor(rng.normal(size=size)) for size in ((9, 4), (5, 3, 4), (4,), (4,)))
    reference = torch.nn.BatchNorm1d(4)
    reference.weight.data, reference.bias.data = scale, shift
    result = normalise(query, model, scale, shift)
    for graph in range(5):
        expected = reference(torch.cat([query, model[graph]])).detach()
        np.testing.assert_allclose(torch.cat([part[graph] for part in result]), expected, rtol=1e-4, atol=1e-5)


def test_the_whole_pass_by_hand():
    """What an untrained router says of a query is the product of its features with two rounds of messages."""
    train = replace(TRAIN, score=np.where(np.arange(TRAIN.score.size).reshape(-1, 4) % 5 == 0, NAN, TRAIN.score))
    router = GraphRouter(scenario="bl", aggregation="sum", dim=3, seed=5, **UNTRAINED).fit(train)
    now = {name: np.float64(np.float32(value)) for name, value in router._start(4, 12).items()}
    unit = np.sqrt((train.embedding.astype(float) ** 2).sum(axis=1).mean())
    query = train.embedding / unit @ now["query"].T + now["query, bias"]
    low, high = (
        np.array([pick(np.where(np.isnan(train.score), NAN, train.cost)[train.benchmark == b]) for b in range(3)])
        for pick in (np.nanmin, np.nanmax)
    )
    cost = (train.cost - low[train.benchmark][:, None]) / (high - low)[train.benchmark][:, None]
    feature = np.stack([0.5 * train.score - 0.5 * cost, cost, train.score], axis=2)
    edge = np.maximum(feature @ now["edge"].T + now["edge, bias"], 0)
    hidden, model = query, now["model"]
    for turn in "12":
        parts = [now[f"{name} {turn}{of}"] for name in ("message", "edge message") for of in ("", ", bias")]
        model = messages(hidden, model, edge, ~np.isnan(train.score), *parts, "sum")
        nodes = np.concatenate([hidden, model])
        nodes = (nodes - nodes.mean(axis=0)) / np.sqrt(nodes.var(axis=0) + 1e-5)
        nodes = np.maximum(nodes, 0) if turn == "1" else nodes
        hidden, model = nodes[:-4], nodes[-4:]
    test_query = TEST.embedding / unit @ now["query"].T + now["query, bias"]
    np.testing.assert_allclose(router.predict(TEST)[0], test_query @ model.T / 6, rtol=1e-3, atol=1e-4)


def test_three_scenarios_are_three_trade_offs_and_one_is_none():
    assert GraphRouter().trade_offs().tolist() == [0.0, 0.5, 0.8]
    assert np.isnan(GraphRouter(scenario="bl").trade_offs()).all()
    together = GraphRouter(**SHORT).fit(TRAIN).predict(TEST)
    for number, scenario in enumerate(("pf", "bl", "cf")):
        alone = GraphRouter(scenario=scenario, **SHORT).fit(TRAIN).predict(TEST)
        np.testing.assert_array_equal(alone[0], together[number])


def test_the_more_cost_weighs_the_less_is_spent():
    """Four models, each right a little more often than the one before it, and twice as expensive."""
    rng = np.random.default_rng(3)
    n = 300
    score = rng.random((n, 4)) < [0.5, 0.6, 0.7, 0.8]
    train = world(score, np.arange(n) % 2, rng.normal(size=(n, 5)), np.tile([1.0, 2.0, 4.0, 8.0], (n, 1)))
    choice = choose(GraphRouter().fit(train).predict(train))
    spent = train.cost[np.arange(n), choice].mean(axis=1)
    assert spent[0] > 6
    assert spent[2] <= spent[1] < spent[0]
    assert spent[2] < 1.5


COST = np.array([[1.0, 3.0], [2.0, NAN], [10.0, 10.0], [10.0, 10.0], [NAN, NAN]])


def normalised(cost, benchmark):
    train = world(np.tile([0.0, 1.0], (5, 1)), np.array([2, 2, 5, 5, 7]), np.eye(5), COST)
    return GraphRouter(**SHORT).fit(train)._normalised(np.array(cost), np.array(benchmark)).tolist()


def test_costs_are_normalised_within_their_benchmark():
    assert normalised([[1.0, 3.0], [2.0, NAN]], [2, 2]) == [[0.0, 1.0], [0.5, 1.0]]


def test_equal_costs_are_all_cheap_and_unknown_ones_all_dear():
    assert normalised([[10.0, 10.0], [NAN, NAN]], [5, 7]) == [[0.0, 0.0], [1.0, 1.0]]


def test_a_benchmark_that_training_did_not_see_or_price_is_dear():
    assert normalised([[1.0, 3.0], [1.0, 3.0]], [3, 9]) == [[1.0, 1.0]] * 2
    assert normalised([[1.0, 3.0]], [7]) == [[1.0, 1.0]]


def test_the_cost_of_a_pair_without_score_does_not_count():
    score = TRAIN.score.copy()
    score[3, 1] = NAN
    cost = TRAIN.cost.copy()
    cost[3, 1] = 1e6
    one, other = (GraphRouter(**SHORT).fit(replace(TRAIN, score=score, cost=c)) for c in (cost, TRAIN.cost))
    np.testing.assert_array_equal(one.predict(TEST), other.predict(TEST))


def test_no_cost_at_all_is_refused_unless_it_has_no_weight():
    unpriced = replace(TRAIN, cost=np.full_like(TRAIN.cost, NAN))
    with pytest.raises(RouterError, match="no cost of the training queries is known; give the models prices, or set"):
        GraphRouter(**SHORT).fit(unpriced)
    choose(GraphRouter(scenario="pf", **SHORT).fit(unpriced).predict(TEST))


def test_only_a_router_that_is_told_the_benchmark_asks_for_it():
    assert GraphRouter().inputs == {"embedding"}
    assert GraphRouter(task="told").inputs == {"embedding", "benchmark"}
    assert GraphRouter(select="test_peak").inputs == {"embedding", "score", "cost", "benchmark"}


def test_a_router_that_is_told_the_benchmark_uses_it():
    router = GraphRouter(task="told", **SHORT).fit(TRAIN)
    other = replace(TEST, benchmark=(TEST.benchmark + 1) % 3)
    assert (router.predict(TEST) != router.predict(other)).any()
    unseen = replace(TEST, benchmark=np.full(TEST.n_queries, 99))
    choose(router.predict(unseen))
    with pytest.raises(RouterError, match="needs the benchmark of every query"):
        router.predict(replace(TEST, benchmark=None))


def test_half_of_the_features_are_the_benchmarks():
    """Two benchmarks with the same queries and opposite specialists: only the benchmark can tell them apart."""
    rng = np.random.default_rng(4)
    benchmark = np.arange(200) % 2
    embedding = rng.normal(size=(200, 6)) + np.where(benchmark == 1, 0.5, -0.5)[:, None]
    train = world(benchmark[:, None] == [0, 1], benchmark, embedding)
    router = GraphRouter(scenario="pf", task="told").fit(train)
    same = replace(train, embedding=np.zeros_like(train.embedding))
    np.testing.assert_array_equal(choose(router.predict(visible(same, router)))[0], benchmark)


def test_test_peak_of_the_scenarios_looks_at_utility():
    router = GraphRouter(select="test_peak", **SHORT).fit(TRAIN)
    utility = router.predict(visible(TEST, router))
    cost = router._normalised(TEST.cost, TEST.benchmark)
    for number, weight in enumerate((0.0, 0.5, 0.8)):
        reward = (1 - weight) * TEST.score - weight * cost
        every = [training.forward(network, TEST.embedding.astype(float)) for network in router.scenarios_[number]]
        np.testing.assert_array_equal(utility[number], every[training.peak(every, reward, TEST.benchmark)])


@pytest.mark.parametrize("aggregation", ["sum", "mean"])
def test_one_training_query(aggregation):
    choose(GraphRouter(aggregation=aggregation, **SHORT).fit(rows(TRAIN, [0])).predict(TEST))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scenario": "cheap"}, "scenario is 'cheap'; valid: all, pf, bl, cf"),
        ({"task": "text"}, "task is 'text'; valid: none, told"),
        ({"aggregation": "max"}, "aggregation is 'max'; valid: mean, sum"),
        ({"n_masks": 0}, "n_masks is 0; expected"),
    ],
)
def test_unusable_parameters(params, message):
    with pytest.raises(RouterError, match=message):
        GraphRouter(**params).fit(TRAIN)
