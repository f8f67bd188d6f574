"""SWE-Bench: rows, prompts with and without files, patches as models write them, and the harness's own files."""

import json
import math

import pytest
from read_cases import DATA_DIR

from scoring.benchmark import BenchmarkError, find
from scoring.graders.patch import last_patch, patch_compat
from scoring.graders.swe_harness import read_predictions, read_report, to_predictions
from store.records import Query
from store.verdicts import Verdict, fingerprint

SWE = find("swe_bench")
ROW = {
    "repo": "astropy/astropy",
    "instance_id": "astropy__astropy-12907",
    "base_commit": "d16bfe05",
    "version": "4.3",
    "problem_statement": "`separability_matrix` is {wrong}",
    "hints_text": "",
    "patch": "diff --git a/x.py b/x.py\n",
}
QUERY = Query(0, "issue", "", metadata={"instance_id": "astropy__astropy-12907"})
OLD = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n"
NEW = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n a\n-b\n+C\n d\n"
GIT = "diff --git a/x.py b/x.py\nindex 0ab12..3cd45 100644\n" + OLD
ADDED = "diff --git a/y.py b/y.py\nnew file mode 100644\n--- /dev/null\n+++ b/y.py\n@@ -0,0 +1 @@\n+y\n"
RENAMED = "diff --git a/x.py b/z.py\nsimilarity index 100%\nrename from x.py\nrename to z.py\n"
NO_NEWLINE = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
EMPTY_LINE = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n"
SQL = "--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,1 @@\n x\n--- an old comment\n"
SHORT = "--- a/x.py\n+++ b/x.py\n@@ -1,5 +1,5 @@\n a\n-b\n+c\n d\n"
needs_data = pytest.mark.skipif(not (DATA_DIR / "swe-bench").is_dir(), reason="the rows of SWE-bench are not here")


def write(tmp_path, *rows, texts=None):
    folder = tmp_path / "swe-bench"
    folder.mkdir()
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    if texts is not None:
        (folder / "text.jsonl").write_text("\n".join(map(json.dumps, texts)))
    return tmp_path


@pytest.mark.parametrize(
    ("output", "patch", "flaw"),
    [
        pytest.param(OLD, OLD, "", id="nothing but the diff"),
        pytest.param(GIT + ADDED, GIT + ADDED, "", id="two files, one new"),
        pytest.param(RENAMED, RENAMED, "", id="a rename has no hunk"),
        pytest.param(f"I see.\n```diff\n{GIT}```\nThat is all.", GIT, "", id="fence"),
        pytest.param(f"```\n{OLD}\n```", OLD, "", id="fence without a tag, empty line before its end"),
        pytest.param(f"<patch>\n{OLD}</patch>", OLD, "", id="element"),
        pytest.param(f"<patch>{OLD.strip()}</patch>", OLD, "", id="element on the same lines"),
        pytest.param(f"<patch>\n```diff\n{OLD}```\n</patch>", OLD, "", id="fence in an element"),
        pytest.param(OLD.replace("\n", "\r\n"), OLD, "", id="line ends of Windows"),
        pytest.param(OLD.rstrip("\n"), OLD, "", id="last line without its end"),
        pytest.param(NO_NEWLINE, NO_NEWLINE, "", id="files without a last line end"),
        pytest.param(EMPTY_LINE, EMPTY_LINE, "", id="an empty line has lost its space"),
        pytest.param(SQL, SQL, "", id="a removed line looks like the header of a file"),
        pytest.param(f"First:\n{OLD}\nBetter:\n{NEW}", NEW, "", id="the last of two"),
        pytest.param(f"{NEW}\nor, in part,\n{SHORT}", NEW, "", id="the last complete one"),
        pytest.param(SHORT, SHORT, "a hunk with fewer lines than its header says", id="broke off"),
        pytest.param(OLD.replace("-1,3", "-1,2"), OLD.replace("-1,3", "-1,2"),
                     "a hunk with other lines than its header says", id="miscounted"),
        pytest.param(f"{OLD} e\n", f"{OLD} e\n", "a hunk with more lines than its header says", id="one line too many"),
        pytest.param("--- a/x.py\n+++ b/x.py\n@@ def f @@\n-a\n+b\n", "--- a/x.py\n+++ b/x.py\n@@ def f @@\n-a\n+b\n",
                     "no line numbers: '@@ def f @@'", id="hunk without numbers"),
        pytest.param("--- a/x.py\n+++ b/x.py\nchange it", "--- a/x.py\n+++ b/x.py\n", "a file without changes",
                     id="header only"),
        pytest.param("Add `return` in line 3.", "", "no diff", id="prose"),
        pytest.param("```python\nx = 1\n```", "", "no diff", id="code instead of a patch"),
        pytest.param("--- a rule\n\n+++ another", "", "no diff", id="lines of dashes"),
        pytest.param("", "", "no diff", id="empty"),
    ],
)  # fmt: skip
def test_the_last_patch(output, patch, flaw):
    assert last_patch(output) == (patch, flaw)


@pytest.mark.parametrize(
    ("output", "patch"),
    [
        pytest.param("<patch>a</patch> <patch>b</patch>", "a", id="first marked block"),
        pytest.param("```diff\na\n```\n<patch>b</patch>", "b", id="elements before fences"),
        pytest.param("<think>hm</think>\n```diff\na\n```", "a", id="a marked fence before any other element"),
        pytest.param("<think>hm</think>\n```python\na\n```", "hm", id="defect: the reasoning is taken"),
        pytest.param("<PATCH>a</PATCH>", "a", id="tags in capitals"),
        pytest.param("<patch>a</diff>", "<patch>a</diff>", id="an element that is not closed"),
        pytest.param(" a\n</s>b", "a", id="up to the end of the sequence"),
        pytest.param("", "", id="empty"),
    ],
)
def test_the_published_rule(output, patch):
    assert patch_compat(output) == patch


