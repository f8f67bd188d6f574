"""Ask a router which model should answer a prompt.

python launch/route.py setting=demo router=knn "Sort these letters: q c x a"
python launch/route.py setting=release_flagship router=avengers_pro route.trade_off=0.3 -- "x=5; what is x squared?"
"""

import math
import sys
from typing import TYPE_CHECKING

from configs.schema import Config
from launch.command import Command, required, run

if TYPE_CHECKING:  # these are imported where they are needed: --help starts without them
    from rich.table import Table

    from jobs.route import Ranking

COMMAND = Command(
    name="route",
    summary="Ask a router which model of a setting should answer a prompt.",
    details="The router is fitted on every query of the setting the first time, and kept. Put -- before a prompt that "
    "looks like key=value.",
    sections=("store", "setting", "encoder", "router", "route"),
    defaults={"encoder": "minilm"},
    path="prompt",
)


def route_prompt(config: Config, prompt: str) -> int:
    """Print the ranking of each chosen router; gives back the exit status."""
    from jobs.embed import missing_embeddings
    from jobs.route import fitted_router, rank
    from jobs.train import inputs_of
    from launch.follow import console
    from launch.planning import layout_of, setting_of, train_tasks
    from store.errors import RouteyardError

    required(config, "router")
    setting = setting_of(config)
    assert config.encoder is not None
    tasks = train_tasks(config, setting)
    missing = missing_embeddings(layout_of(config).root, config.encoder, setting.benchmarks)
    if missing and any("embedding" in inputs_of(task) for task in tasks.values()):
        raise RouteyardError(f"no {setting.encoder} embeddings of {', '.join(missing)}; run launch/embed.py first")
    for name, task in tasks.items():
        ranking = rank(fitted_router(task), config.encoder, prompt, config.route.trade_off)
        console.print(_table(f"{name}, fitted on setting {setting.name}", ranking))
    return 0


def _table(title: str, ranking: "Ranking") -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in ("model", "utility", "mean score", "mean USD per query"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for model, *numbers in zip(ranking.models, ranking.utility, ranking.score, ranking.cost, strict=True):
        utility, score, cost = (f"{number:.4g}" if math.isfinite(number) else "–" for number in numbers)
        table.add_row(model, utility, score, cost)
    return table


def main(arguments: list[str] | None = None) -> int:
    return run(COMMAND, route_prompt, arguments)


if __name__ == "__main__":
    sys.exit(main())
