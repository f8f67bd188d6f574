"""The trainer of the routers that read the text: DeepSpeed over all ranks of a job, resumable at any step.

One optimiser step sees `batch_size` rows, cut into micro batches. Nothing depends on the number of ranks: a loss sees
one micro batch, its random numbers come from (seed, step, number of the micro batch), and the rows of a step from
(seed, step). So a checkpoint needs no random states and no position of a sampler, 1 and 8 ranks give the same losses
but for the order of sums, and a job that is killed and comes back ends with the same weights to the bit.

The weights that count are those of the evaluation with the highest quality on rows held out from the training split.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed
from numpy.typing import NDArray

from routers.router import RouterError
from store.atomic import make_folder, move_file, sync, write_file

log = logging.getLogger("routeyard.train")

Forward = Callable[..., Any]  # the network; under DeepSpeed it gathers the weights that other ranks hold
State = dict[str, torch.Tensor]

_KEPT = 2  # checkpoints


class Interrupted(Exception):
    """A training was told to stop; its last checkpoint has everything it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Attributes:
        batch_size: rows of an optimiser step, over all ranks.
        micro_batch: rows of a forward pass.
        steps: at most so many.
        first_step, all_steps: of a training in stages, the steps before this one and those of all; the learning rate
            goes on from stage to stage. 0 steps in all: this is the only one.
        learning_rate, weight_decay: of AdamW.
        warmup: share of the steps in which the learning rate grows from 0.
        schedule: of the learning rate afterwards: "constant", "linear" or "cosine", both down to 0.
        clip: largest norm of a gradient; 0: any.
        evaluate_every, checkpoint_every: in steps.
        patience: training ends after so many evaluations without a new best.
        zero_stage: what ranks share of the state: 0 nothing, 1 optimiser, 2 and gradients, 3 and weights.
    """

    batch_size: int
    micro_batch: int
    steps: int
    first_step: int = 0
    all_steps: int = 0
    learning_rate: float
    weight_decay: float
    warmup: float
    schedule: str
    clip: float = 1.0
    evaluate_every: int
    checkpoint_every: int
    patience: int
    zero_stage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is trained on what.

    Attributes:
        n_rows: to train on.
        loss: mean over the given rows, a scalar; called with the network, row numbers [micro_batch] and random numbers.
        n_held_out: rows by which the best weights are found; 0: the last weights count.
        output: of the network for some of them, [n, n_outputs].
        n_tokens: of every row, [n_rows]: texts of a like length of a step share a micro batch, so that little of it is
            padding; None where the loss depends on which rows a micro batch has.
        quality: of the outputs of all of them, float32 [n_held_out, n_outputs]; higher is better.
    """

    n_rows: int
    loss: Callable[[Forward, NDArray[np.int64], np.random.Generator], torch.Tensor]
    n_held_out: int
    output: Callable[[Forward, NDArray[np.int64]], torch.Tensor]
    quality: Callable[[NDArray[np.float32]], float]
    n_tokens: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What came out: weights on the CPU, the step they are of, the steps that were done, and losses [n_steps]."""

    state: State
    best_step: int
    n_steps: int
    losses: tuple[float, ...]


def device() -> torch.device:
    """Where this rank computes."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def moved(value: torch.Tensor | NDArray[Any], to: torch.device) -> torch.Tensor:
    """Numbers from this machine's memory on a device; a GPU goes on with its work meanwhile."""
    tensor = torch.from_numpy(value) if isinstance(value, np.ndarray) else value
    return tensor.pin_memory().to(to, non_blocking=True) if to.type == "cuda" else tensor


