"""Where jobs run, as plain data (configuration group `cluster`)."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class ClusterSpec:
    """A SLURM cluster, this machine, or this process."""

    name: str = field(metadata={"help": "name of the preset"})
    executor: str = field(
        metadata={"help": "slurm, local (processes on this machine) or inline (this process)",
                  "choices": ["slurm", "local", "inline"]}
    )  # fmt: skip
    max_parallel: int = field(
        default=64, metadata={"help": "workers at the same time; the longest models get several", "min": 1}
    )
    workers_per_model: int | None = field(
        default=None, metadata={"help": "fixed number of array tasks per model; null: by the expected work", "min": 1}
    )
    timeout_min: int = field(default=24 * 60, metadata={"help": "time limit of a task", "min": 1})
    signal_delay_s: int = field(
        default=120, metadata={"help": "SLURM's warning comes so long before the limit", "min": 10}
    )
    gpus_per_worker: int | None = field(
        default=None, metadata={"help": "GPUs of one worker; null: the model's tensor_parallel_size", "min": 0}
    )
    gpus_per_node: int = field(
        default=8, metadata={"help": "a router that reads the text trains on all of a node's GPUs", "min": 1}
    )
    gpu_memory_gb: float = field(
        default=80.0, metadata={"help": "of one GPU; a training that would need more is refused", "min": 1.0}
    )
    cpus_per_task: int | None = field(default=None, metadata={"min": 1})
    setup: list[str] = field(
        default_factory=list, metadata={"help": "shell lines before the worker: module load, source activate, …"}
    )
    environment: dict[str, str] = field(
        default_factory=dict, metadata={"help": "variables exported before the setup lines"}
    )
    slurm: dict[str, Any] = field(
        default_factory=dict,
        metadata={"help": "any parameter of submitit's SLURM executor: partition, account, qos, constraint, exclude, "
                          "gres, mem, additional_parameters, …"},
    )  # fmt: skip
