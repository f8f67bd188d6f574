"""Routers that read the text as jobs of two ranks on a real SLURM: killed, requeued or warned, with equal weights."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml

from store.layout import Layout
from store.release_import import import_release
from store.routings import read_routing
from tests.end_to_end.conftest import ROOT, command
from tests.end_to_end.test_slurm import worker_process
from tests.releases import make_release
from tests.slurm.warning import warn
from tests.tiny_encoder import parameters_of

pytestmark = pytest.mark.slow

ROUTERS = ("router_dc", "hybrid_llm", "model_sat", "frugalgpt_encoder")
SEED = 1
# Some micro batches in a step: even on a fast machine a training is not over before it could be hit.
TRAINING = {"steps": 100, "batch_size": 32, "patience": 1000, "evaluate_every": 25, "checkpoint_every": 5,
            "learning_rate": 1e-3}  # fmt: skip


def words(root, setting):
    parameters = {name: parameters_of(name) for name in ROUTERS}
    for some in parameters.values():
        some["training"] |= TRAINING
    return [
        f"setting={setting}", f"store.root={root}", "cluster=slurm_test", "cluster.max_parallel=2",
        "train.nodes=2", "train.ranks_per_node=1",
        f"router=[{','.join(ROUTERS)}]", *(f"router.{name}.params.{key}={json.dumps(value)}"
          for name, some in parameters.items() for key, value in some.items()),
    ]  # fmt: skip


@pytest.fixture
def stores(tmp_path):
    """Two equal stores, and a setting."""
    import_release(make_release(tmp_path / "in"), Layout(tmp_path / "calm"), n_processes=1)
    shutil.copytree(tmp_path / "calm", tmp_path / "hit")
    setting = tmp_path / "s.yaml"
    setting.write_text(yaml.safe_dump({"name": "s", "benchmarks": ["*"], "seeds": [SEED]}))
    return tmp_path / "calm", tmp_path / "hit", setting


def routings(root):
    return {name: read_routing(Layout(root), "s", name, SEED) for name in ROUTERS}


def n_steps(root, name):
    logs = Layout(root).training("s", name, SEED).rglob("log.jsonl")
    return sum(len(log.read_text().splitlines()) for log in logs)


def test_a_training_that_is_killed_requeued_or_warned_ends_with_the_same_weights(slurm, stores):
    calm, hit, setting = stores
    done = command("train", *words(calm, setting), env=slurm)
    assert done.returncode == 0, done.stdout + done.stderr
    program = [sys.executable, str(ROOT / "launch" / "train.py"), *words(hit, setting)]
    driver = subprocess.Popen(program, env=slurm, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def requeue(task):
        subprocess.run(["scontrol", "requeue", task], env=slurm, check=True)

    actions = {
        "router_dc": requeue,
        "model_sat": lambda task: os.kill(worker_process(task), signal.SIGKILL),
        "hybrid_llm": lambda task: warn(task, slurm),
        "frugalgpt_encoder": requeue,
    }
    rng = np.random.default_rng()
    after = {key: int(rng.integers(5, 40)) for key in actions}  # any step behind the first checkpoint will do
    hit_at = {}
    try:
        deadline = time.monotonic() + 300
        while len(hit_at) < len(actions):
            assert time.monotonic() < deadline, f"hit {hit_at} of {after}"
            assert driver.poll() is None, f"over, and only {hit_at} were hit: {driver.communicate()[0]}"
            records = [json.loads(path.read_text()) for path in (hit / "runs").glob("*-train-*/jobs.json")]
            job_of = {record["name"]: record["job_id"] for some in records for record in some}
            for name, step in after.items():
                if name not in hit_at and n_steps(hit, name) > step:
                    hit_at[name] = n_steps(hit, name)
                    actions[name](job_of[name])
            time.sleep(0.2)
        while driver.poll() is None:
            assert time.monotonic() < deadline + 300, "the driver does not come to an end"
            time.sleep(1.0)
        output = driver.communicate()[0]
    finally:
        if driver.poll() is None:
            driver.kill()
            driver.communicate()
    assert driver.returncode == 1, output
    assert "failed model_sat: " in output, output  # one rank was killed, and SLURM ended the other
    again = command("train", *words(hit, setting), env=slurm)
    assert again.returncode == 0, f"{again.stdout}{again.stderr}\nhit at {hit_at}"
    logs = "".join(path.read_text() for path in (hit / "runs").glob("*-train-*/*_log.err"))
    assert [name for name in ROUTERS if f"{name}: goes on after step " not in logs] == [], f"hit at {hit_at}"
    whole, broken = routings(calm), routings(hit)
    for key, routing in whole.items():
        assert routing.meta["trainings"][0]["steps"] == TRAINING["steps"]
        assert broken[key].meta["trainings"] == routing.meta["trainings"], f"{key}, hit at {hit_at}"
        np.testing.assert_array_equal(broken[key].utility, routing.utility)
    assert not list((hit / "training").rglob("*.pt")), "checkpoints stay behind"


def test_the_plan_has_ranks_memory_and_the_script(slurm, stores):
    calm, _, setting = stores
    both = [f"setting={setting}", f"store.root={calm}", "router=[router_dc,hybrid_llm]", "cluster=a800"]
    both += ["cluster.cpus_per_task=1", "cluster.slurm.mem_per_gpu=1G"]  # of an emulated node
    done = command("train", *both, "dry_run=true", env=slurm)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "#SBATCH --ntasks-per-node=8" in done.stdout
    assert "--kill-on-bad-exit=1" in done.stdout
    script = calm / "script.sh"
    script.write_text(done.stdout[done.stdout.index("#!/bin/bash") :])
    tested = subprocess.run(
        ["sbatch", "--test-only", str(script)], env=slurm, capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stderr
    huge = command("train", *both, "router.router_dc.params.training.zero_stage=0", env=slurm)
    assert huge.returncode == 2
    assert "router_dc would take about" in huge.stderr
    assert "zero_stage" in huge.stderr
