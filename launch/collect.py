"""Collect the answers of a pool of models to benchmarks.

python launch/collect.py pool=demo
python launch/collect.py pool=demo benchmarks=[demo_sort] cluster=slurm_test
"""

import sys

from configs.schema import Config
from launch.command import Command, default_engine, run

COMMAND = Command(
    name="collect",
    summary="Collect the answers of a pool of models to benchmarks.",
    details="What is in the store already is skipped; typing the same command again resumes. Ctrl-C detaches.",
    sections=("store", "data", "pool", "benchmark", "engine", "sampling", "simulator", "cluster", "collect"),
    defaults={"cluster": "local", "engine": default_engine()},
)


def collect(config: Config) -> int:
    """Collect what is missing; gives back the exit status."""
    from launch.collect_pool import collect_pool
    from launch.passes import passes

    return max(collect_pool(part) for part in passes(config))


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, collect, arguments)


if __name__ == "__main__":
    sys.exit(main())
