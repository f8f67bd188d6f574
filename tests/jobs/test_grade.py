"""Grading elsewhere: what is handed in, which verdict belongs to which patch, and the harness as a process."""

import json
import math
import sys

import pytest

from jobs.grade import HarnessError, command, run_harness, take_report, why_not_here, write_runs
from jobs.score import ScoreTask, needs_scoring, score
from scoring.benchmark import BenchmarkError, find
from store.layout import Layout
from store.queries import write_queries
from store.records import Query, Response
from store.responses import ResponseWriter
from store.scores import read_scores
from store.verify import verify

SWE = find("swe_bench")
PATCH = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+{}\n"
# Stands in for the official package: same module, same words, same files; resolved is what ends in an even number.
HARNESS = """
import argparse, json, pathlib
parser = argparse.ArgumentParser()
for name in ("dataset_name", "split", "predictions_path", "run_id", "max_workers", "timeout"):
    parser.add_argument("--" + name, required=True)
words = parser.parse_args()
rows = [json.loads(line) for line in open(words.predictions_path)]
if any("crash" in row["model_patch"] for row in rows):
    raise SystemExit("no space left")
ids = [row["instance_id"] for row in rows]
resolved = [one for one in ids if int(one[-1]) % 2 == 0]
report = {"resolved_ids": resolved, "unresolved_ids": [one for one in ids if one not in resolved]}
name = rows[0]["model_name_or_path"].replace("/", "__")
pathlib.Path(f"{name}.{words.run_id}.json").write_text(json.dumps(report))
print("All instances run.")
"""


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "store")
    metadata = [{"instance_id": f"p__p-{index}", "repo": "p/p", "version": "1", "hints_text": ""} for index in range(4)]
    queries = [Query(index, "issue", "", metadata=metadata[index]) for index in range(4)]
    write_queries(layout, "swe_bench", queries)
    return layout


def answer(layout, model, texts, finished_at=1.0, writer="w", repeat=0):
    responses = ResponseWriter(layout, "swe_bench", model, writer, {"digest": "d"})
    for index, text in texts.items():
        responses.append(
            Response(index, repeat, text=text or "", error="" if text else "failed", finished_at=finished_at)
        )
    responses.commit()


def values(layout, model):
    task = ScoreTask(root=layout.root, benchmark="swe_bench", models=(model,), params={})
    score(task)
    assert not needs_scoring(task)
    return [str(value) for value in read_scores(layout, "swe_bench", model)[0]["score"].tolist()]


def report(layout, run, **lists):
    path = layout.root.parent / run.report_name
    path.write_text(json.dumps(lists))
    return path


def test_only_patches_are_handed_in_and_their_verdicts_become_scores(layout):
    answer(layout, "m", {0: PATCH.format(0), 1: PATCH.format(1), 2: "no idea", 3: None})
    (run,) = write_runs(layout, SWE, "m", "robust")
    rows = [json.loads(line) for line in run.predictions.read_text().splitlines()]
    assert rows == [
        {"instance_id": f"p__p-{index}", "model_name_or_path": "m", "model_patch": PATCH.format(index)}
        for index in (0, 1)
    ]
    assert values(layout, "m") == ["nan", "nan", "0.0", "0.0"]
    line = take_report(layout, SWE, report(layout, run, resolved_ids=["p__p-0"], error_ids=["p__p-1"]), "robust", None)
    assert line == "m: 1 of 2 graded patches resolved, 0 not graded"
    assert values(layout, "m") == ["1.0", "0.0", "0.0", "0.0"]
    assert write_runs(layout, SWE, "m", "robust") == []
    assert {problem for _, problem in verify(layout)} == {""}


def test_a_report_taken_twice_changes_nothing(layout):
    answer(layout, "m", {0: PATCH.format(0)})
    (run,) = write_runs(layout, SWE, "m", "robust")
    path = report(layout, run, resolved_ids=["p__p-0"])
    take_report(layout, SWE, path, "robust", None)
    before = values(layout, "m")
    assert "nothing new" in take_report(layout, SWE, path, "robust", None)
    assert values(layout, "m") == before == ["1.0"]


