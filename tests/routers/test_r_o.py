"""r_o(p): between Random and Oracle, by draws that belong to the query."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import noise, pool, rows, world

from routers.r_o import RO
from routers.router import RouterError, choose

NAN = np.nan
QUERIES = replace(noise(n_queries=1000), text=tuple(f"query {q}" for q in range(1000)))
ROW = np.arange(QUERIES.n_queries)


def chosen_score(p, seed=42):
    choice = choose(RO(p=p, seed=seed).fit(QUERIES).predict(QUERIES))[0]
    return QUERIES.score[ROW, choice].mean()


def test_one_is_the_oracle():
    assert chosen_score(1.0) == QUERIES.score.max(axis=1).mean()


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 0.9])
def test_expected_score(p):
    expected = p * QUERIES.score.max(axis=1).mean() + (1 - p) * QUERIES.score.mean()
    assert chosen_score(p) == pytest.approx(expected, abs=3 * 0.5 / np.sqrt(QUERIES.n_queries))


def test_models_are_drawn_evenly():
    choice = choose(RO(p=0.0).fit(QUERIES).predict(QUERIES))[0]
    share = np.bincount(choice, minlength=5) / QUERIES.n_queries
    np.testing.assert_allclose(share, 0.2, atol=4 * np.sqrt(0.16 / QUERIES.n_queries))


def test_the_draw_of_a_model_is_not_that_of_luck():
    sure = replace(QUERIES, score=np.tile([0.0, 0.0, 1.0, 0.0, 0.0], (1000, 1)))
    share = np.bincount(choose(RO(p=0.5).fit(sure).predict(sure))[0], minlength=5) / 1000
    np.testing.assert_allclose(share, [0.1, 0.1, 0.6, 0.1, 0.1], atol=4 * np.sqrt(0.24 / 1000))


def test_draws_belong_to_the_query_and_the_names_of_the_models():
    router = RO().fit(QUERIES)
    some = [7, 900, 3]
    np.testing.assert_array_equal(router.predict(rows(QUERIES, some)), router.predict(QUERIES)[:, some])
    order = [3, 1, 4, 0, 2]
    turned = pool(QUERIES, order)
    np.testing.assert_array_equal(RO().fit(turned).predict(turned), router.predict(QUERIES)[..., order])


def test_seeds_differ():
    one, two = (choose(RO(p=0.0, seed=seed).fit(QUERIES).predict(QUERIES)) for seed in (42, 999))
    assert 0.1 < (one == two).mean() < 0.3


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_a_missing_pair_is_never_chosen(p):
    score = np.where(np.random.default_rng(0).random(QUERIES.score.shape) < 0.5, NAN, QUERIES.score)
    score[score[:, 0] == 1] = NAN
    choice = choose(RO(p=p).fit(QUERIES).predict(replace(QUERIES, score=score)))[0]
    has_any = ~np.isnan(score).all(axis=1)
    assert 0 < has_any.sum() < len(has_any)
    assert not np.isnan(score[ROW, choice][has_any]).any()


def test_any_text_will_do():
    odd = world(np.eye(3), np.zeros(3), np.zeros((3, 1)))
    odd = replace(odd, text=("", "\ud800", "🙂"))
    assert choose(RO(p=1.0).fit(odd).predict(odd)).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("p", [-0.1, 1.1, 50, NAN])
def test_no_probability(p):
    with pytest.raises(RouterError, match="expected a probability, from 0 to 1"):
        RO(p=p).fit(QUERIES)
