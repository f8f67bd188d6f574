"""The files of the official SWE-bench harness: predictions as it reads them, reports as its versions have written them.

A report is a JSON object of one of three shapes:

    {"resolved_ids": […], "unresolved_ids": […], "error_ids": […], "empty_patch_ids": […], "incomplete_ids": […], …}
    {"resolved": […], "no_generation": […], "no_logs": […], …}       before version 2, and published submissions
    {"astropy__astropy-12907": {"resolved": false, …}, …}            of single instances, one or more

An error (a patch that does not apply, tests that took too long) counts 0, as in the official rate. What the harness
puts down to its own environment (`infra_failure_ids`) or has not run has no verdict, and is handed in again.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from scoring.benchmark import BenchmarkError
from store.verdicts import Verdict

_UNRESOLVED = {  # field -> what it says of an instance; an instance may stand in several, the last one counts
    "completed_ids": "not resolved",
    "unresolved_ids": "not resolved",
    "failed_ids": "not resolved",
    "empty_patch_ids": "an empty patch",
    "error_ids": "an error: it does not apply, or its tests broke off",
}
_NOT_RUN = ("incomplete_ids", "pending_ids", "infra_failure_ids", "no_logs")


def to_predictions(model: str, patches: Mapping[str, str]) -> str:
    """JSON lines as the harness reads them.

    Args:
        patches: instance id -> patch.
    """
    rows = [
        {"instance_id": instance, "model_name_or_path": model, "model_patch": patch}
        for instance, patch in patches.items()
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def read_predictions(text: str) -> tuple[str, dict[str, str]]:
    """The inverse of `to_predictions`: model, and instance id -> patch."""
    rows = [json.loads(line) for line in text.splitlines()]
    return rows[0]["model_name_or_path"], {row["instance_id"]: row["model_patch"] for row in rows}


def read_report(report: Any, handed_in: Collection[str], says: str, source: str) -> dict[str, Verdict]:
    """Instance id -> verdict, for those of the instances handed in that the harness has run.

    Args:
        report: the JSON document.
        handed_in: instance ids.
        says: who says it, for the explanations.
        source: where it comes from, for the error message.

    Raises:
        BenchmarkError: it has none of the known shapes.
    """
    if not isinstance(report, dict):
        raise _not_a_report(source)
    if isinstance(report.get("resolved_ids"), list):
        found = {one: reason for field, reason in _UNRESOLVED.items() for one in report.get(field) or ()}
        resolved = set(report["resolved_ids"])
    elif isinstance(report.get("resolved"), list):
        found = dict.fromkeys(handed_in, "not resolved") | dict.fromkeys(
            report.get("no_generation") or (), "an empty patch"
        )
        resolved = set(report["resolved"])
    elif report and all(isinstance(one, dict) and isinstance(one.get("resolved"), bool) for one in report.values()):
        found = dict.fromkeys(report, "not resolved")
        resolved = {instance for instance, one in report.items() if one["resolved"]}
    else:
        raise _not_a_report(source)
    not_run = {one for field in _NOT_RUN for one in report.get(field) or ()} - resolved
    verdicts = {one: Verdict(0.0, f"{reason}, says {says}") for one, reason in found.items()}
    verdicts |= {one: Verdict(1.0, f"resolved, says {says}") for one in resolved}
    return {one: verdict for one, verdict in verdicts.items() if one in handed_in and one not in not_run}


def _not_a_report(source: str) -> BenchmarkError:
    return BenchmarkError(
        f"{source}: no report of the SWE-bench harness; expected a JSON object with resolved_ids, with resolved, or "
        "with an object for each instance"
    )
