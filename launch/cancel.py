"""End what this store's runs have submitted and what still lives of it, and nothing else.

python launch/cancel.py pool=small
"""

import sys

from configs.schema import Config
from launch.command import Command, run

COMMAND = Command(
    name="cancel",
    summary="End the jobs that were submitted for a store, or for one pool's collection.",
    details="Workers commit what they have, free their claims and leave; the same collect command goes on from there.",
    sections=("store", "pool"),
)


def cancel_jobs(config: Config) -> int:
    """Tell every live job to end; gives back the exit status."""
    from jobs.submissions import cancel, live_submissions
    from launch.follow import console
    from launch.planning import job_name, layout_of

    live = [one for one, _ in live_submissions(layout_of(config), job_name(config) if config.pool else None)]
    cancel(live)
    for one in live:
        console.print(
            f"cancelled {one.name} ({one.kind} {one.job_id}); log: {one.log}", soft_wrap=True, highlight=False
        )
    if not live:
        console.print("nothing of this store is running")
    return 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, cancel_jobs, arguments)


if __name__ == "__main__":
    sys.exit(main())
