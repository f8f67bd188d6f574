"""AutoMix: lift and zones against hand-computed cases, then what the whole router does."""

from dataclasses import replace

import numpy as np
import pytest
from test_frugalgpt import two_models
from worlds import avg_acc, split, visible

from routers.automix import RULES, AutoMix, best_zones, escalates, lift
from routers.router import RouterError, choose
from scoring.metrics import choice_cost

TRAIN, TEST = split(two_models())
P_VER = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])


def test_lift_of_a_mix():
    assert lift(0.7, 20.0, (0.5, 1.0), (0.8, 50.0)) == pytest.approx(0.7193, abs=5e-5)
    assert lift(0.5, 2.0, (0.5, 1.0), (0.8, 50.0)) == -1.0, "verified for nothing"
    assert lift(0.5, 1.0, (0.5, 1.0), (0.8, 50.0)) == -np.inf


def test_zones_are_closed_and_a_missing_answer_is_always_escalated():
    p_ver = np.array([-np.inf, 0.1, 0.2, 0.5, 0.6])
    assert escalates(p_ver, ((0.2, 0.5),)).tolist() == [True, False, True, True, False]
    assert escalates(p_ver, ()).tolist() == [True, False, False, False, False]


def score_where(*needy):
    """The large model is always right, the small one but where it is needy."""
    return np.stack([[float(i not in needy) for i in range(8)], np.ones(8)], axis=1)


@pytest.mark.parametrize(
    ("rule", "score", "asked"),
    [
        ("threshold", score_where(0, 1, 2), [0, 1, 2]),
        ("self_consistency", score_where(0, 1), [0, 1, 2, 3]),
        ("double_threshold", score_where(2, 3), [2, 3]),
        ("triple_threshold", score_where(0, 1, 4, 5), [0, 1, 4, 5]),
        ("pomdp", score_where(2, 3, 6), [2, 3, 6]),
        ("union", score_where(2, 3, 6), [2, 3, 6]),
    ],
)
def test_zones_of_a_rule(rule, score, asked):
    cost = np.tile([1.0, 10.0], (8, 1))
    zones = best_zones(rule, 8 if rule == "pomdp" else 7, P_VER, score, cost, 1)
    if rule in ("pomdp", "union"):
        assert set(np.flatnonzero(escalates(P_VER, zones))) >= {2, 3}
    else:
        assert np.flatnonzero(escalates(P_VER, zones)).tolist() == asked


def test_dear_verification_makes_it_ask_more_often():
    score = score_where(0, 1, 2)
    score[2, 0] = 0.9
    cost = np.tile([1.0, 10.0], (8, 1))
    asked = [escalates(P_VER, best_zones("threshold", 7, P_VER, score, cost, n)).sum() for n in (0, 100)]
    assert asked[0] < asked[1] == 3


@pytest.mark.parametrize(
    ("score", "cost"),
    [(score_where()[:, ::-1], [1.0, 10.0]), (score_where(0), [10.0, 1.0]), (score_where(), [1.0, 10.0])],
)
def test_where_large_is_not_better_or_not_dearer_there_is_nothing_to_mix(score, cost):
    assert best_zones("threshold", 7, P_VER, score, np.tile(cost, (8, 1)), 1) is None


@pytest.mark.parametrize("rule", RULES)
def test_a_small_model_that_knows_when_it_is_wrong_is_relieved(rule):
    router = AutoMix(rule=rule).fit(TRAIN)
    choice = choose(router.predict(visible(TEST, router)))
    assert avg_acc(TEST, choice[0]) > TEST.score[:, 0].mean() + 0.25
    assert (choice[0] == (TEST.score[:, 0] == 0)).mean() > 0.9, "up to a bin"


def test_verification_is_paid_for_with_every_answer_of_the_small_model():
    router = AutoMix(n_verifications=3).fit(TRAIN)
    choice = choose(router.predict(visible(TEST, router)))
    cost = choice_cost(TEST.cost, choice, router.calls())
    np.testing.assert_allclose(cost[0], np.where(choice[0] == 1, 4 * 0.1 + 1.0, 4 * 0.1))


def test_nothing_is_verified_where_nothing_is_mixed():
    worse = replace(TRAIN, score=TRAIN.score[:, ::-1].copy())
    router = AutoMix(small="model-a", large="model-b").fit(worse)
    assert (choose(router.predict(TEST)) == 0).all()
    assert router.calls().tolist() == np.eye(2)[None].tolist()


def test_pair_without_a_common_query_is_named():
    score = TRAIN.score.copy()
    score[::2, 0] = score[1::2, 1] = np.nan
    with pytest.raises(RouterError, match="both model-a and model-b"):
        AutoMix().fit(replace(TRAIN, score=score))
