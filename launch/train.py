"""Train routers on a setting and route its test queries.

python launch/train.py setting=demo
python launch/train.py setting=release_flagship router=[knn,avengers_pro] router.knn.params.n_neighbors=100
python launch/train.py setting=performance router=[router_dc,model_sat] cluster=a800 dry_run=true
"""

import sys

from configs.schema import Config
from launch.command import Command, required, run

COMMAND = Command(
    name="train",
    summary="Train routers on a setting, with every seed, and route its test queries.",
    details="Embeddings that are needed and missing are made first. Routings that are up to date are skipped.",
    sections=("store", "setting", "encoder", "router", "cluster", "train"),
    defaults={"encoder": "minilm", "cluster": "inline"},
)


def train_routers(config: Config) -> int:
    """Train what is not up to date, one task per router; gives back the exit status."""
    from collections import Counter
    from dataclasses import replace
    from functools import partial

    from jobs.embed import missing_embeddings
    from jobs.executor import follow, submit
    from jobs.train import in_parts, inputs_of, missing_seeds, reads_text, train
    from launch.embed import embed_setting
    from launch.follow import console, following, print_failures
    from launch.planning import layout_of, run_folder, setting_of, train_tasks
    from launch.train_plan import memory_plans, print_plan, ranks_of, refuse_too_large

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
    readers = {name: task for name, task in parts.items() if reads_text(task)}
    n_ranks, plans = ranks_of(config), memory_plans(config, readers)
    if config.train.dry_run:
        print_plan(config, parts, plans)
        return 0
    refuse_too_large(config, plans)
    folder = run_folder(config, "train")
    with following("train") as show:
        calls = {name: partial(train, task) for name, task in parts.items() if name not in readers}
        statuses = submit(config.cluster, folder, "routeyard-train", calls) if calls else []
        if readers:
            calls = {name: partial(train, task) for name, task in readers.items()}
            statuses += submit(
                config.cluster, folder, "routeyard-train", calls,
                gpus_per_task=n_ranks, nodes_per_task=config.train.nodes, ranks_per_node=n_ranks,
            )  # fmt: skip
        follow(config.cluster, statuses, show)
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