def test_rows_become_queries(tmp_path):
    (query,) = SWE.load(write(tmp_path, ROW))
    assert (query.index, query.text, query.ground_truth) == (0, ROW["problem_statement"], ROW["patch"])
    assert query.metadata["instance_id"] == ROW["instance_id"]


def test_without_files_the_prompt_has_issue_hints_and_version(tmp_path):
    queries = SWE.queries(write(tmp_path, ROW, ROW | {"hints_text": "see {there}"}))
    plain, hinted = (query.messages[0]["content"] for query in queries)
    assert "astropy/astropy, version 4.3" in plain
    assert "<issue>\n`separability_matrix` is {wrong}\n</issue>" in plain
    assert "git apply" in plain
    assert "<hints>" not in plain
    assert "<hints>\nsee {there}\n</hints>" in hinted


def test_with_a_text_dataset_the_prompt_is_its_text(tmp_path):
    texts = [{"instance_id": "other", "text": "no"}, {"instance_id": ROW["instance_id"], "text": "issue and files"}]
    (query,) = SWE.queries(write(tmp_path, ROW, texts=texts))
    assert query.messages == ({"role": "user", "content": "issue and files"},)
    assert query.text == ROW["problem_statement"]


def test_a_text_dataset_with_a_gap_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match=r"text\.jsonl: no text for 1 of the 1 instances, such as astropy__"):
        SWE.load(write(tmp_path, ROW, texts=[{"instance_id": "other", "text": "no"}]))


@pytest.mark.parametrize("profile", ["robust", "compat"])
def test_a_patch_has_the_score_of_its_verdict_and_none_without(profile):
    output = f"<think>\n{NEW}</think>\n<patch>\n{OLD}</patch>"
    patch = OLD if profile == "robust" else OLD.strip()
    graded = SWE.graded(QUERY, output, profile, {(0, fingerprint(patch)): Verdict(1.0, "resolved")})
    assert (graded.value, graded.prediction) == (1.0, patch)
    for verdicts in ({}, {(0, fingerprint(NEW)): Verdict(1.0, "")}, {(1, fingerprint(patch)): Verdict(1.0, "")}):
        assert math.isnan(SWE.graded(QUERY, output, profile, verdicts).value)


def test_no_patch_scores_0_without_any_harness():
    assert SWE.score(QUERY, "I cannot do that.").value == 0
    assert SWE.score(QUERY, f"<think>\n{OLD}").prediction == OLD  # it broke off, but what it wrote may be right
    assert SWE.score_compat(QUERY, " \n").value == 0


def test_predictions_come_back_as_they_were():
    patches = {"a__a-1": OLD, "b__b-2": "x\u2028\ud800\n"}
    text = to_predictions("org/model", patches)
    assert [set(json.loads(line)) for line in text.splitlines()] == [
        {"instance_id", "model_name_or_path", "model_patch"}
    ] * 2
    assert read_predictions(text) == ("org/model", patches)


IDS = ("good", "bad", "broken", "empty", "skipped", "flaky")
NOW = {
    "resolved_ids": ["good"], "unresolved_ids": ["bad", "flaky"], "error_ids": ["broken"], "empty_patch_ids": ["empty"],
    "incomplete_ids": ["skipped", "not handed in"], "completed_ids": ["good", "bad", "flaky"],
    "infra_failure_ids": ["flaky"], "schema_version": 2, "resolved_instances": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(NOW, {"good": 1, "bad": 0, "broken": 0, "empty": 0}, id="version 5"),
        pytest.param({key: NOW[key] for key in ("resolved_ids", "unresolved_ids", "error_ids")},
                     {"good": 1, "bad": 0, "broken": 0, "flaky": 0}, id="versions 2 to 4"),
        pytest.param({"resolved_ids": ["good"], "completed_ids": ["good", "bad"], "failed_ids": ["broken"],
                      "pending_ids": ["flaky"]}, {"good": 1, "bad": 0, "broken": 0}, id="the hosted service"),
        pytest.param({"resolved": ["good"], "no_generation": ["empty"], "no_logs": ["skipped"]},
                     {"good": 1, "bad": 0, "broken": 0, "empty": 0, "flaky": 0}, id="version 1"),
        pytest.param({"good": {"resolved": True}, "bad": {"resolved": False, "patch_exists": True}},
                     {"good": 1, "bad": 0}, id="of single instances"),
        pytest.param({"resolved_ids": ["somebody else's"]}, {}, id="about other instances"),
    ],
)  # fmt: skip
def test_reports_of_all_versions(report, expected):
    verdicts = read_report(report, IDS, "the harness", "r.json")
    assert {instance: verdict.value for instance, verdict in verdicts.items()} == expected


@pytest.mark.parametrize("document", [[], {}, {"resolved": 3}, {"a": 1}, {"a": {"resolved": "yes"}}, "x", None])
def test_another_document_is_refused(document):
    with pytest.raises(BenchmarkError, match=r"r\.json: no report of the SWE-bench harness"):
        read_report(document, IDS, "the harness", "r.json")


@needs_data
def test_every_gold_patch_is_found_as_it_is():
    queries = SWE.load(DATA_DIR)
    assert len(queries) == len({query.metadata["instance_id"] for query in queries}) == 500
    for query in queries:
        gold = query.ground_truth.rstrip("\n") + "\n"
        for output in (gold, f"Fixed.\n\n```diff\n{gold}```\nThis works.", f"<think>x</think><patch>\n{gold}</patch>"):
            assert last_patch(output) == (gold, ""), query.metadata["instance_id"]
        assert patch_compat(f"Fixed.\n<patch>\n{gold}</patch>") == gold.strip()
