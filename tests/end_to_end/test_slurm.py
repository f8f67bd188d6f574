"""Collecting on a real SLURM while workers are killed, cancelled, requeued and warned: nothing lost, nothing twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from configs.compose import compose
from store.layout import Layout
from store.queries import read_indices
from store.responses import read_columns
from store.tables import read_table
from store.verify import verify
from tests.end_to_end.conftest import ROOT, command
from tests.slurm.warning import warn

pytestmark = pytest.mark.slow

# Two sequences at a time, so that a worker serves for a while; a commit every second, so that rows are at stake.
SLOWLY = ("engine.max_num_seqs=2", "collect.checkpoint_s=1", "collect.drain_s=2", "collect.shard_tokens=500")
POOL = compose(["pool=demo"]).pool


def start(environment, root):
    words = [sys.executable, str(ROOT / "launch" / "collect.py"), "pool=demo", "cluster=slurm_test"]
    words += [f"store.root={root}", *SLOWLY]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def n_stored(root, model):
    layout = Layout(root)
    return sum(len(read_columns(layout, benchmark, model, [])["index"]) for benchmark in layout.benchmarks())


def owner_of(root, model):
    """`<array job>_<task>` of the worker that has written a part for a model, once there is one with few rows."""
    for path in sorted((Path(root) / "responses").glob(f"*/{model}/*.h5")):
        meta = read_table(path, "responses", ())[1]
        if "made_by" in meta and n_stored(root, model) < n_expected(root):
            return meta["made_by"]["owner"].split(".")[1]
    return None


def n_expected(root):
    layout = Layout(root)
    return sum(len(read_indices(layout, benchmark)) for benchmark in layout.benchmarks())


def worker_process(task):
    """Process id of the Python worker of an array task: the largest of those that have its environment."""
    job, _, element = task.partition("_")
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            variables = (path / "environ").read_bytes().split(b"\0")
            words = (path / "cmdline").read_bytes()
            size = int((path / "statm").read_text().split()[1])
        except OSError:
            continue
        wanted = {f"SLURM_ARRAY_JOB_ID={job}".encode(), f"SLURM_ARRAY_TASK_ID={element}".encode()}
        if wanted <= set(variables) and b"submitit.core._submit" in words and b"srun" not in words:
            found[int(path.name)] = size
    assert found, f"no process of {task}"
    return max(found, key=found.__getitem__)


def n_attempts(root, model):
    """How many different attempts have left a part or are in a sealed one."""
    owners = set()
    for path in (Path(root) / "responses").glob(f"*/{model}/*.h5"):
        meta = read_table(path, "responses", ())[1]
        owners |= {part["made_by"]["owner"] for part in meta.get("sealed_from", [meta]) if "made_by" in part}
    return len(owners)


def test_a_collection_survives_everything(slurm, tmp_path):
    """One worker killed, one array task cancelled, one requeued, one warned as before a time limit."""
    root = tmp_path / "store"
    driver = start(slurm, root)
    killed, cancelled, requeued, warned = (model.name for model in POOL.models[:4])
    before = 0

    def kill(task):
        nonlocal before
        os.kill(worker_process(task), signal.SIGKILL)
        before = n_stored(root, killed)

    actions = {
        killed: kill,
        cancelled: lambda task: subprocess.run(["scancel", task], env=slurm, check=True),
        requeued: lambda task: subprocess.run(["scontrol", "requeue", task], env=slurm, check=True),
        warned: lambda task: warn(task, slurm),
    }
    try:
        deadline = time.monotonic() + 600
        while actions:  # whoever serves first is hit first, in the middle of its work
            assert time.monotonic() < deadline, f"never serving: {list(actions)}"
            assert driver.poll() is None, f"over before anything happened to {list(actions)}"
            for model in list(actions):
                if task := owner_of(root, model):
                    actions.pop(model)(task)
            time.sleep(0.2)
        output, _ = driver.communicate(timeout=900)
    finally:
        if driver.poll() is None:
            driver.kill()
            driver.communicate()
    assert driver.returncode == 1, output
    assert f"failed {killed}" in output
    assert f"failed {cancelled}: " in output
    assert "log: " in output
    assert n_stored(root, killed) >= before > 0
    assert n_stored(root, requeued) == n_stored(root, warned) == n_expected(root), output
    # The task itself after its requeue, or before it a worker of another model that had nothing left to do.
    assert min(n_attempts(root, requeued), n_attempts(root, warned)) >= 2

    again = command("collect", "pool=demo", "cluster=slurm_test", f"store.root={root}", *SLOWLY, env=slurm)
    assert again.returncode == 0, again.stdout + again.stderr
    assert_complete(root)

    third = command("collect", "pool=demo", "cluster=slurm_test", f"store.root={root}", *SLOWLY, env=slurm)
    assert third.returncode == 0
    assert "every response" in third.stdout


def assert_complete(root):
    """Exactly the keys of an undisturbed run, each once, every file whole, no claim and no temporary file left."""
    layout = Layout(root)
    assert layout.benchmarks() == sorted(POOL.benchmarks)
    for benchmark in layout.benchmarks():
        assert layout.models(benchmark) == sorted(model.name for model in POOL.models)
        expected = read_indices(layout, benchmark)
        for model in layout.models(benchmark):
            table = read_columns(layout, benchmark, model, ["text"])
            assert table["index"].tolist() == expected.tolist()
            assert not table["repeat"].any()
            assert not table["failed"].any()
            (sealed,) = layout.parts(benchmark, model)
            rows = Counter(read_table(sealed, "responses", ["index"])[0]["index"].tolist())
            assert set(rows.values()) == {1}
    assert [problem for _, problem in verify(layout) if problem] == []
    assert [path for path in (root / "claims").rglob("*") if path.is_file()] == []
    assert list((root / "responses").rglob("*.tmp")) == []
