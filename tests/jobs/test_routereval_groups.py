"""Candidate groups in the store: settings that read them, the split they come with, figures by hand."""

import numpy as np
import pytest

from configs.compose import compose
from jobs.routereval import group_figures, make_groups, read_groups
from jobs.setting import content_digest
from jobs.train import train
from launch.planning import setting_of, train_tasks
from scoring.routereval_tables import Cell
from store.errors import StoreError
from store.given_split import given_split
from store.layout import Layout
from store.release_export import export_pair
from store.routereval_import import import_routereval
from store.routings import read_routing
from store.score_matrix import read_score_matrix
from tests.routereval_release import make_routereval

MUSR = "routereval_musr"


@pytest.fixture
def layout(tmp_path):
    make_routereval(tmp_path / "data")
    import_routereval(tmp_path / "data", Layout(tmp_path / "store"))
    return Layout(tmp_path / "store")


def setting_for(layout, group, *words):
    return compose([f"setting={layout.setting(group.setting)}", f"store.root={layout.root}", "encoder=hashed", *words])


def test_a_setting_has_the_models_of_its_group_and_no_query_of_validation(layout):
    for group in make_groups(layout, MUSR, [3, 5], "train"):
        setting = setting_of(setting_for(layout, group))
        matrix = setting.matrix()
        assert matrix.models == tuple(sorted(group.models))
        train_index, test_index = given_split(layout, MUSR)
        assert matrix.index.tolist() == sorted([*train_index, *test_index])
        dense = read_score_matrix(layout, MUSR)
        numbers = np.array([dense.models.index(name) for name in matrix.models])
        np.testing.assert_array_equal(matrix.score, dense.rows(numbers).T[matrix.index])
        for seed in (1, 2):
            mask = setting.train_mask(matrix, seed)
            assert matrix.index[mask].tolist() == train_index.tolist()
            assert matrix.index[~mask].tolist() == test_index.tolist()
        assert content_digest(setting, matrix) != content_digest(setting_of(setting_for(
            layout, group, "setting.split_rule=independent", "setting.train_share=0.8")), matrix)  # fmt: skip


def test_training_queries_choose_by_default_and_all_if_published(layout):
    by_rule = {rule: make_groups(layout, MUSR, [3], rule) for rule in ("train", "published")}
    matrix, (train_index, _) = read_score_matrix(layout, MUSR), given_split(layout, MUSR)
    score = matrix.rows(slice(None))
    for rule, rows in (("train", train_index), ("published", np.arange(51))):
        for group in by_rule[rule]:
            mean = score[[matrix.models.index(name) for name in group.models]][:, rows].mean(axis=1)
            assert (mean > 0.1).all()
            assert (mean <= 0.9).all()
            assert (np.diff(mean) >= 0).all()
    assert {group.models for group in by_rule["train"]} != {group.models for group in by_rule["published"]}
    assert len({group.setting for group in read_groups(layout, MUSR)}) == 6


def test_groups_stay_until_other_scores_come_in(layout, tmp_path):
    make_groups(layout, MUSR, [3], "train")
    make_groups(layout, MUSR, [5], "train")
    assert {group.size for group in read_groups(layout, MUSR)} == {3, 5}
    make_groups(layout, MUSR, [3], "train")
    assert len(read_groups(layout, MUSR)) == 6
    make_routereval(tmp_path / "data", seed=1)
    import_routereval(tmp_path / "data", layout)
    assert read_groups(layout, MUSR) == []


def test_figures_are_means_over_seeds_of_what_was_routed(layout):
    group = make_groups(layout, MUSR, [3], "train")[0]
    config = setting_for(layout, group, "router=[random_choice]", "setting.seeds=[1,2]")
    setting = setting_of(config)
    train(train_tasks(config, setting)["random_choice"])
    cells = group_figures(layout, MUSR, "train", ["random_choice", "knn"])
    assert Cell(3, "knn", MUSR, group.name) not in cells
    assert len(cells) == 3 * 3 + 1
    matrix = setting.matrix()
    score = matrix.score[~setting.train_mask(matrix, 1)]
    routings = [read_routing(layout, group.setting, "random_choice", seed) for seed in (1, 2)]
    mean = np.mean([score[np.arange(len(score)), routing.choice[0]].mean() for routing in routings])
    found = cells[Cell(3, "random_choice", MUSR, group.name)]
    assert found.mu_o == pytest.approx(mean)
    assert found.v_r == pytest.approx(mean / 0.699)
    assert found.v_b == pytest.approx(mean / score.mean(axis=0).max())
    assert cells[Cell(3, "Oracle", MUSR, group.name)].mu_o == pytest.approx(score.max(axis=1).mean())
    assert group_figures(layout, MUSR, "published", []) == {}


def test_routings_of_other_models_are_refused(layout):
    first, second = make_groups(layout, MUSR, [3], "train")[:2]
    config = setting_for(layout, first, "router=[random_choice]", "setting.seeds=[1]")
    train(train_tasks(config, setting_of(config))["random_choice"])
    place = layout.routings(second.setting, "random_choice", 1)
    place.parent.mkdir(parents=True)
    layout.routings(first.setting, "random_choice", 1).rename(place)
    with pytest.raises(StoreError, match="made for other models or queries"):
        group_figures(layout, MUSR, "train", ["random_choice"])


def test_scores_without_responses_are_no_release(layout, tmp_path):
    group = make_groups(layout, MUSR, [3], "train")[0]
    with pytest.raises(StoreError, match="there is nothing to export"):
        export_pair(layout, MUSR, group.models[0], tmp_path / "out")
