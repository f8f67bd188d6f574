"""Grading SWE-Bench as a person types it: predictions, the line for elsewhere, the report that comes back."""

import json

import pytest

from launch import grade_swe_bench, score
from store.layout import Layout
from store.queries import read_queries
from store.records import Response
from store.responses import ResponseWriter
from store.scores import read_scores

ROW = {
    "repo": "p/p", "instance_id": "p__p-1", "base_commit": "c", "version": "1", "problem_statement": "broken",
    "hints_text": "", "patch": "",
}  # fmt: skip
PATCH = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.fixture
def words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    write_rows(tmp_path, ROW)
    assert score.main(["benchmarks=[swe_bench]", "store.root=store", "data.dir=data"]) == 0
    return ["store.root=store", "data.dir=data"]


def write_rows(folder, *rows):
    (folder / "data" / "swe-bench").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "swe-bench" / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))


def test_from_predictions_to_scores(words, tmp_path, capsys):
    layout = Layout(tmp_path / "store")
    writer = ResponseWriter(layout, "swe_bench", "m", "w", {"digest": "d"})
    writer.append(Response(0, text=f"<patch>\n{PATCH}</patch>", finished_at=1.0))
    writer.commit()
    assert grade_swe_bench.main(words) == 1
    said = " ".join(capsys.readouterr().out.split())
    (predictions,) = layout.grading("swe_bench").glob("*.jsonl")
    assert f"--predictions_path {predictions} --run_id routeyard-" in said
    report = f"{predictions.stem}.json"
    assert f"python launch/grade_swe_bench.py store.root={layout.root} grade.reports=[{report}]" in said
    assert str(read_scores(layout, "swe_bench", "m")[0]["score"][0]) == "nan"
    (tmp_path / report).write_text(json.dumps({"resolved_ids": ["p__p-1"]}))
    assert grade_swe_bench.main([*words, f"grade.reports=[{report}]"]) == 0
    assert "m: 1 of 1 graded patches resolved" in capsys.readouterr().out
    assert read_scores(layout, "swe_bench", "m")[0]["score"].tolist() == [1.0]
    assert grade_swe_bench.main(words) == 0


def test_another_benchmark_or_a_missing_report_is_one_line(words, capsys):
    for more, expected in (
        ("benchmarks=[aime]", "this command grades swe_bench"),
        ("grade.reports=[x.json]", "x.json"),
    ):
        assert grade_swe_bench.main([*words, more]) == 2
        message = capsys.readouterr().err.strip()
        assert expected in message
        assert "\n" not in message


def test_a_changed_file_is_read_again(words, tmp_path):
    layout = Layout(tmp_path / "store")
    write_rows(tmp_path, ROW, ROW | {"instance_id": "p__p-2"})
    assert grade_swe_bench.main(words) == 0
    assert len(read_queries(layout, "swe_bench")) == 2