def join_ranks() -> tuple[int, int]:
    """Number of this rank and of all ranks; joins them the first time.

    What starts several ranks sets RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT, as torchrun does. Without
    them this process is the only one.
    """
    if not torch.distributed.is_initialized():
        has_gpu = torch.cuda.is_available()
        if has_gpu:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count())
        else:
            _compile_nothing()
        options: dict[str, Any] = {"device_id": device()} if has_gpu else {}
        if "WORLD_SIZE" not in os.environ:
            options |= {"store": torch.distributed.HashStore(), "rank": 0, "world_size": 1}
        os.environ.setdefault("LOCAL_RANK", "0")
        torch.distributed.init_process_group("nccl" if has_gpu else "gloo", **options)
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def _compile_nothing() -> None:
    """Have DeepSpeed sum over ranks with gloo on a CPU: its own kernel would be compiled for a minute first."""
    os.environ["DS_ACCELERATOR"] = "cpu"
    import deepspeed

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def descend(
    name: str,
    network: torch.nn.Module,
    problem: Problem,
    recipe: Recipe,
    *,
    folder: Path,
    seed: int,
    groups: Sequence[tuple[Sequence[torch.nn.Parameter], float]] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train a network, from the last checkpoint in the folder if there is one. Called on every rank alike.

    Args:
        name: of the router, for messages.
        network: with its initial weights, the same on every rank.
        folder: of this training alone, seen by all ranks: checkpoints, the best weights, `log.jsonl`.
        groups: parameters and their learning rates; None: all with that of the recipe.
        should_stop: looked at between two steps, on every rank.

    Raises:
        RouterError: the batch cannot be divided among the ranks, the training diverged, or a checkpoint is of another
            number of ranks.
        Interrupted: `should_stop` was true on some rank.
    """
    import deepspeed

    _, n_ranks = join_ranks()
    n_micro, rest = divmod(recipe.batch_size, recipe.micro_batch * n_ranks)
    if rest or not n_micro:
        raise RouterError(
            f"{name}: batch_size {recipe.batch_size} cannot be divided into micro batches of {recipe.micro_batch} "
            f"on {n_ranks} ranks; make it a multiple of {recipe.micro_batch * n_ranks}"
        )
    parameters = [
        {"params": list(some), "lr": rate, "base": rate}
        for some, rate in groups or [(list(network.parameters()), recipe.learning_rate)]
    ]
    engine, optimizer, _, _ = deepspeed.initialize(
        model=network,
        optimizer=torch.optim.AdamW(parameters, weight_decay=recipe.weight_decay),
        config={
            "train_batch_size": recipe.batch_size,
            "train_micro_batch_size_per_gpu": recipe.micro_batch,
            "gradient_accumulation_steps": n_micro,
            "gradient_clipping": recipe.clip,
            "steps_per_print": 2**31,
            "bf16": {"enabled": torch.cuda.is_available()},
            "zero_optimization": {"stage": recipe.zero_stage},
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
        },
        dist_init_required=False,
    )
    try:
        return _descend(name, engine, optimizer, problem, recipe, n_micro, folder, seed, should_stop)
    finally:
        engine.destroy()


def _descend(
    name: str, engine: Any, optimizer: Any, problem: Problem, recipe: Recipe, n_micro: int, folder: Path, seed: int,
    should_stop: Callable[[], bool],
) -> Trained:  # fmt: skip
    rank, n_ranks = join_ranks()
    if rank == 0:
        make_folder(folder)
    torch.distributed.barrier()
    progress = _resume(name, engine, folder, n_ranks)
    step, losses = progress["step"], progress["losses"]
    saved = step
    while step < recipe.steps and progress["age"] < recipe.patience:
        started = time.perf_counter()
        engine.train()
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * rate_factor(recipe, step)
        rows = rows_of_step(problem.n_rows, recipe.batch_size, recipe.first_step + step, seed)
        if problem.n_tokens is not None:
            rows = rows[np.argsort(-problem.n_tokens[rows], kind="stable")]
        total = torch.zeros(2, dtype=torch.float64, device=device())  # loss, whether to stop; read once in a step
        for number in range(rank, n_micro * n_ranks, n_ranks):
            drawn = np.random.SeedSequence([seed, recipe.first_step + step, number]).generate_state(2)
            torch.manual_seed(int(drawn[0]))
            micro = rows[number * recipe.micro_batch : (number + 1) * recipe.micro_batch]
            loss = problem.loss(engine, micro, np.random.default_rng(drawn[1]))
            engine.backward(loss)
            engine.step()
            total[0] += loss.detach().double() / (n_micro * n_ranks)
        total[1] = bool(should_stop())
        total = summed(total)
        step += 1
        losses.append(float(total[0]))
        if not np.isfinite(losses[-1]):
            raise RouterError(f"{name}: training diverged at step {step}; lower its learning_rate")
        if rank == 0:
            line = {
                "step": recipe.first_step + step, "loss": losses[-1], "lr": optimizer.param_groups[0]["lr"],
                "seconds": time.perf_counter() - started,
            }  # fmt: skip
            with open(folder / "log.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        is_last = step == recipe.steps
        progress["step"] = step
        if step % recipe.evaluate_every == 0 or is_last:
            _evaluate(name, engine, problem, recipe, folder, progress)
        must_stop = total[1] > 0 and not is_last
        if step % recipe.checkpoint_every == 0 or must_stop:
            _checkpoint(engine, folder, progress)
            saved = step
        if must_stop:
            raise Interrupted(f"{name}: stopped after step {step} of {recipe.steps}, which is in {folder}")
    if recipe.first_step + recipe.steps < recipe.all_steps and step > saved:  # not again when the next stage is killed
        _checkpoint(engine, folder, progress)
    best = torch.load(folder / "best.pt", map_location="cpu", weights_only=True) if rank == 0 else {}
    return Trained(
        state=_from_first(best), best_step=progress["best_step"], n_steps=step, losses=tuple(losses),
    )  # fmt: skip


def rate_factor(recipe: Recipe, step: int) -> float:
    """What the learning rate is multiplied by in a step, counted from 0."""
    step, steps = recipe.first_step + step, recipe.all_steps or recipe.steps
    n_warm = round(recipe.warmup * steps)
    if step < n_warm:
        return (step + 1) / n_warm
    done = (step - n_warm) / max(1, steps - n_warm)
    return {"constant": 1.0, "linear": 1.0 - done, "cosine": float(1 + np.cos(np.pi * done)) / 2}[recipe.schedule]


def rows_of_step(n_rows: int, batch_size: int, step: int, seed: int) -> NDArray[np.int64]:
    """The rows of an optimiser step, [batch_size]: every row once, in a new order each time, without end."""
    at = np.arange(step * batch_size, (step + 1) * batch_size)
    passes = [
        np.random.default_rng([seed, 2, number]).permutation(n_rows)[at[at // n_rows == number] % n_rows]
        for number in np.unique(at // n_rows).tolist()
    ]
    return np.concatenate(passes)


def apply(
    network: Forward, n_rows: int, n_at_once: int, output: Callable[[Forward, NDArray[np.int64]], torch.Tensor]
) -> NDArray[np.float32]:
    """Outputs of all rows, float32 [n_rows, n_outputs], computed by all ranks and given to each.

    Every rank makes the same number of passes, since weights that are spread over the ranks need them all; a rank that
    has no rows left repeats the first.
    """
    rank, n_ranks = join_ranks()
    parts = []
    with torch.no_grad():
        for first in range(0, n_rows, n_at_once * n_ranks):
            at = first + rank * n_at_once
            rows = np.arange(at, min(at + n_at_once, n_rows))
            found = output(network, rows if rows.size else np.arange(1)).float().cpu()
            part = torch.full((n_at_once, found.shape[1]), torch.nan)
            part[: rows.size] = found[: rows.size]
            parts.append(part)
    mine = torch.stack(parts)  # [n_passes, n_at_once, n_outputs]
    together = [torch.empty_like(mine, device=device()) for _ in range(n_ranks)]
    torch.distributed.all_gather(together, mine.to(device()))
    return torch.stack(together, dim=1).flatten(0, 2)[:n_rows].cpu().numpy()


def summed(value: torch.Tensor) -> torch.Tensor:
    """The sum over all ranks."""
    value = value.to(device())
    torch.distributed.all_reduce(value)
    return value.cpu()


def _evaluate(name: str, engine: Any, problem: Problem, recipe: Recipe, folder: Path, progress: dict[str, Any]) -> None:
    """Keep the weights if they are the best so far."""
    quality = np.inf  # without rows to judge by, the last weights are the best
    if problem.n_held_out:
        engine.eval()
        quality = problem.quality(apply(engine, problem.n_held_out, recipe.micro_batch, problem.output))
        if not np.isfinite(quality):
            raise RouterError(f"{name}: the network's outputs at step {progress['step']} are not finite; lower its "
                              "learning_rate")  # fmt: skip
    progress["age"] += 1
    if quality > progress["best"] or not problem.n_held_out:
        progress.update(best=quality, best_step=recipe.first_step + progress["step"], age=0)
        state = _whole_state(engine.module, recipe.zero_stage)
        if join_ranks()[0] == 0:
            torch.save(state, folder / ".best.tmp")
            move_file(folder / ".best.tmp", folder / "best.pt")
        torch.distributed.barrier()
    recent = np.mean(progress["losses"][-recipe.evaluate_every :])
    at, end = recipe.first_step + progress["step"], recipe.all_steps or recipe.steps
    log.info("%s: step %d of %d, loss %.4f, held-out quality %.4f", name, at, end, recent, quality)


def _whole_state(module: torch.nn.Module, zero_stage: int) -> State:
    """All weights on the CPU; on ranks other than the first of no use."""
    if zero_stage < 3:
        return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
    import deepspeed

    kept = module.state_dict().keys()  # without the buffers that are made anew
    state = {name: value.detach().cpu().clone() for name, value in module.named_buffers() if name in kept}
    for name, value in module.named_parameters():
        with deepspeed.zero.GatheredParameters([value]):
            state[name] = value.detach().cpu().clone()
    return state


def _checkpoint(engine: Any, folder: Path, progress: dict[str, Any]) -> None:
    """Everything, written beside and renamed; the oldest goes."""
    rank, n_ranks = join_ranks()
    tag = f"step-{progress['step']:07d}"
    engine.save_checkpoint(str(folder), tag=f".{tag}", client_state={**progress, "n_ranks": n_ranks}, save_latest=False)
    torch.distributed.barrier()
    if rank == 0:
        shutil.rmtree(folder / tag, ignore_errors=True)
        for path in (folder / f".{tag}").iterdir():
            sync(path)
        (folder / f".{tag}").rename(folder / tag)
        sync(folder)
        for old in checkpoints(folder)[:-_KEPT]:
            shutil.rmtree(old)
    torch.distributed.barrier()


def checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints of a training, the latest last."""
    return sorted(folder.glob("step-*"))


def _resume(name: str, engine: Any, folder: Path, n_ranks: int) -> dict[str, Any]:
    """Where the last checkpoint left off."""
    fresh = {"step": 0, "losses": [], "best": -np.inf, "best_step": 0, "age": 0}
    rank, _ = join_ranks()
    # Rank 0 says which: another node may see an older list of the folder.
    (last,) = _told_by_first([max((path.name for path in checkpoints(folder)), default="")])
    if not last:
        return fresh
    was = torch.load(next((folder / last).glob("*model_states.pt")), map_location="cpu", weights_only=False)["n_ranks"]
    if was != n_ranks:
        raise RouterError(f"{name}: {folder / last} was made by {was} ranks and this job has {n_ranks}; ask for as "
                          "many as before, or remove that folder to begin again")  # fmt: skip
    _, state = engine.load_checkpoint(str(folder), tag=last)
    if rank == 0:  # steps that are done again are not written twice
        lines = (folder / "log.jsonl").read_bytes().splitlines(keepends=True)
        write_file(folder / "log.jsonl", b"".join(lines[: state["step"]]))
    log.info("%s: goes on after step %d", name, state["step"])
    return {key: state[key] for key in fresh}


def _told_by_first(what: list[Any]) -> list[Any]:
    """What rank 0 has, on every rank; a list of plain data."""
    torch.distributed.broadcast_object_list(what, src=0, device=device())
    return what


def _from_first(state: State) -> State:
    """The weights that rank 0 has read, on every rank: a file that was just replaced may still be the old one there."""
    rank, _ = join_ranks()
    (head,) = _told_by_first([[(name, value.shape, value.dtype) for name, value in state.items()]])
    result = {}
    for name, shape, dtype in head:
        value = state[name].to(device()) if rank == 0 else torch.empty(shape, dtype=dtype, device=device())
        torch.distributed.broadcast(value, src=0)
        result[name] = value.cpu()
    return result