def test_a_verdict_stays_with_its_patch_when_the_response_is_replaced(layout):
    answer(layout, "m", {0: None, 1: PATCH.format(1)})
    (run,) = write_runs(layout, SWE, "m", "robust")
    answer(layout, "m", {0: PATCH.format(0)}, finished_at=2.0, writer="x")  # a failure that succeeded meanwhile
    take_report(layout, SWE, report(layout, run, resolved_ids=["p__p-0", "p__p-1"]), "robust", None)
    assert values(layout, "m") == ["nan", "1.0"]
    (rest,) = write_runs(layout, SWE, "m", "robust")
    assert rest.n_patches == 1
    assert rest.name != run.name


def test_what_the_harness_could_not_run_is_handed_in_again(layout):
    answer(layout, "m", {0: PATCH.format(0), 1: PATCH.format(1)})
    (run,) = write_runs(layout, SWE, "m", "robust")
    lists = {"resolved_ids": ["p__p-0"], "error_ids": ["p__p-1"], "infra_failure_ids": ["p__p-1"]}
    assert "1 not graded" in take_report(layout, SWE, report(layout, run, **lists), "robust", None)
    assert values(layout, "m") == ["1.0", "nan"]
    assert [run.n_patches for run in write_runs(layout, SWE, "m", "robust")] == [1]


def test_several_answers_to_one_query_make_several_runs(layout):
    answer(layout, "m", {0: PATCH.format("a"), 1: PATCH.format("a")})
    answer(layout, "m", {0: PATCH.format("b"), 1: PATCH.format("a")}, writer="x", repeat=1)
    assert [run.n_patches for run in write_runs(layout, SWE, "m", "robust")] == [2, 1]


def test_a_report_of_another_run_is_about_the_patches_of_now(layout, tmp_path):
    answer(layout, "org/m", {0: PATCH.format(0)})
    path = tmp_path / "org__m.by-hand.json"
    path.write_text(json.dumps({"p__p-0": {"resolved": True}}))
    assert "in the store now" in take_report(layout, SWE, path, "robust", None)
    assert values(layout, "org/m") == ["1.0"]
    other = path.rename(tmp_path / "results.json")
    with pytest.raises(BenchmarkError, match=r"grade\.model=.*org/m"):
        take_report(layout, SWE, other, "robust", None)
    assert "1 of 1" in take_report(layout, SWE, other, "robust", "org/m")


def test_the_later_verdict_counts(layout, tmp_path):
    answer(layout, "m", {0: PATCH.format(0)})
    for resolved, expected in ((False, "0.0"), (True, "1.0")):
        (tmp_path / "m.json").write_text(json.dumps({"p__p-0": {"resolved": resolved}}))
        take_report(layout, SWE, tmp_path / "m.json", "robust", None)
        assert values(layout, "m") == [expected]


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_file_that_is_no_report_is_one_line(layout, tmp_path, content):
    answer(layout, "m", {0: PATCH.format(0)})
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(BenchmarkError, match=r"m\.json"):
        take_report(layout, SWE, tmp_path / "m.json", "robust", None)
    assert math.isnan(float(values(layout, "m")[0]))


@pytest.fixture
def harness(tmp_path, monkeypatch):
    package = tmp_path / "packages" / "swebench" / "harness"
    package.mkdir(parents=True)
    (package / "run_evaluation.py").write_text(HARNESS)
    for init in (package / "__init__.py", package.parent / "__init__.py"):
        init.touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))


def test_the_harness_runs_as_a_process_with_a_log(layout, harness):
    answer(layout, "org/m", {index: PATCH.format(index) for index in range(4)})
    (run,) = write_runs(layout, SWE, "org/m", "robust")
    path = run_harness(run, command(run, sys.executable, "verified", 2, 60))
    assert path.name == f"org__m.{run.name}.json"
    assert "All instances run." in run.log.read_text()
    take_report(layout, SWE, path, "robust", None)
    assert values(layout, "org/m") == ["1.0", "0.0", "1.0", "0.0"]


def test_a_harness_that_fails_says_where_its_words_are(layout, harness):
    answer(layout, "m", {0: PATCH.format("crash")})
    (run,) = write_runs(layout, SWE, "m", "robust")
    with pytest.raises(HarnessError, match=f"m: the harness ended with status 1.*{run.log.name}"):
        run_harness(run, command(run, sys.executable, "verified", 2, 60))
    assert "no space left" in run.log.read_text()


def test_without_container_engine_or_interpreter_it_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    assert why_not_here(sys.executable)
    assert "No such file" in why_not_here(str(tmp_path / "python"))
