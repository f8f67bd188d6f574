"""Bad input at the command line: one clear line, exit status 2, nothing lost."""

import csv
import tarfile

import h5py
import pytest

from launch import collect, embed, export_release, import_release, reduce, route, score, suite, train, verify
from scoring.benchmarks.demo_sort import DemoSort
from store.layout import Layout
from store.records import Response, Score
from store.responses import ResponseWriter
from store.scores import read_scores
from tests.command_errors import error_of
from tests.releases import MODELS, make_release


@pytest.fixture
def release(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_release(tmp_path / "release")


def test_an_unknown_pool_answers_with_the_known_ones(capsys):
    assert "demo" in error_of(capsys, suite.main(["pool=demos"]))


def test_no_pool_at_all_says_which_there_are(capsys):
    message = error_of(capsys, collect.main([]))
    assert "pool=" in message
    assert "demo" in message


def test_a_word_that_is_no_option_is_refused(capsys):
    assert "key=value" in error_of(capsys, collect.main(["demo"]))


def test_the_composed_configuration_is_printed_and_nothing_is_done(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert collect.main(["pool=demo", "sampling.temperature=0", "--cfg"]) == 0
    assert "temperature: 0.0" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_import_export_verify(release, capsys, tmp_path):
    assert import_release.main([str(release)]) == 0
    assert "9 runs imported" in capsys.readouterr().out
    assert export_release.main(["out"]) == 0
    assert len(list((tmp_path / "out").rglob("*.json"))) == 9
    assert verify.main([]) == 0


def test_a_grader_that_fails_is_named_at_the_end(capsys, tmp_path, monkeypatch):
    layout = Layout(tmp_path)
    monkeypatch.setattr(DemoSort, "score", lambda self, query, text: Score(1 / query.index))
    responses = ResponseWriter(layout, "demo_sort", "m", "w", {"digest": "d"})
    for index in range(3):
        responses.append(Response(index, text="x"))
    responses.commit()
    words = [f"store.root={tmp_path}", "benchmarks=[demo_sort]"]
    assert score.main([*words, "score.processes=1"]) == 1
    printed = capsys.readouterr().out
    assert "failed demo_sort" in printed
    assert "grader failed on 1 responses" in printed
    assert "m, index 0: ZeroDivisionError: division by zero" in printed
    table = read_scores(layout, "demo_sort", "m")[0]
    assert (table["index"].tolist(), table["score"][1:].tolist()) == ([0, 1, 2], [1.0, 0.5])


def test_several_nodes_need_slurm(capsys, tmp_path):
    words = [f"store.root={tmp_path}", "benchmarks=[demo_sort]", "score.nodes=2"]
    assert "score.nodes=2 needs SLURM" in error_of(capsys, score.main(words))


def test_a_truncated_archive_is_one_line_and_keeps_what_came_before(release, capsys, tmp_path):
    archive = tmp_path / "release.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(release, "bench-release")
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    assert "breaks off" in error_of(capsys, import_release.main([str(archive)]))
    archive.write_bytes(whole)
    assert import_release.main([str(archive)]) == 0
    assert "already there" in capsys.readouterr().out


def test_a_store_of_a_newer_version_is_refused_and_untouched(release, capsys, tmp_path):
    import_release.main([str(release)])
    capsys.readouterr()
    layout = Layout(tmp_path / "results" / "store")
    for path in layout.files():
        with h5py.File(path, "r+") as file:
            file.attrs["schema_version"] = 99
    before = {path: path.read_bytes() for path in layout.files()}
    training = train.main(["setting=release_flagship", "setting.benchmarks=[shapes]"])
    assert "99" in error_of(capsys, training)
    assert "99" in error_of(capsys, import_release.main([str(release)]))
    assert {path: path.read_bytes() for path in layout.files()} == before


def test_a_damaged_file_is_listed_and_set_aside_on_request(release, capsys, tmp_path):
    import_release.main([str(release)])
    path = Layout(tmp_path / "results" / "store").parts("shapes", "beta")[0]
    path.write_bytes(path.read_bytes()[:-500])
    assert verify.main([]) == 1
    assert path.name in capsys.readouterr().out
    assert verify.main(["verify.quarantine=true"]) == 1
    assert verify.main([]) == 0


def test_a_benchmark_whose_file_is_missing_leaves_the_others_alone(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    layout = Layout(tmp_path / "results" / "store")
    writer = ResponseWriter(layout, "demo_sort", "m", "w", {"digest": "d"})
    writer.append(Response(0, text="abc", finished_at=1.0))
    writer.commit()
    assert score.main(["benchmarks=[math500,demo_sort]"]) == 1
    output = capsys.readouterr().out
    assert "failed math500: no file" in output
    assert "1 responses of 1 benchmarks" in output
    assert layout.scored_models("demo_sort") == ["m"]


def test_a_setting_without_data_says_what_there_is(release, capsys):
    import_release.main([str(release)])
    capsys.readouterr()
    message = error_of(capsys, reduce.main(["setting=release_multiturn"]))
    assert "mint_*" in message
    assert "shapes" in message


def test_published_figures_are_set_beside_the_measured_ones_where_that_is_asked_for(release, capsys, tmp_path):
    import_release.main([str(release)])
    words = ["setting=release_flagship", "setting.benchmarks=[shapes]", "router=[elo]", "setting.seeds=[42]"]
    words.append("report.n_resamples=10")
    capsys.readouterr()
    assert "published" in error_of(capsys, reduce.main([*words, "compare=papers"]))
    assert train.main(words[:-1]) == 0
    assert reduce.main([*words, "compare=published"]) == 0
    output = capsys.readouterr().out
    assert "No model of this run is among the published ones" in output
    assert "report/release_flagship/compare.md" in output
    files = {path.name for path in tmp_path.rglob("compare.*")}
    assert files == {"compare.csv", "compare.parquet", "compare.md"}
    assert reduce.main(words) == 0
    assert not list(tmp_path.rglob("compare.*")), "an earlier comparison is about other routers"


def test_latencies_are_reported_from_a_table_of_providers(release, capsys, tmp_path):
    import_release.main([str(release)])
    words = ["setting=release_flagship", "setting.benchmarks=[shapes]", "router=[elo]", "setting.seeds=[42]"]
    assert train.main(words) == 0
    table = tmp_path / "providers.csv"
    words += ["report.n_resamples=10", f"report.latency={table}"]
    capsys.readouterr()
    assert "providers.csv cannot be read" in error_of(capsys, reduce.main(words))
    table.write_text("model,ttft_s,tokens_per_s,date\nbeta,0.5,0,2026-01-05\n")
    assert "model 'beta': tokens_per_s is '0'" in error_of(capsys, reduce.main(words))
    table.write_text("model,ttft_s,tokens_per_s,date\nbeta,0.5,10,2026-01-05\norg/alpha,1,10,2026-01-06\n")
    assert reduce.main(words) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "(providers.csv, 2026-01-05 to 2026-01-06)" in output
    assert "Latency is left out" in output
    folder = next(tmp_path.rglob("latency.csv")).parent
    rows = list(csv.DictReader((folder / "latency.csv").read_text().splitlines()))
    found = {row["name"]: float(row["latency_s"]) for row in rows}
    assert (found["beta"], found["org/alpha"]) == (1.0, 1.5)  # 5 tokens each
    assert "gamma-7b" not in found
    assert reduce.main(words[:-1]) == 0
    assert not list(folder.glob("latency.*")), "an earlier report's"


WORDS = ["setting=release_flagship", "setting.benchmarks=[shapes]", "encoder=hashed", "router=[knn]"]


@pytest.mark.parametrize(
    "prompt", [["which shape has three sides?"], ["is x = y?"], ["--", "x=5"], ["--", "--help"], ["3 sides\na=b"]]
)
def test_a_router_is_asked_about_any_prompt(release, capsys, prompt):
    import_release.main([str(release)])
    assert embed.main(WORDS[:3]) == 0
    capsys.readouterr()
    assert route.main([*WORDS, *prompt]) == 0
    table = capsys.readouterr().out
    assert "knn, fitted on setting release_flagship" in table
    assert all(model in table for model in MODELS)


def test_a_router_that_has_no_embeddings_says_how_to_make_them(release, capsys):
    import_release.main([str(release)])
    capsys.readouterr()
    assert "launch/embed.py" in error_of(capsys, route.main([*WORDS, "a prompt"]))


def test_a_setting_may_leave_benchmarks_out_or_treat_models_as_new(release, capsys):
    import_release.main([str(release)])
    words = ["setting=release_flagship", 'setting.benchmarks=["*"]', "router=[elo]", "setting.seeds=[42]"]
    for more, name in [
        (["setting.left_out=[each]"], "release_flagship-without-each"),
        (["setting.new_models=[beta]", "setting.n_shots=5"], "release_flagship-new-beta-after-5"),
    ]:
        assert train.main([*words, *more]) == 0
        assert reduce.main([*words, *more, "report.n_resamples=10"]) == 0
        assert f"report/{name}/index.html" in capsys.readouterr().out
    for wrong in ['["*"]', "[shapes,s*]", "[squares]"]:
        message = error_of(capsys, train.main([*words, f"setting.left_out={wrong}"]))
        assert "shapes" in message
