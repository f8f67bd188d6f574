"""The trainer: equal losses whatever ZeRO shares and however many ranks, equal weights after interruptions."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from routers.memory import gpu_bytes

ROOT = Path(__file__).parents[2]
STAGES = (0, 1, 2, 3)
ROUTERS = ("router_dc", "hybrid_llm", "model_sat")

PROGRAM = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests/routers"]
from pathlib import Path
import torch
torch.set_num_threads(1)
from worlds import continuous
from routers.router import find
from routers.text_router import Session

found = {}
for stage in json.loads(sys.argv[3]):
    for name, parameters in json.loads(sys.argv[4]).items():
        router = find(name)(**{**parameters, "training": {**parameters["training"], "zero_stage": stage}})
        folder = Path(sys.argv[2]) / f"{name}-{stage}"
        router.session = Session(folder=folder, should_stop=lambda: False)
        router.fit(continuous())
        logs = sorted(folder.rglob("log.jsonl"))
        found[f"{name} {stage}"] = {
            "loss": [json.loads(line)["loss"] for log in logs for line in log.read_text().splitlines()],
            "utility": router.predict(continuous())[0, :20].tolist(),
        }
print("FOUND" + json.dumps(found))
"""


def run(tmp_path, n_ranks):
    """Losses and utilities by router and ZeRO stage, of processes that train together."""
    from tests.tiny_encoder import parameters_of

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path / str(n_ranks)
    folder.mkdir()
    words = [sys.executable, "-c", PROGRAM, str(ROOT), str(folder), json.dumps(STAGES)]
    words += [json.dumps({name: parameters_of(name) for name in ROUTERS})]
    shared = {"WORLD_SIZE": str(n_ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    processes = []
    for rank in range(n_ranks):
        environment = {**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}
        processes.append(
            subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
    try:
        outputs = [process.communicate(timeout=240)[0] for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
    assert all(process.returncode == 0 for process in processes), "\n".join(output[-3000:] for output in outputs)
    found = [json.loads(output.partition("FOUND")[2].splitlines()[0]) for output in outputs]
    assert all(one == found[0] for one in found), "ranks do not agree"
    return found[0]


@pytest.mark.slow
def test_losses_do_not_depend_on_what_zero_shares_nor_on_the_number_of_ranks(tmp_path):
    alone, together = run(tmp_path, 1), run(tmp_path, 2)
    for name in ROUTERS:
        expected = alone[f"{name} 0"]
        assert len(expected["loss"]) == 12
        assert np.mean(expected["loss"][-4:]) < np.mean(expected["loss"][:4])
        for found in (alone, together):
            for stage in STAGES:
                np.testing.assert_allclose(found[f"{name} {stage}"]["loss"], expected["loss"], rtol=1e-4)
                np.testing.assert_allclose(found[f"{name} {stage}"]["utility"], expected["utility"], atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROUTERS)
def test_a_training_that_is_stopped_again_and_again_ends_with_the_same_weights(name, tmp_path):
    from worlds import continuous

    from routers.deepspeed_training import Interrupted, checkpoints
    from routers.text_router import Session
    from tests.tiny_encoder import make

    train, whole = continuous(), make(name)
    whole.fit(train)
    router = make(name)
    n_stops = 0
    while True:
        asked = iter(range(1000))
        router.session = Session(folder=tmp_path, should_stop=lambda asked=asked: next(asked) >= 2)  # every third step
        try:
            router.fit(train)
            break
        except Interrupted as error:
            assert "stopped after step" in str(error)  # noqa: PT017
            n_stops += 1
            assert not list(tmp_path.rglob(".step*"))
            for folder in tmp_path.glob("*/stage-?"):
                assert 0 < len(checkpoints(folder)) <= 2
    assert n_stops >= 3
    lines = [json.loads(line) for log in sorted(tmp_path.rglob("log.jsonl")) for line in log.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert router.trained_ == whole.trained_
    np.testing.assert_array_equal(router.predict(train), whole.predict(train))


@pytest.mark.slow
def test_a_checkpoint_of_another_number_of_ranks_is_refused(tmp_path):
    import torch
    from worlds import continuous

    from routers.deepspeed_training import Interrupted, checkpoints
    from routers.router import RouterError
    from routers.text_router import Session
    from tests.tiny_encoder import make

    router = make("hybrid_llm")
    router.session = Session(folder=tmp_path, should_stop=lambda: True)
    with pytest.raises(Interrupted):
        router.fit(continuous())
    (folder,) = tmp_path.glob("*/stage-0")
    (path,) = checkpoints(folder)[-1].glob("*model_states.pt")
    state = torch.load(path, weights_only=False)
    torch.save({**state, "n_ranks": 2}, path)
    with pytest.raises(RouterError, match="made by 2 ranks and this job has 1; ask for as many"):
        router.fit(continuous())


@pytest.mark.slow
def test_a_batch_that_ranks_cannot_divide_is_named():
    from worlds import continuous

    from routers.router import RouterError
    from tests.tiny_encoder import make, tiny_training

    with pytest.raises(RouterError, match="batch_size 12 cannot be divided into micro batches of 8 on 1 ranks"):
        make("router_dc", training=tiny_training(batch_size=12)).fit(continuous())


@pytest.mark.slow
def test_a_training_that_diverges_is_said_so():
    from worlds import continuous

    from routers.router import RouterError
    from tests.tiny_encoder import make, tiny_training

    with pytest.raises(RouterError, match="hybrid_llm: training diverged at step"):
        make("hybrid_llm", training=tiny_training(learning_rate=1e30)).fit(continuous())


def test_rows_of_all_steps_are_every_row_once_a_pass():
    from routers.deepspeed_training import rows_of_step

    for n_rows, batch_size in ((10, 4), (3, 8), (1, 4), (8, 8)):
        drawn = np.concatenate([rows_of_step(n_rows, batch_size, step, seed=7) for step in range(30)])
        for first in range(0, len(drawn) - n_rows, n_rows):
            assert sorted(drawn[first : first + n_rows]) == list(range(n_rows))
    assert not np.array_equal(rows_of_step(64, 64, 0, 7), rows_of_step(64, 64, 1, 7))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [0.5, 1.0, 1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]),
        ("cosine", [0.5, 1.0, *((1 + np.cos(np.pi * step / 6)) / 2 for step in range(6))]),
    ],
)
def test_the_learning_rate_warms_up_and_falls_whole_or_in_two_stages(schedule, expected):
    from routers.deepspeed_training import Recipe, rate_factor

    recipe = Recipe(
        batch_size=1, micro_batch=1, steps=8, learning_rate=1.0, weight_decay=0.0, warmup=0.25, schedule=schedule,
        evaluate_every=1, checkpoint_every=1, patience=1, zero_stage=0,
    )  # fmt: skip
    assert [rate_factor(recipe, step) for step in range(8)] == pytest.approx(expected)
    first = dataclasses.replace(recipe, steps=5, all_steps=8)
    second = dataclasses.replace(recipe, steps=3, all_steps=8, first_step=5)
    in_stages = [rate_factor(first, step) for step in range(5)] + [rate_factor(second, step) for step in range(3)]
    assert in_stages == pytest.approx(expected)


@pytest.mark.parametrize(("keeps", "allocated"), [(False, 22.5), (True, 39.4)])
def test_memory_is_near_what_was_measured_on_a_gpu(keeps, allocated):
    """RouterDC with 1.02 billion parameters on one H100: GB at the worst moment (tests/speed/text_training.py)."""
    planned = gpu_bytes(n_parameters=1.018e9, hidden_size=2048, n_layers=16, n_tokens=8 * 512, zero_stage=2, n_ranks=1,
                        gradient_checkpointing=not keeps)  # fmt: skip
    assert planned / 1e9 == pytest.approx(allocated, rel=0.06)


@pytest.mark.parametrize(
    ("stage", "n_ranks", "gigabytes"),
    [(0, 8, 16.0), (1, 8, 4 + 1.5), (2, 8, 2 + 1.75), (3, 8, 2.0 + 0.4), (2, 1, 16.0)],
)
def test_memory_of_a_billion_parameters(stage, n_ranks, gigabytes):
    """16 bytes per parameter, of which ZeRO divides 12, 14 or 16 (spec: arXiv 1910.02054, figure 1)."""
    sizes = {"n_parameters": 1e9, "hidden_size": 1000, "n_layers": 10, "n_ranks": n_ranks, "zero_stage": stage}
    empty = gpu_bytes(**sizes, n_tokens=0, gradient_checkpointing=True)
    assert (empty - 6e9) / 1e9 == pytest.approx(gigabytes)
    kept = gpu_bytes(**sizes, n_tokens=1000, gradient_checkpointing=False) - empty
    recomputed = gpu_bytes(**sizes, n_tokens=1000, gradient_checkpointing=True) - empty
    assert (kept, recomputed) == (pytest.approx(126e7), pytest.approx(2e7 + 126e6))
