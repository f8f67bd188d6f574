"""The whole road: collect -> score -> embed -> train -> reduce.

python launch/suite.py pool=demo
"""

import sys

from configs.compose import available
from configs.schema import Config
from launch.collect import collect
from launch.command import Command, default_engine, run
from launch.embed import embed_setting
from launch.reduce import reduce_routers
from launch.score import score_benchmarks
from launch.train import train_routers

COMMAND = Command(
    name="suite",
    summary="Collect, score, embed, train and reduce, each step skipping what is there.",
    details="The setting is the one called like the pool unless setting=… says otherwise.",
    sections=(
        "store", "data", "pool", "benchmark", "judge", "engine", "sampling", "simulator", "cluster", "collect", "score",
        "encoder", "setting", "router", "report",
    ),
    defaults={"cluster": "local", "engine": default_engine(), "encoder": "minilm"},
)  # fmt: skip


def whole_road(config: Config) -> int:
    """All steps; one that fails in part does not keep the next from using what is there. Gives back the exit status."""
    status = 0
    for step in (collect, score_benchmarks, embed_setting, train_routers, reduce_routers):
        status = max(status, step(config))
    return status


def main(arguments: list[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    chosen = dict(word.split("=", 1) for word in words if "=" in word)
    if "setting" not in chosen and chosen.get("pool") in available("setting"):
        words.append(f"setting={chosen['pool']}")
    return run(COMMAND, whole_road, words)


if __name__ == "__main__":
    sys.exit(main())
