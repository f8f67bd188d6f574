"""What holds for every cascade: it pays for what it calls, and knows no answer that it has not paid for."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import answers, continuous, pool, rows, split, visible

from routers import calling
from routers.router import RouterError, choose, find
from scoring.metrics import choice_cost

QUERIES = continuous(n_queries=400)
PRICES = np.array([0.1, 0.2, 0.6, 1.0])
TRAIN, TEST = split(replace(QUERIES, score=QUERIES.score * [0.5, 0.6, 0.8, 1.0], cost=QUERIES.cost * PRICES))
CASCADES = {
    "frugalgpt": ("frugalgpt", {"n_trade_offs": 7}),
    "frugalgpt of three": ("frugalgpt", {"depth": 3, "n_trade_offs": 7}),
    "frugalgpt without answers": ("frugalgpt", {"scorer_input": "query", "n_trade_offs": 7}),
    "automix": (
        "automix",
        {"small": "model-a", "large": "model-d", "rule": "double_threshold", "n_verifications": 0.1},
    ),
}
every_cascade = pytest.mark.parametrize("name", CASCADES)


def fitted(name):
    router, params = CASCADES[name]
    return find(router)(**params).fit(TRAIN)


def routed(router, queries):
    choice = choose(router.predict(visible(queries, router)))
    return choice, choice_cost(queries.cost, choice, router.calls())


def was_called(router, choice):
    """Bool [n_trade_offs, n_queries, n_models]."""
    return np.take_along_axis(router.calls(), choice[..., None], axis=1) > 0


@every_cascade
def test_answers_of_models_that_were_not_called_change_nothing(name):
    router = fitted(name)
    utility, (choice, cost) = router.predict(TEST), routed(router, TEST)
    called = was_called(router, choice)
    assert not called.all(axis=2).all(), "some model is spared"
    # one trade-off at a time: what it did not call says something else, or nothing
    for trade_off, seen in enumerate(called):
        for other in (answers(1 - TEST.score), answers(np.zeros(TEST.score.shape)), ("" for _ in TEST.models)):
            lines = [[line] * TEST.n_queries if isinstance(line, str) else line for line in other]
            unseen = tuple(
                tuple(old if was else new for old, new, was in zip(TEST.answer[m], lines[m], seen[:, m], strict=True))
                for m in range(len(TEST.models))
            )
            changed = replace(TEST, answer=unseen)
            np.testing.assert_array_equal(router.predict(changed)[trade_off], utility[trade_off])
            np.testing.assert_array_equal(routed(router, changed)[1][trade_off], cost[trade_off])


@pytest.mark.parametrize("name", ["frugalgpt", "automix"])
def test_answers_of_models_that_were_called_matter(name):
    router = fitted(name)
    changed = replace(TEST, answer=answers(1 - TEST.score))
    assert (routed(router, changed)[0] != routed(router, TEST)[0]).any()


@every_cascade
def test_calls_include_the_answering_model_and_every_model_before_it(name):
    router = fitted(name)
    calls = router.calls()
    assert calls.shape == (len(router.trade_offs()), 4, 4)
    assert (np.diagonal(calls, axis1=1, axis2=2) >= 1).all()
    for per_model, cascade in zip(calls, getattr(router, "cascades_", []), strict=False):
        for place, m in enumerate(cascade.order):
            assert set(np.flatnonzero(per_model[m])) == set(cascade.order[: place + 1])


@every_cascade
def test_a_missing_answer_is_never_accepted_before_the_last_model(name):
    router = fitted(name)
    silent = replace(TEST, answer=tuple(("",) * TEST.n_queries for _ in TEST.models))
    choice, _ = routed(router, silent)
    if router.params().get("scorer_input") == "query":
        np.testing.assert_array_equal(choice, routed(router, TEST)[0])
    else:
        last = [c.order[-1] for c in router.cascades_] if name != "automix" else [3]
        np.testing.assert_array_equal(choice, np.repeat(np.array(last)[:, None], TEST.n_queries, axis=1))


def test_no_answers_are_asked_for_in_a_clear_line():
    with pytest.raises(RouterError, match="needs the answers"):
        fitted("frugalgpt").predict(replace(TEST, answer=None))
    with pytest.raises(RouterError, match="every answer is empty"):
        find("frugalgpt")().fit(replace(TRAIN, answer=tuple(("",) * TRAIN.n_queries for _ in TRAIN.models)))
    with pytest.raises(RouterError, match="4 models with 3 answers each"):
        fitted("automix").predict(replace(rows(TEST, [0, 1, 2]), answer=(("a",),) * 4))
    with pytest.raises(RouterError, match=r"no model 'x' in the pool; valid: model-a"):
        find("frugalgpt")(models=("x",)).fit(TRAIN)


def test_calls_along_an_order():
    calls = calling.calls_along([(2, 0), (1,)], 3)
    assert calls[0].tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert calls[1].tolist() == np.eye(3).tolist()


def test_accepted_model_is_the_best_even_with_a_mean_of_zero():
    utility = calling.accept(np.array([[2, 1]]), np.array([1.0, 0.5, 0.0, np.nan]))
    assert choose(utility).tolist() == [[2, 1]]
    assert utility[0, 0].tolist() == [1.0, 0.5, 2.0, -np.inf]


def test_budgets_are_in_equal_ratios_unless_something_is_free():
    np.testing.assert_allclose(calling.budgets(1.0, 100.0, 3), [1, 10, 100])
    np.testing.assert_allclose(calling.budgets(0.0, 100.0, 3), [0, 50, 100])


def test_permuted_pool_calls_the_same_models():
    order = [2, 0, 3, 1]
    router, other = fitted("frugalgpt"), find("frugalgpt")(n_trade_offs=7).fit(pool(TRAIN, order))
    np.testing.assert_array_equal(np.array(order)[routed(other, pool(TEST, order))[0]], routed(router, TEST)[0])
    np.testing.assert_array_equal(other.calls(), router.calls()[:, order][:, :, order])
