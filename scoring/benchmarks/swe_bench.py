"""SWE-Bench Verified: 500 issues of Python projects, each to be resolved with one patch.

Data: the dataset SWE-bench_Verified (split test; SWE-bench is MIT, the patches have the licences of their projects) as
JSON lines, here <data_dir>/swe-bench/test.jsonl or test.jsonl.gz. A row, shortened:

    {"repo": "astropy/astropy", "instance_id": "astropy__astropy-12907", "version": "4.3", "base_commit": "d16bfe05…",
     "problem_statement": "Modeling's `separability_matrix` does not compute …", "hints_text": "",
     "patch": "diff --git …", "test_patch": "…", "FAIL_TO_PASS": "[\"astropy/…\"]", "PASS_TO_PASS": "[…]",
     "difficulty": "15 min - 1 hour"}

and, in text.jsonl beside it, the prompts {"instance_id": …, "text": …} of one of the public text datasets
(SWE-bench_oracle, SWE-bench_bm25_13K, …; rows of other instances may be in it). They show the files to change, and the
published tables were most likely made with the oracle's. Without that file a model gets the issue, its hints, the name
and the version of the project, and has to know the code by heart: such scores mean something else.

Answer: the last complete unified diff after the reasoning. None scores 0; all others are graded by the official harness
(`launch/grade_swe_bench.py`): 1 where it says resolved. The published rule takes the first block that is marked as a
patch (LLMRouterBench, section SWE-Bench; `extract_diff` of SWE-bench).
"""

from pathlib import Path

from scoring.benchmark import BenchmarkError
from scoring.graded_elsewhere import GradedElsewhere
from scoring.graders.patch import last_patch, patch_compat
from scoring.graders.reasoning import after_reasoning, why
from scoring.rows import find_file, read_rows
from store.records import Message, Query

_SOURCE = "the split test of the dataset SWE-bench_Verified (500 rows) as JSON lines"
_PROMPT = """Below is an issue of the project {repo}, version {version}. You do not see its files; work from what you know of this version.

<issue>
{issue}
</issue>
{hints}
Resolve the issue with a single patch. It is applied to the root of the repository with `git apply`, so it has to be a unified diff: a line `--- a/…` and a line `+++ b/…` for each file, hunks with correct line numbers in their headers, context lines exactly as in the file. Give the complete patch between <patch> and </patch>, once, at the end of your response."""  # noqa: E501
_HINTS = """
Remarks that were made on it:

<hints>
{hints}
</hints>
"""


class SWEBench(GradedElsewhere):
    """The human-verified part of SWE-bench, one patch per issue."""

    name = "swe_bench"

    def load(self, data_dir: Path) -> list[Query]:
        path = find_file(data_dir, "swe-bench/test.jsonl", _SOURCE)
        fields = ("instance_id", "repo", "version", "base_commit", "problem_statement", "hints_text", "patch")
        rows = read_rows(path, dict.fromkeys(fields, str))
        texts = _texts(data_dir)
        if texts is not None and (lost := [row["instance_id"] for row in rows if row["instance_id"] not in texts]):
            raise BenchmarkError(
                f"{path.with_name('text.jsonl')}: no text for {len(lost)} of the {len(rows)} instances, such as "
                f"{lost[0]}; use the split test of a text dataset that covers all of SWE-bench, or remove the file"
            )
        return [
            Query(
                index,
                row["problem_statement"],
                row["patch"],
                metadata={key: row[key] for key in ("instance_id", "repo", "version", "base_commit", "hints_text")}
                | ({} if texts is None else {"text": texts[row["instance_id"]]}),
            )
            for index, row in enumerate(rows)
        ]

    def prompt(self, query: Query) -> list[Message]:
        if text := query.metadata.get("text"):
            return [{"role": "user", "content": text}]
        hints = query.metadata["hints_text"].strip()
        content = _PROMPT.format(
            repo=query.metadata["repo"],
            version=query.metadata["version"],
            issue=query.text.strip(),
            hints=_HINTS.format(hints=hints) if hints else "",
        )
        return [{"role": "user", "content": content}]

    def submission(self, query: Query, text: str) -> tuple[str, str]:
        answer, truncated = after_reasoning(text)
        patch, flaw = last_patch(answer)
        return patch, why(flaw or "a valid diff", truncated)

    def submission_compat(self, query: Query, text: str) -> tuple[str, str]:
        patch = patch_compat(text)
        return patch, "" if patch else "no text"


def _texts(data_dir: Path) -> dict[str, str] | None:
    """instance_id -> prompt with the files of the repository, None where there is no such file."""
    path = Path(data_dir) / "swe-bench" / "text.jsonl"
    if not path.is_file() and not path.with_name("text.jsonl.gz").is_file():
        return None
    rows = read_rows(find_file(data_dir, "swe-bench/text.jsonl", "a text dataset"), {"instance_id": str, "text": str})
    return {row["instance_id"]: row["text"] for row in rows}
