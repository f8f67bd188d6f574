"""Reduce a setting to metrics, tables, figures and one HTML report.

python launch/reduce.py setting=demo
python launch/reduce.py setting=mine.yaml compare=published    # LLMRouterBench's figures beside the measured ones
python launch/reduce.py setting=mine.yaml report.latency=providers.csv    # and how long answers take
"""

import sys

from configs.schema import Config
from launch.command import Command, required, run

COMMAND = Command(
    name="reduce",
    summary="Reduce a setting to metrics, tables, figures and one HTML report.",
    sections=("store", "setting", "encoder", "router", "cluster", "report"),
    defaults={"encoder": "minilm", "cluster": "inline"},
)


def reduce_routers(config: Config) -> int:
    """Write the report and print its tables; gives back the exit status."""
    from functools import partial
    from pathlib import Path

    from jobs.executor import run_tasks
    from jobs.reduce import ReduceTask, reduce_setting
    from launch.follow import console, following, print_failures
    from launch.planning import run_folder, setting_of
    from scoring.provider_figures import read_provider_figures
    from store.names import to_file_name

    required(config, "router")
    required(config, "cluster")
    setting = setting_of(config)
    assert config.cluster is not None
    assert config.setting is not None
    folder = Path(config.report.folder).expanduser().absolute() / to_file_name(setting.name)
    task = ReduceTask(
        setting=setting, routers=tuple(config.router), seeds=tuple(config.setting.seeds), folder=folder,
        n_resamples=config.report.n_resamples, usd_per_hour=config.report.usd_per_hour,
        prompt_characters=config.report.prompt_characters,
        compare_published=config.report.compare == "published",
        providers=read_provider_figures(Path(table).expanduser()) if (table := config.report.latency) else None,
        other_encoders=tuple(Path(name).expanduser().absolute() for name in config.report.encoders),
    )  # fmt: skip
    jobs = run_folder(config, "reduce")
    with following("reduce") as show:
        statuses = run_tasks(
            config.cluster, jobs, "routeyard-reduce", {setting.name: partial(reduce_setting, task)}, on_poll=show
        )
    if print_failures(statuses):
        return 1
    from scoring.tables import print_tables

    print_tables(statuses[0].result, console)
    if task.compare_published:
        for note in statuses[0].result["published"]["notes"]:
            console.print(f"• {note}", markup=False, highlight=False)
        console.print(f"\npublished figures: {folder / 'compare.md'}", soft_wrap=True, highlight=False)
    console.print(f"\nreport: {folder / 'index.html'}", soft_wrap=True, highlight=False)
    return 0


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, reduce_routers, arguments)


if __name__ == "__main__":
    sys.exit(main())
