"""Published releases: the newest run counts, nothing is imported twice, the export is the import byte for byte."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from store.errors import StoreError
from store.layout import Layout
from store.matrix import load_matrix
from store.queries import read_queries
from store.release_export import export_pair
from store.release_import import import_release
from store.responses import read_columns
from store.scores import read_scores
from tests.releases import BENCHMARKS, MODELS, N_QUERIES, make_release, record, write_run

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "bench-release-sample.tar.gz"


@pytest.fixture
def release(tmp_path):
    return make_release(tmp_path / "release")


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "store")


def outcomes(report):
    return {name: report.count(name) for name in ("imported", "already there", "superseded", "failed")}


def export_all(layout, folder):
    return [export_pair(layout, b, m, folder) for b in layout.benchmarks() for m in layout.models(b)]


def same_files(exported, original):
    files = {path.relative_to(original): path.read_bytes() for path in original.rglob("*.json")}
    found = {path.relative_to(exported): path.read_bytes() for path in exported.rglob("*.json")}
    return files == found


def test_a_folder_comes_in_and_goes_out_byte_for_byte(release, layout, tmp_path):
    report = import_release(release, layout, n_processes=1)
    assert outcomes(report) == {"imported": 9, "already there": 0, "superseded": 0, "failed": 0}
    assert layout.benchmarks() == ["colours@validation", "shapes", "sounds"]
    assert layout.models("shapes") == sorted(MODELS)
    export_all(layout, tmp_path / "out")
    assert same_files(tmp_path / "out", release)


def test_an_archive_gives_the_same_store_as_the_folder(release, layout, tmp_path):
    archive = tmp_path / "release.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(release, "bench-release")
    import_release(archive, layout, n_processes=2)
    other = Layout(tmp_path / "other")
    import_release(release, other, n_processes=1)
    names = ("colours@validation", *BENCHMARKS[1:])
    assert np.array_equal(load_matrix(layout, names, MODELS).score, load_matrix(other, names, MODELS).score)


def test_a_second_import_does_nothing(release, layout):
    import_release(release, layout, n_processes=1)
    before = {path: path.stat().st_mtime_ns for path in layout.files()}
    assert outcomes(import_release(release, layout, n_processes=1))["already there"] == 9
    assert {path: path.stat().st_mtime_ns for path in layout.files()} == before


@pytest.mark.parametrize("stamp", ["20240101_000000", "20260101_000000"])
def test_the_newest_run_counts_whichever_comes_first(release, layout, stamp):
    rows = [record("shapes", 0, index, True) for index in range(5)]
    write_run(release, "shapes", "test", "org/alpha", stamp, rows)
    report = import_release(release, layout, n_processes=1)
    n_rows = len(read_columns(layout, "shapes", "org/alpha", [])["index"])
    assert n_rows == (5 if stamp.startswith("2026") else N_QUERIES)
    assert len(read_scores(layout, "shapes", "org/alpha")[0]["index"]) == n_rows
    assert len(layout.parts("shapes", "org/alpha")) == 1
    assert len(read_queries(layout, "shapes")) == N_QUERIES
    assert report.count("failed") == 0


def test_what_columns_cannot_say_survives(layout, tmp_path):
    rows = [record("odd", 0, index, True) for index in range(8)]
    rows[0] |= {"score": None, "cost": 0, "completion_tokens": None}
    rows[1] |= {"prediction": ["a", {"b": 1}], "ground_truth": {"x": [1, 2.5]}}
    rows[2] |= {"extra_fields": {"seconds": 1e-05, "ok": True}, "unknown": "kept"}
    del rows[3]["extra_fields"]
    rows[4] = dict(reversed(rows[4].items()))
    rows[5] |= {"raw_output": ["text", 1], "score": 1}
    rows[6] |= {"raw_output": "", "prediction": None, "cost": -0.0}
    rows[7], rows[0] = rows[0], rows[7]  # not in the order of the index
    write_run(tmp_path / "in", "odd", "test", "m", "20250101_000000", rows, note={"deep": [1]})
    other = [record("odd", 1, index, False) for index in range(8)]
    other[2] |= {"prompt": "worded differently", "ground_truth": 7}
    write_run(tmp_path / "in", "odd", "test", "n", "20250101_000000", other)
    assert import_release(tmp_path / "in", layout, n_processes=1).count("failed") == 0
    export_all(layout, tmp_path / "out")
    assert same_files(tmp_path / "out", tmp_path / "in")
    score = read_scores(layout, "odd", "m")[0]["score"]
    assert np.isnan(score[0])
    assert score[5] == 1.0


def test_an_index_that_comes_twice_is_a_repeat(layout, tmp_path):
    rows = [record("twice", 0, index, True) for index in (0, 1, 1)]
    write_run(tmp_path / "in", "twice", "test", "m", "20250101_000000", rows)
    import_release(tmp_path / "in", layout, n_processes=1)
    table = read_columns(layout, "twice", "m", [])
    assert (table["index"].tolist(), table["repeat"].tolist()) == ([1, 2, 2], [0, 0, 1])
    export_all(layout, tmp_path / "out")
    assert same_files(tmp_path / "out", tmp_path / "in")


@pytest.mark.parametrize("is_older_first", [True, False])
def test_of_two_runs_the_older_is_superseded_in_whatever_order_they_come(is_older_first, layout, tmp_path):
    new = write_run(tmp_path / "in", "b", "test", "m", "20250102_000000", [record("b", 0, 0, True)])
    old = write_run(tmp_path / "in", "b", "test", "m", "20240102_000000", [record("b", 0, 0, False)])
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        for path in (old, new) if is_older_first else (new, old):
            archive.add(path, path.relative_to(tmp_path / "in"))
    for expected in ("imported", "already there"):
        report = import_release(tmp_path / "in.tar", layout, n_processes=1)
        found = {result.source.split("-")[-1]: result.outcome for result in report.results}
        assert found == {"20240102_000000.json": "superseded", "20250102_000000.json": expected}
    assert read_scores(layout, "b", "m")[0]["score"].tolist() == [1.0]


def test_names_in_the_file_win_over_the_path(layout, tmp_path):
    path = write_run(tmp_path / "in", "b", "test", "old-name", "20250101_000000", [record("b", 0, 0, True)])
    path.write_text(path.read_text().replace('"model_name": "old-name"', '"model_name": "new/name"'))
    import_release(tmp_path / "in", layout, n_processes=1)
    assert layout.models("b") == ["new/name"]


def test_one_bad_file_leaves_the_others_alone(release, layout):
    bad = sorted(release.rglob("*.json"))[4]
    bad.write_bytes(bad.read_bytes()[:-100])
    report = import_release(release, layout, n_processes=2)
    assert outcomes(report) == {"imported": 8, "already there": 0, "superseded": 0, "failed": 1}
    (failed,) = [result for result in report.results if result.outcome == "failed"]
    assert bad.name in failed.message


def test_a_truncated_archive_keeps_what_came_before(release, layout, tmp_path):
    archive = tmp_path / "release.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(release, "bench-release")
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) * 2 // 3])
    report = import_release(archive, layout, n_processes=1)
    assert str(archive) in report.broken
    n_before = report.count("imported")
    archive.write_bytes(whole)
    again = import_release(archive, layout, n_processes=1)
    assert not again.broken
    assert again.count("already there") == n_before
    assert n_before + again.count("imported") == 9


def test_no_release_at_all_is_said_so(layout, tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        import_release(tmp_path / "nothing", layout)
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match=r"no \.json"):
        import_release(tmp_path / "empty", layout)


def test_collected_responses_are_never_mixed_with_imported_ones(release, layout):
    from store.records import Response
    from store.responses import ResponseWriter

    writer = ResponseWriter(layout, "shapes", "beta", "w", {"digest": "d"})
    writer.append(Response(index=1))
    writer.commit()
    report = import_release(release, layout, n_processes=1)
    assert report.count("failed") == 1


@pytest.mark.skipif(not SAMPLE.exists(), reason="the published sample is not at hand")
@pytest.mark.slow
def test_the_published_sample_round_trips_byte_for_byte(layout, tmp_path):
    report = import_release(SAMPLE, layout)
    assert outcomes(report) == {"imported": 299, "already there": 0, "superseded": 1, "failed": 0}
    export_all(layout, tmp_path / "out")
    with tarfile.open(SAMPLE) as archive:
        for member in archive:
            if member.isfile() and "20200101_000000" not in member.name:
                content = archive.extractfile(member).read()
                assert (tmp_path / "out" / member.name).read_bytes() == content
                assert json.loads(content)["counts"]
