"""Read every byte of the store and say what is damaged.

python launch/verify.py
python launch/verify.py verify.quarantine=true
"""

import sys

from configs.schema import Config
from launch.command import Command, run

COMMAND = Command(
    name="verify",
    summary="Read every byte of the store: checksums, offsets, keys; say what is damaged.",
    sections=("store", "verify"),
)


def verify_store(config: Config) -> int:
    """Check every file; gives back the exit status."""
    from launch.follow import console
    from launch.planning import layout_of
    from store.verify import quarantine, verify

    n_files = n_damaged = 0
    for path, problem in verify(layout_of(config), time_limit_s=config.verify.time_limit_s):
        n_files += 1
        if problem:
            n_damaged += 1
            aside = f" (set aside as {quarantine(path).name})" if config.verify.quarantine else ""
            console.print(f"[red]damaged[/red] {problem}{aside}", soft_wrap=True, highlight=False)
    console.print(f"{n_files} files read, {n_damaged} damaged")
    return 1 if n_damaged else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, verify_store, arguments)


if __name__ == "__main__":
    sys.exit(main())
