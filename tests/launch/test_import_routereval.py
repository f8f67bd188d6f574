"""RouterEval from its files to its tables, by the commands that a person types."""

import csv
import os
import pickle
from pathlib import Path

import pytest

from launch import import_routereval, reduce, routereval_tables, train
from tests.command_errors import error_of
from tests.routereval_release import dump, make_routereval

NAME = "routereval_musr-strong-to-weak-3"


@pytest.fixture
def release(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_routereval(tmp_path / "data")
    return str(tmp_path / "data")


def records(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_from_the_files_to_the_tables(release, tmp_path, capsys):
    assert import_routereval.main([release, "routereval.sizes=[3]"]) == 0
    printed = capsys.readouterr().out
    assert "routereval_musr: 51 queries, 40 models" in printed
    assert "6 groups" in printed
    settings = sorted((tmp_path / "results" / "store" / "settings").glob("routereval_musr-*-3.yaml"))
    assert len(settings) == 3
    for setting in settings:
        words = [f"setting={setting}", "encoder=hashed", "router=[prknn,random_choice]", "setting.seeds=[1,2]"]
        assert train.main(words) == 0
    assert reduce.main([*words, "report.n_resamples=20"]) == 0
    assert (tmp_path / "results" / "report" / settings[-1].stem / "index.html").exists()
    assert routereval_tables.main(["router=[prknn,mlp_r]"]) == 0
    printed = capsys.readouterr().out
    assert "prknn: trained on 3 of 6 groups" in printed
    assert "mlp_r: trained on 0 of 6 groups" in printed
    folder = tmp_path / "results" / "report" / "routereval"
    rows = records(folder / "routereval_table2.csv")
    assert list(rows[0]) == ["m", "router", "dataset", "metric", "value"]
    value = {(row["router"], row["metric"]): float(row["value"]) for row in rows}
    assert {row["dataset"] for row in rows} == {"MUSR"}
    assert {name for name, _ in value} == {"Oracle", "r_o(0.5)", "Random", "prknn"}
    assert value["Random", "mu_o"] <= value["prknn", "mu_o"] <= value["Oracle", "mu_o"]
    assert value["Random", "E_p"] == pytest.approx(1.585, abs=1e-3)
    assert len(records(folder / "routereval_scaling.csv")) == 2 * 6 * 5


def test_again_reads_nothing_and_other_sizes_are_added(release, capsys):
    import_routereval.main([release, "routereval.sizes=[3]"])
    capsys.readouterr()
    assert import_routereval.main([release, "routereval.sizes=[5]", "routereval.rule=published"]) == 0
    assert capsys.readouterr().out.count("already there") == 2
    assert len(list(Path("results/store/settings").iterdir())) == 12


def test_a_hostile_file_is_one_line_and_runs_nothing(release, tmp_path, capsys):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    score = tmp_path / "data" / "leaderboard_score"
    dump(score / "leaderboard_old.pkl", {"model": [], "data": Hostile()})
    assert import_routereval.main([release, "routereval.sizes=[3]"]) == 1
    printed = capsys.readouterr().out
    assert "routereval_musr: 51 queries" in printed  # the others come in
    assert "mkdir" in printed
    (score / "leaderboard_new.pkl").write_bytes(pickle.dumps(Hostile()))
    (tmp_path / "results").rename(tmp_path / "before")
    assert "mkdir" in error_of(capsys, import_routereval.main([release]))
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "has no leaderboard_old.pkl"),
        (["data", "routereval.sizes=[4]"], "choose some of 3, 5, 10, 100, 1000"),
        (["data", "routereval.rule=test"], "published"),
        ([], "expected one folder"),
    ],
)
def test_bad_input_is_one_line(release, capsys, words, said):
    assert said in error_of(capsys, import_routereval.main(words))


def test_groups_that_cannot_be_filled_are_named(release, capsys):
    assert import_routereval.main([release, "routereval.sizes=[100]"]) == 1
    assert "groups of 100 need as many" in " ".join(capsys.readouterr().out.split())


def test_tables_without_groups(release, capsys):
    assert "no candidate groups by rule train" in error_of(capsys, routereval_tables.main([]))
