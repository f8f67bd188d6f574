"""What every router keeps: tested on all that are found, so a new one is tested on the day it is written."""

import copy
import inspect
import pickle
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from worlds import COLUMNS, continuous, pool, rows, split, visible

from routers.router import RouterError, choose, find, names
from tests.tiny_encoder import every_name, make, marked, reads_text

ROOT = Path(__file__).parents[2]
TRAIN, TEST = split(continuous())

every_router = pytest.mark.parametrize("name", every_name())
contestants = pytest.mark.parametrize("name", marked([name for name in names() if "score" not in find(name)().inputs]))
# a router that declares no input sees nothing of a query but its position in the call
informed = pytest.mark.parametrize("name", marked([name for name in names() if find(name)().inputs]))
informed_contestants = pytest.mark.parametrize(
    "name", marked([name for name in names() if find(name)().inputs and "score" not in find(name)().inputs])
)


@cache
def fitted(name):
    return make(name).fit(TRAIN)


def predictions(router, queries=TEST):
    return router.predict(visible(queries, router))


@every_router
def test_name_is_the_file_name_and_inputs_are_columns(name):
    router = find(name)()
    assert router.name == name
    assert isinstance(router.inputs, frozenset)
    assert router.inputs <= set(COLUMNS)


@every_router
def test_constructor_stores_its_keyword_arguments_and_does_nothing_else(name):
    parameters = inspect.signature(find(name)).parameters
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters.values())
    assert parameters["seed"].default == 42
    marks = {parameter: object() for parameter in parameters}
    assert vars(find(name)(**marks)) == marks


@every_router
def test_clone_has_equal_parameters_and_nothing_learned(name):
    router = fitted(name)
    clone = router.clone()
    assert type(clone) is type(router)
    assert clone.params() == router.params() == vars(clone)


@every_router
def test_what_was_learned_ends_in_an_underscore(name):
    router = fitted(name)
    assert all(key.endswith("_") for key in set(vars(router)) - set(router.params()))


@every_router
def test_yaml_has_the_same_name_parameters_and_defaults(name):
    config = OmegaConf.to_container(OmegaConf.load(ROOT / f"configs/router/{name}.yaml"))
    assert set(config) == {"name", "params"}
    assert config["name"] == name
    parameters = {p.name: p for p in inspect.signature(find(name)).parameters.values() if p.name != "seed"}
    assert list(config["params"]) == list(parameters)
    for key, parameter in parameters.items():
        defaults = find(name).defaults if key == "training" else parameter.default
        assert defaults in (config["params"][key], parameter.empty), key


@every_router
def test_fit_returns_itself_and_leaves_data_and_parameters_alone(name):
    train = copy.deepcopy(TRAIN)
    router = make(name)
    before = router.params()
    assert router.fit(train) is router
    assert router.params() == before
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(train, column), getattr(TRAIN, column))


@every_router
def test_shape_and_type_of_utilities(name):
    router = fitted(name)
    utility, trade_offs = predictions(router), router.trade_offs()
    assert utility.dtype == np.float64
    assert utility.shape == (len(trade_offs), TEST.n_queries, len(TEST.models))
    assert utility.flags.writeable
    assert choose(utility).shape == utility.shape[:2]
    assert np.isnan(trade_offs).all() if len(trade_offs) == 1 else (np.diff(trade_offs) > 0).all()


@every_router
def test_equal_seeds_give_equal_utilities_and_predicting_changes_nothing(name):
    again = make(name).fit(TRAIN)
    first = predictions(fitted(name))
    np.testing.assert_array_equal(first, predictions(again))
    np.testing.assert_array_equal(first, predictions(again))


@every_router
def test_the_global_random_generator_is_left_alone(name):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    predictions(make(name).fit(TRAIN))
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@every_router
def test_columns_that_were_not_declared_do_not_matter(name):
    router = fitted(name)
    np.testing.assert_array_equal(predictions(router), router.predict(TEST))


