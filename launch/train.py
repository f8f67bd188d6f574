"""Train routers on a setting and route its test queries.

python launch/train.py setting=demo
python launch/train.py setting=release_flagship router=[knn,avengers_pro] router.knn.params.n_neighbors=100
"""

import sys

from configs.schema import Config
from launch.command import Command, required, run

COMMAND = Command(
    name="train",
    summary="Train routers on a setting, with every seed, and route its test queries.",
    details="Embeddings that are needed and missing are made first. Routings that are up to date are skipped.",
    sections=("store", "setting", "encoder", "router", "cluster"),
    defaults={"encoder": "minilm", "cluster": "inline"},
)


def train_routers(config: Config) -> int:
    """Train what is not up to date, one task per router; gives back the exit status."""
    from collections import Counter
    from dataclasses import replace
    from functools import partial

    from jobs.embed import missing_embeddings
    from jobs.executor import run_tasks
    from jobs.train import in_parts, inputs_of, missing_seeds, train
    from launch.embed import embed_setting
    from launch.follow import console, following, print_failures
    from launch.planning import layout_of, run_folder, setting_of, train_tasks

    required(config, "router")
    required(config, "cluster")
    setting = setting_of(config)
    assert config.cluster is not None
    assert config.encoder is not None
    tasks = train_tasks(config, setting)
    if (
        any("embedding" in inputs_of(task) for task in tasks.values())
        and missing_embeddings(layout_of(config).root, config.encoder, setting.benchmarks)
        and embed_setting(config)
    ):
        return 1
    matrix = setting.matrix()
    missing = [replace(task, seeds=seeds) for task in tasks.values() if (seeds := missing_seeds(task, matrix))]
    if not missing:
        console.print(f"train: every routing of setting {setting.name} is up to date")
        return 0
    parts = in_parts(missing, config.cluster)
    calls = {name: partial(train, task) for name, task in parts.items()}
    folder = run_folder(config, "train")
    with following("train") as show:
        statuses = run_tasks(config.cluster, folder, "routeyard-train", calls, on_poll=show)
    seconds: Counter[str] = Counter()
    for status in statuses:
        if status.state == "done":
            seconds[parts[status.name].name] += sum(status.result.values())
    console.print("train: " + ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()))
    return 1 if print_failures(statuses) else 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, train_routers, arguments)


if __name__ == "__main__":
    sys.exit(main())
