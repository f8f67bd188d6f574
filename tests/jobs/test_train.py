"""Training and reducing a setting from a store: skipped when up to date, honest about the test split."""

import base64
import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest

from jobs.cluster import ClusterSpec
from jobs.reduce import ReduceTask, reduce_setting
from jobs.setting import Setting, all_columns, view, without
from jobs.train import TrainTask, in_parts, missing_seeds, train
from routers.router import RouterError, names
from store.embeddings import write_embeddings
from store.errors import StoreError
from store.layout import Layout
from store.queries import read_indices, read_queries
from store.release_import import import_release
from store.routings import read_routing
from store.scores import read_scores, write_scores
from tests.releases import MODELS, make_release
from tests.tiny_encoder import parameters_of

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
        write_embeddings(
            layout, "made", benchmark, index, vector.astype(np.float32), {"digest": "x", "s_per_text": 2.0}
        )
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
    with pytest.raises(StoreError, match=r"launch/embed\.py"):
        train(task(replace(setting, encoder="another")))


def test_a_trade_off_is_judged_on_held_out_training_queries(setting):
    train(task(setting, "avengers_pro", n_trade_offs=5))
    routing = read_routing(Layout(setting.root), "s", "avengers_pro", 42)
    curve = routing.meta["validation"]
    assert len(curve["avg_acc"]) == len(curve["cost_usd"]) == 5
    assert curve["avg_acc"][-1] > curve["avg_acc"][0]
    assert curve["cost_usd"][-1] > curve["cost_usd"][0]
    assert len(curve["model_avg_acc"]) == 3


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
        train(task(setting, name, **parameters_of(name)))
    reduction = ReduceTask(setting=setting, routers=routers, seeds=SEEDS, folder=tmp_path / "report", n_resamples=50)
    result = reduce_setting(reduction)
    accuracy = {row["name"]: row["avg_acc"] for row in [*result["references"], *result["routers"]]}
    assert accuracy["oracle"] >= accuracy["dataset_oracle"] >= accuracy["knn"] - 0.05
    assert accuracy["knn"] > accuracy["best_single"] + 0.1 > accuracy["random_choice"]
    overhead = {row["name"]: row["overhead_ms"] for row in result["routers"]}
    assert overhead["knn"] > 2000 > overhead["random_choice"]  # embedding takes 2 s a query here
    assert (tmp_path / "report" / "index.html").stat().st_size > 1000


def test_reports_with_other_encoders_stand_in_one_table(setting, tmp_path):
    train(task(setting))
    parts = {"setting": setting, "routers": ("knn",), "seeds": SEEDS, "n_resamples": 50}
    first = tmp_path / "first"
    reduce_setting(ReduceTask(folder=first, **parts))
    assert not (first / "paper_encoders.md").exists()
    metrics = json.loads((first / "metrics.json").read_text())
    metrics["provenance"]["encoder"] = "another"
    (first / "metrics.json").write_text(json.dumps(metrics))
    result = reduce_setting(ReduceTask(folder=tmp_path / "second", other_encoders=(first,), **parts))
    assert [entry["encoder"] for entry in result["encoders"]] == [setting.encoder, "another"]
    assert "another" in (tmp_path / "second" / "paper_encoders.md").read_text()
    with pytest.raises(StoreError, match=r"nowhere/metrics.json is no report"):
        reduce_setting(ReduceTask(folder=tmp_path, other_encoders=(tmp_path / "nowhere",), **parts))


@pytest.mark.parametrize("n_characters", [0, 12])
def test_the_page_of_queries_shows_as_much_of_each_prompt_as_is_wanted(setting, tmp_path, n_characters):
    train(task(setting))
    reduce_setting(
        ReduceTask(
            setting=setting, routers=("knn",), seeds=SEEDS, folder=tmp_path, n_resamples=50,
            prompt_characters=n_characters,
        )
    )  # fmt: skip
    data = re.search(r'id="data">([^<]+)<', (tmp_path / "queries.html").read_text())
    block = zlib.decompress(base64.b64decode(data[1]))
    texts = {" ".join(query.text.split()) for query in read_queries(Layout(setting.root), setting.benchmarks[0])}
    starts = {text if len(text) <= 12 else f"{text[:12]}…" for text in texts}
    assert any(start.encode() in block for start in starts) == bool(n_characters)
    assert not any(text.encode() in block for text in texts if len(text) > 12)


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


EACH = (("colours@validation",), ("shapes",), ("sounds",))


@pytest.mark.parametrize("left_out", [EACH, (("colours@validation", "sounds"),)], ids=["each", "two together"])
def test_left_out_benchmarks_are_not_trained_on_and_tested_on_the_usual_queries(setting, left_out):
    setting = replace(setting, left_out=left_out)
    matrix = setting.matrix()
    folds = list(setting.folds(matrix, 42))
    tested = np.concatenate([test for _, test in folds])
    assert sorted(tested) == np.flatnonzero(~setting.train_mask(matrix, 42)).tolist()
    named = [set(names) for names in left_out]
    for train_rows, test_rows in folds:
        seen, unseen = ({matrix.benchmarks[b] for b in matrix.benchmark[rows]} for rows in (train_rows, test_rows))
        assert len(train_rows)
        assert setting.train_mask(matrix, 42)[train_rows].all()
        assert (seen | unseen == set(matrix.benchmarks) and not seen & unseen) if unseen in named else unseen <= seen