@contestants
def test_scores_and_costs_of_the_test_part_do_not_matter(name):
    shuffled = np.random.default_rng(5).permutation(TEST.n_queries)
    other = replace(TEST, score=TEST.score[shuffled], cost=TEST.cost[shuffled])
    np.testing.assert_array_equal(fitted(name).predict(TEST), fitted(name).predict(other))


@informed_contestants
def test_scores_of_the_training_part_matter(name):
    shuffled = np.random.default_rng(6).permutation(TRAIN.n_queries)
    router = make(name).fit(replace(TRAIN, score=TRAIN.score[shuffled]))
    assert (predictions(router) != predictions(fitted(name))).any()


@every_router
def test_order_of_the_models_does_not_matter(name):
    order = [2, 0, 3, 1]
    router = make(name).fit(pool(TRAIN, order))
    np.testing.assert_allclose(
        predictions(router, pool(TEST, order)), predictions(fitted(name))[..., order], rtol=1e-9, atol=1e-12
    )


@informed  # to the others a permuted call is the very same call
def test_order_of_the_queries_does_not_matter(name):
    order = np.random.default_rng(7).permutation(TEST.n_queries)
    np.testing.assert_allclose(
        predictions(fitted(name), rows(TEST, order)), predictions(fitted(name))[:, order],
        rtol=1e-4 if reads_text(name) else 1e-6, atol=1e-9,
    )  # fmt: skip


@contestants
def test_model_without_a_training_score_is_never_chosen(name):
    unscored = 1
    score, cost = TRAIN.score.copy(), TRAIN.cost.copy()
    score[:, unscored] = np.nan
    cost[:, unscored] = 0.0  # the bait: a missing pair that looks free
    try:
        router = make(name).fit(replace(TRAIN, score=score, cost=cost))
    except RouterError as error:
        assert TRAIN.models[unscored] in str(error), "a router that refuses has to name the model"  # noqa: PT017
    else:
        assert (choose(predictions(router)) != unscored).all()


@contestants
def test_missing_pairs_are_no_obstacle(name):
    missing = np.random.default_rng(8).random(TRAIN.score.shape) < 0.5
    sparse = replace(TRAIN, score=np.where(missing, np.nan, TRAIN.score), cost=np.where(missing, np.nan, TRAIN.cost))
    assert np.isnan(sparse.score).all(axis=1).any(), "some query has no score at all"
    choose(predictions(make(name).fit(sparse)))


@every_router
def test_one_model(name):
    router = make(name).fit(pool(TRAIN, [2]))
    assert (choose(predictions(router, pool(TEST, [2]))) == 0).all()


@every_router
def test_one_training_query_and_one_test_query(name):
    router = make(name).fit(rows(TRAIN, [3]))
    assert choose(predictions(router, rows(TEST, [5]))).shape == (len(router.trade_offs()), 1)


@every_router
def test_one_benchmark(name):
    train, test = (rows(part, np.flatnonzero(part.benchmark == 1)) for part in (TRAIN, TEST))
    choose(predictions(make(name).fit(train), test))


@every_router
def test_no_test_query(name):
    router = fitted(name)
    utility = predictions(router, rows(TEST, np.array([], dtype=int)))
    assert utility.shape == (len(router.trade_offs()), 0, len(TEST.models))


@every_router
def test_pickle_keeps_the_predictions(name):
    router = fitted(name)
    np.testing.assert_array_equal(predictions(pickle.loads(pickle.dumps(router))), predictions(router))


def test_every_yaml_is_called_like_its_entry_and_its_router_takes_its_parameters():
    for path in sorted((ROOT / "configs/router").glob("*.yaml")):
        config = OmegaConf.to_container(OmegaConf.load(path))
        assert set(config) <= {"name", "router", "params"}, path
        assert config["name"] == path.stem
        parameters = inspect.signature(find(config.get("router", path.stem))).parameters
        assert set(config["params"]) <= set(parameters) - {"seed"}, path
