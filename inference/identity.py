"""What determines a response, and its digest: two configurations never mix in one place unseen."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.engine import ModelError, engine_version
from inference.spec import EngineSpec, JudgeSpec, ModelSpec, Sampling, SimulatorSpec
from inference.tau2_process import tau2_version
from store.digest import digest, digest_folder


def is_local(path: str) -> bool:
    """Whether a model's path means a folder, not a hub id: it is absolute, begins with a dot, or exists."""
    return path.startswith(("/", "./", "../", "~")) or Path(path).is_dir()


def check_path(model: ModelSpec) -> None:
    """Raise unless a model that is given as a folder is there.

    Raises:
        ModelError: the folder does not exist or holds no checkpoint.
    """
    if is_local(model.path) and not (Path(model.path).expanduser() / "config.json").is_file():
        raise ModelError(
            f"model {model.name}: {model.path} is not a checkpoint folder (no config.json in it); "
            "correct its path in the pool's YAML"
        )


def response_identity(
    model: ModelSpec, engine: EngineSpec, sampling: Sampling, max_tokens: int, prompt_digest: str
) -> tuple[str, dict[str, Any]]:
    """Digest of everything that determines a response, and the readable parts of it for the file's meta.

    Speed settings (batch size, parallelism, memory share) are not among them; of an API, neither is its address.
    """
    parts: dict[str, Any]
    if model.provider is not None:
        parts = {
            "model": model.name,
            "api_model": model.path,
            "request_args": model.request_args,
            "sampling": {**asdict(sampling), "max_tokens": max_tokens},
            "engine": "api",
            "prompt_digest": prompt_digest,
        }
        return digest(parts), parts
    checkpoint = (
        digest_folder(Path(model.path).expanduser()) if is_local(model.path) else f"{model.path}@{model.revision}"
    )
    parts = {
        "model": model.name,
        "checkpoint": checkpoint,
        "dtype": model.dtype,
        "max_model_len": model.max_model_len,
        "chat_template_kwargs": model.chat_template_kwargs,
        "sampling": {**asdict(sampling), "max_tokens": max_tokens},
        "engine": engine_version(engine),
        "prompt_digest": prompt_digest,
    }
    if model.engine_args:
        parts["engine_args"] = model.engine_args
    return digest(parts), parts


def judge_identity(judge: JudgeSpec) -> dict[str, Any]:
    """What a judge's verdicts depend on, readable, for the meta of scores. Unlike a response's it has the address: the
    same name at another place may be another model, and judging again costs little.
    """
    return {
        "model": judge.model.path,
        "base_url": judge.provider.base_url,
        "request_args": judge.model.request_args,
        "sampling": {**asdict(judge.sampling), "max_tokens": judge.model.max_tokens or judge.sampling.max_tokens},
    }


def simulation_identity(
    model: ModelSpec,
    engine: EngineSpec,
    sampling: Sampling,
    max_tokens: int,
    tasks_digest: str,
    simulator: SimulatorSpec,
) -> tuple[str, dict[str, Any]]:
    """The same for a conversation of τ²-Bench: the tasks stand for the prompts, and the other side belongs to it.

    Raises:
        EngineError: the tau2 package is not there.
    """
    _, parts = response_identity(model, engine, sampling, max_tokens, tasks_digest)
    parts["tau2"] = {
        "package": tau2_version(simulator.python),
        "user": [simulator.user.path, simulator.user.request_args],
        "limits": [simulator.max_steps, simulator.max_errors],
        "seed": simulator.seed,
    }
    if model.provider is None:
        parts["tool_call_parser"] = model.tool_call_parser
    return digest(parts), parts
