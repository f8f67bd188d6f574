"""Asking a fitted router about a new prompt, on a store made from a release."""

import numpy as np
import pytest

import jobs.route as module
from inference.spec import EncoderSpec
from jobs.embed import embed
from jobs.route import fitted_router, rank
from jobs.setting import Setting
from jobs.train import TrainTask
from routers.router import RouterError
from store.embeddings import embedding_seconds
from store.layout import Layout
from store.release_import import import_release
from store.scores import read_scores, write_scores
from tests.releases import MODELS, make_release

ENCODER = EncoderSpec("words", "hashing:64")


@pytest.fixture
def setting(tmp_path):
    layout = Layout(tmp_path / "store")
    import_release(make_release(tmp_path / "in"), layout, n_processes=1)
    embed(layout.root, ENCODER, layout.benchmarks())
    assert all(0 < embedding_seconds(layout, ENCODER.name, name) < 1 for name in layout.benchmarks())
    return Setting(
        root=layout.root, name="s", benchmarks=tuple(layout.benchmarks()), models=tuple(sorted(MODELS)), encoder="words"
    )


def task(setting, router="knn", **params):
    return TrainTask(setting=setting, name=router, router=router, params=params, seeds=(42, 999))


def test_models_come_in_the_order_of_their_utility_with_their_means(setting):
    ranking = rank(fitted_router(task(setting)), ENCODER, "which shape is this?")
    assert sorted(ranking.models) == sorted(MODELS)
    assert (np.diff(ranking.utility) <= 0).all()
    matrix = setting.matrix()
    column = matrix.models.index(ranking.models[0])
    assert ranking.score[0] == pytest.approx(np.nanmean(matrix.score[:, column]))
    assert ranking.cost[0] == pytest.approx(np.nanmean(matrix.cost[:, column]))


def test_a_fitted_router_is_kept_until_its_data_or_parameters_change(setting, monkeypatch):
    first = fitted_router(task(setting))
    monkeypatch.setattr(module, "all_columns", lambda *_: pytest.fail("fitted again"))
    kept = fitted_router(task(setting))
    prompt = "a new question"
    assert np.array_equal(rank(kept, ENCODER, prompt).utility, rank(first, ENCODER, prompt).utility)
    monkeypatch.undo()
    assert fitted_router(task(setting, n_neighbors=3)).digest != first.digest
    layout, benchmark = Layout(setting.root), setting.benchmarks[0]
    table, meta = read_scores(layout, benchmark, setting.models[0])
    write_scores(layout, benchmark, setting.models[0], {**table, "score": 1 - table["score"]}, meta)
    assert fitted_router(task(setting)).digest != first.digest


def test_a_trade_off_is_the_nearest_of_the_grid(setting):
    fitted = fitted_router(task(setting, "avengers_pro"))
    by_default = rank(fitted, ENCODER, "question")
    assert np.array_equal(by_default.utility, rank(fitted, ENCODER, "question", 1.7).utility)
    assert rank(fitted, ENCODER, "question", 0.0).models[0] == by_default.models[np.nanargmin(by_default.cost)]


def test_a_reference_that_reads_scores_cannot_be_asked(setting):
    with pytest.raises(RouterError, match="needs the cost and score of a query"):
        rank(fitted_router(task(setting, "oracle")), ENCODER, "question")
