"""Training and reducing a setting from a store: skipped when up to date, honest about the test split."""

import numpy as np
import pytest

from jobs.reduce import ReduceTask, reduce_setting
from jobs.setting import Setting, all_columns, view
from jobs.train import TrainTask, missing_seeds, train
from routers.router import RouterError, names
from store.embeddings import write_embeddings
from store.errors import StoreError
from store.layout import Layout
from store.queries import read_indices
from store.release_import import import_release
from store.routings import read_routing
from store.scores import read_scores, write_scores
from tests.releases import MODELS, make_release

SEEDS = (42, 999)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """An imported release whose benchmarks are separable in embedding space."""
    folder = tmp_path_factory.mktemp("release")
    layout = Layout(folder / "store")
    import_release(make_release(folder / "in"), layout, n_processes=1)
    rng = np.random.default_rng(0)
    for number, benchmark in enumerate(layout.benchmarks()):
        index = read_indices(layout, benchmark)
        vector = np.eye(3)[number] + 0.05 * rng.normal(size=(len(index), 3))
        write_embeddings(layout, "made", benchmark, index, vector.astype(np.float32), {"digest": "x"})
    return layout.root


@pytest.fixture
def setting(pristine, tmp_path):
    import shutil

    root = shutil.copytree(pristine, tmp_path / "store")
    return Setting(
        root=root, name="s", benchmarks=tuple(Layout(root).benchmarks()), models=tuple(sorted(MODELS)), encoder="made"
    )


def task(setting, router="knn", name="", **params):
    return TrainTask(setting=setting, name=name or router, router=router, params=params, seeds=SEEDS)


def test_routings_are_stored_and_then_up_to_date(setting):
    assert sorted(train(task(setting))) == sorted(SEEDS)
    assert missing_seeds(task(setting), setting.matrix()) == ()
    assert train(task(setting)) == {}


def test_one_router_may_stand_in_the_store_under_several_names(setting):
    train(task(setting))
    train(task(setting, name="knn_of_three", n_neighbors=3))
    assert missing_seeds(task(setting), setting.matrix()) == ()
    one, other = (read_routing(Layout(setting.root), "s", name, SEEDS[0]) for name in ("knn", "knn_of_three"))
    assert (one.meta["router"], other.meta["router"], other.meta["params"]) == ("knn", "knn", {"n_neighbors": 3})


def test_other_parameters_or_other_scores_make_it_train_again(setting):
    train(task(setting))
    assert missing_seeds(task(setting, n_neighbors=3), setting.matrix()) == SEEDS
    layout = Layout(setting.root)
    table, meta = read_scores(layout, "shapes", "beta")
    write_scores(layout, "shapes", "beta", {**table, "score": 1 - table["score"]}, meta)
    assert missing_seeds(task(setting), setting.matrix()) == SEEDS


def test_a_routing_covers_exactly_the_test_queries(setting):
    train(task(setting))
    matrix = setting.matrix()
    for seed in SEEDS:
        rows = np.flatnonzero(~setting.train_mask(matrix, seed))
        routing = read_routing(Layout(setting.root), "s", "knn", seed)
        assert np.array_equal(routing.index, matrix.index[rows])
        assert routing.utility.shape == (1, len(rows), 3)


def test_a_router_sees_only_what_it_declares(setting):
    everything = all_columns(setting, setting.matrix(), frozenset({"text", "embedding"}))
    seen = view(everything, np.arange(3), frozenset({"embedding"}))
    assert seen.embedding.shape == (3, 3)
    assert (seen.text, seen.score, seen.cost, seen.benchmark) == (None, None, None, None)


def test_training_without_embeddings_says_what_to_do(setting):
    from dataclasses import replace

    with pytest.raises(StoreError, match=r"launch/embed\.py"):
        train(task(replace(setting, encoder="another")))


def test_a_trade_off_is_judged_on_held_out_training_queries(setting):
    train(task(setting, "avengers_pro", n_trade_offs=5))
    routing = read_routing(Layout(setting.root), "s", "avengers_pro", 42)
    assert len(routing.meta["validation"]) == 5
    assert routing.meta["validation"][-1] > routing.meta["validation"][0]


def test_only_what_a_router_sees_makes_it_train_again(setting):
    tasks = [task(setting, name) for name in ("knn", "best_single")]
    for one in tasks:
        train(one)
    layout = Layout(setting.root)
    for benchmark in setting.benchmarks:
        index = read_indices(layout, benchmark)
        vector = np.ones((len(index), 3), np.float32)
        write_embeddings(layout, "made", benchmark, index, vector, {"digest": "y"})
    assert [missing_seeds(one, setting.matrix()) for one in tasks] == [SEEDS, ()]


def test_a_wrong_parameter_is_named(setting):
    with pytest.raises(RouterError, match="nonsense"):
        missing_seeds(task(setting, nonsense=1), setting.matrix())


@pytest.mark.parametrize(
    "routers",
    [
        ("oracle", "dataset_oracle", "best_single", "random_choice", "knn", "frugalgpt"),
        pytest.param(tuple(names()), marks=pytest.mark.slow),
    ],
    ids=["some", "all"],
)
def test_routers_train_and_the_reduction_compares_them(setting, tmp_path, routers):
    for name in routers:
        train(task(setting, name))
    reduction = ReduceTask(setting=setting, routers=routers, seeds=SEEDS, folder=tmp_path / "report", n_resamples=50)
    result = reduce_setting(reduction)
    accuracy = {row["name"]: row["avg_acc"] for row in [*result["references"], *result["routers"]]}
    assert accuracy["oracle"] >= accuracy["dataset_oracle"] >= accuracy["knn"] - 0.05
    assert accuracy["knn"] > accuracy["best_single"] + 0.1 > accuracy["random_choice"]
    assert (tmp_path / "report" / "index.html").stat().st_size > 1000


def test_a_missing_or_outdated_routing_is_said_so(setting, tmp_path):
    reduction = ReduceTask(setting=setting, routers=("knn",), seeds=SEEDS, folder=tmp_path / "r", n_resamples=50)
    with pytest.raises(StoreError, match=r"launch/train\.py"):
        reduce_setting(reduction)


def test_the_same_store_and_seed_give_the_same_report(setting, tmp_path):
    train(task(setting))
    pages = []
    for name in ("first", "second"):
        folder = tmp_path / name
        reduce_setting(ReduceTask(setting=setting, routers=("knn",), seeds=SEEDS, folder=folder, n_resamples=50))
        pages.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert pages[0] == pages[1]