def test_an_unseen_benchmark_is_harder_and_a_seen_one_as_before(setting):
    without_one = replace(setting, name="s-without", left_out=(("colours@validation",),))
    matrix = setting.matrix()
    accuracy = {}
    for which in (setting, without_one):
        train(task(which))
        routing = read_routing(Layout(setting.root), which.name, "knn", 42)
        rows = np.flatnonzero(~setting.train_mask(matrix, 42))
        assert np.array_equal(routing.index, matrix.index[rows])
        score = matrix.score[rows, routing.choice[0]]
        accuracy[which.name] = [score[matrix.benchmark[rows] == number].mean() for number in range(3)]
    assert accuracy["s"][0] > accuracy["s-without"][0] + 0.3
    assert accuracy["s"][1:] == accuracy["s-without"][1:]


def test_a_router_with_calls_is_refused_where_benchmarks_are_left_out(setting):
    with pytest.raises(RouterError, match="cascade"):
        train(task(replace(setting, left_out=EACH), "frugalgpt"))


def test_of_a_new_model_a_router_knows_a_few_queries_only(setting):
    matrix, rows = setting.matrix(), np.arange(60)
    cold = replace(setting, new_models=("beta",), n_shots=7)
    hidden, beta = cold.is_hidden(matrix, rows, 42), matrix.models.index("beta")
    assert hidden[:, beta].sum() == 53
    assert hidden.sum() == 53
    everything = all_columns(setting, matrix, frozenset({"answer"}))
    known = without(view(everything, rows, frozenset({"score", "cost", "answer"})), hidden)
    assert np.array_equal(np.isnan(known.score), hidden)
    assert np.array_equal(np.isnan(known.cost), hidden)
    assert [line == "" for line in known.answer[matrix.models.index("beta")]] == hidden[
        :, matrix.models.index("beta")
    ].tolist()
    assert np.array_equal(known.score[~hidden], matrix.score[rows][~hidden])


@pytest.mark.parametrize("router", ["knn", "avengers_pro", "linear", "best_single"])
def test_a_new_model_is_not_chosen_without_a_score_and_as_before_with_all(setting, router):
    beta = setting.matrix().models.index("beta")
    shots = {"s": 0, "none": 0, "all": 10_000}
    routings = {}
    for name, n_shots in shots.items():
        which = setting if name == "s" else replace(setting, name=name, new_models=("beta",), n_shots=n_shots)
        train(task(which, router))
        routings[name] = read_routing(Layout(setting.root), name, router, 42)
    assert (routings["s"].choice == beta).any() or router == "best_single"
    assert not (routings["none"].choice == beta).any()
    assert np.isneginf(routings["none"].utility[..., beta]).all()
    assert np.array_equal(routings["all"].utility, routings["s"].utility)


def test_jobs_are_a_router_and_a_seed_on_slurm_and_as_few_processes_as_fill_this_machine(setting):
    tasks = [task(setting, name) for name in ("knn", "elo")]

    def seeds(executor, some, **options):
        parts = in_parts(some, ClusterSpec(name="c", executor=executor, **options))
        assert sorted((part.name, seed) for part in parts.values() for seed in part.seeds) == sorted(
            (one.name, seed) for one in some for seed in SEEDS
        )
        return {name: part.seeds for name, part in parts.items()}

    assert seeds("slurm", tasks) == {"knn 42": (42,), "knn 999": (999,), "elo 42": (42,), "elo 999": (999,)}
    assert seeds("inline", tasks) == {"knn": SEEDS, "elo": SEEDS}
    assert seeds("local", tasks, max_parallel=2) == {"knn": SEEDS, "elo": SEEDS}
    assert seeds("local", tasks[:1], max_parallel=2) == {"knn 42": (42,), "knn 999": (999,)}


def test_a_collected_router_is_compared_and_is_no_part_of_the_pool(setting, tmp_path):
    others = tuple(name for name in setting.models if name != "gamma-7b")
    setting = replace(setting, models=others, collected=("gamma-7b",))
    train(task(setting))
    reduction = ReduceTask(setting=setting, routers=("knn",), seeds=SEEDS, folder=tmp_path / "report", n_resamples=50)
    result = reduce_setting(reduction)
    assert result["models"] == list(others)
    row = next(row for row in result["routers"] if row["name"] == "gamma-7b")
    whole = replace(setting, models=tuple(sorted(MODELS)), collected=()).matrix()
    column = whole.models.index("gamma-7b")
    tested = [np.flatnonzero(~setting.train_mask(whole, seed)) for seed in SEEDS]
    expected = [
        np.mean([whole.score[rows, column][whole.benchmark[rows] == number].mean() for rows in tested])
        for number in range(3)
    ]
    assert row["accuracy"] == pytest.approx(expected)
    assert row["cost_usd"] == pytest.approx(np.mean([whole.cost[rows, column].sum() for rows in tested]))


def test_a_collected_router_without_scores_is_named(setting, tmp_path):
    setting = replace(setting, collected=("openrouter-auto",))
    with pytest.raises(StoreError, match=r"openrouter-auto .* launch/score\.py"):
        setting.collected_columns(setting.matrix())
