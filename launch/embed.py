"""Embed the queries of a setting's benchmarks.

python launch/embed.py setting=demo
python launch/embed.py setting=release_flagship encoder=minilm
"""

import sys

from configs.schema import Config
from launch.command import Command, required, run

COMMAND = Command(
    name="embed",
    summary="Embed the queries of a setting's benchmarks with one encoder.",
    sections=("store", "setting", "encoder", "cluster"),
    defaults={"encoder": "minilm", "cluster": "inline"},
)


def embed_setting(config: Config) -> int:
    """Embed what has no up-to-date embedding; gives back the exit status."""
    from functools import partial

    from jobs.embed import embed, missing_embeddings
    from jobs.executor import run_tasks
    from launch.follow import console, following, print_failures
    from launch.planning import layout_of, run_folder, setting_of

    setting = setting_of(config)
    required(config, "cluster")
    assert config.cluster is not None
    assert config.encoder is not None
    missing = missing_embeddings(layout_of(config).root, config.encoder, setting.benchmarks)
    if not missing:
        console.print(f"embed: every query of setting {setting.name} has its {setting.encoder} embedding")
        return 0
    call = partial(embed, layout_of(config).root, config.encoder, missing)
    folder = run_folder(config, "embed")
    with following("embed") as show:
        statuses = run_tasks(config.cluster, folder, "routeyard-embed", {setting.encoder: call}, on_poll=show)
    if print_failures(statuses):
        return 1
    console.print(f"embed: {sum(statuses[0].result.values())} queries embedded with {setting.encoder}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, embed_setting, arguments)


if __name__ == "__main__":
    sys.exit(main())
