"""What training will be submitted: jobs, ranks and memory of the routers that read the text, and the sbatch script."""

from rich.table import Table

from configs.compose import ConfigError
from configs.schema import Config
from jobs.executor import sbatch_script
from jobs.train import TrainTask
from launch.follow import console
from launch.planning import layout_of
from routers.router import find
from routers.text_router import TextRouter

_USABLE = 0.85  # of a GPU's memory; the allocator holds up to a sixth more than is in use


def ranks_of(config: Config) -> int:
    """Ranks on each node of a job that trains a router which reads the text: one per GPU, one without GPUs."""
    assert config.cluster is not None
    if config.cluster.executor != "slurm":
        return 1
    return config.train.ranks_per_node or (1 if config.cluster.gpus_per_worker == 0 else config.cluster.gpus_per_node)


def memory_plans(config: Config, readers: dict[str, TrainTask]) -> dict[str, float]:
    """Name -> bytes of each GPU that training its router takes, where it will train on GPUs of a cluster.

    Raises:
        RouterError: a parameter is wrong, or the encoder is not there to be looked at.
    """
    assert config.cluster is not None
    plans: dict[str, float] = {}
    for name, task in readers.items():
        router = find(task.router)(**task.params)
        assert isinstance(router, TextRouter)
        router.plan()
        if config.cluster.executor == "slurm" and config.cluster.gpus_per_worker != 0:
            plans[name] = router.gpu_bytes(config.train.nodes * ranks_of(config))
    return plans


def refuse_too_large(config: Config, plans: dict[str, float]) -> None:
    """Raise ConfigError where a training would run out of memory."""
    assert config.cluster is not None
    limit = config.cluster.gpu_memory_gb
    for name, needed in plans.items():
        if needed > _USABLE * limit * 1e9:
            raise ConfigError(
                f"{name} would take about {needed / 1e9:.0f} GB of each GPU and cluster {config.cluster.name} has "
                f"{limit:g}; raise training.zero_stage or train.nodes, or lower training.micro_batch or max_tokens"
            )


def print_plan(config: Config, parts: dict[str, TrainTask], plans: dict[str, float]) -> None:
    """One line per job; then the script of the jobs of several ranks to the letter.

    Raises:
        ConfigError: a training cannot fit.
    """
    assert config.cluster is not None
    assert config.setting is not None
    cluster, n_ranks = config.cluster, ranks_of(config)
    table = Table(box=None, pad_edge=False, title=f"plan: setting {config.setting.name}, cluster {cluster.name}",
                  title_justify="left")  # fmt: skip
    for title in ("job", "seeds", "nodes", "ranks per node", "GB of each GPU"):
        table.add_column(title, justify="left" if title == "job" else "right")
    readers = []
    for name, task in parts.items():
        is_reader = issubclass(find(task.router), TextRouter)
        readers += [name] if is_reader else []
        needed = f"{plans[name] / 1e9:.0f} of {cluster.gpu_memory_gb:g}" if name in plans else ""
        shape = (str(config.train.nodes), str(n_ranks)) if is_reader else ("1", "1")
        table.add_row(name, ", ".join(map(str, task.seeds)), *shape, needed)
    console.print(table)
    if readers and cluster.executor == "slurm":
        folder = layout_of(config).runs / "RUN"  # named when it is submitted
        script = sbatch_script(cluster, folder, "routeyard-train", len(readers), n_ranks, config.train.nodes, n_ranks)
        console.print("\n" + script, soft_wrap=True, highlight=False, markup=False)
    refuse_too_large(config, plans)
