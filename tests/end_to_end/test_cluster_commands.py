"""Plans, detaching, status, cancel, driver jobs, bad nodes: on a real SLURM, mostly with API workers, being light."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.bad_nodes import bad_nodes
from store.layout import Layout
from store.responses import read_columns
from tests.end_to_end.conftest import ROOT, command
from tests.end_to_end.test_api import KEY, N_QUERIES, n_stored, pool
from tests.inference.fault_proxy import Provider

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(slurm):
    return {**slurm, "API_TEST_KEY": KEY}


def script_of(output):
    return re.search(r"#!/bin/bash.*?submitit\.core\._submit[^\n]*\n", output, re.DOTALL)[0]


def queue(environment):
    answer = subprocess.run(["squeue", "--noheader", "-O", "JobID:20"], env=environment, capture_output=True, text=True)
    return answer.stdout.split()


def wait_for(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return result


@pytest.mark.parametrize(("pool_name", "n_models"), [("small", 20), ("flagship", 13)])
def test_the_dry_run_of_a_published_pool_passes_sbatch(environment, tmp_path, pool_name, n_models):
    words = (
        f"pool={pool_name}",
        "cluster=a800",
        "benchmarks=[demo_sort]",
        f"store.root={tmp_path}/store",
        "dry_run=true",
    )
    result = command("collect", *words, env=environment)
    assert result.returncode == 0, result.stderr
    assert f"{n_models * N_QUERIES:,}" in result.stdout
    script = tmp_path / "script.sh"
    script.write_text(script_of(result.stdout))
    answer = subprocess.run(["sbatch", "--test-only", script], env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "to start at" in answer.stderr
    assert queue(environment) == []


def test_detach_status_attach_cancel_resume(environment, tmp_path):
    root = tmp_path / "store"
    with Provider(delay_s=0.4) as provider:
        path = pool(tmp_path, provider.url, [("one", "wire")])
        text = path.read_text().replace("timeout_s: 20", "timeout_s: 20, max_concurrency: 4")
        path.write_text(text)
        words = [f"pool={path}", f"store.root={root}", "collect.checkpoint_s=1", "collect.shard_tokens=200"]
        line = [sys.executable, str(ROOT / "launch" / "collect.py"), "cluster=slurm_test", *words]

        def start():
            return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        def detach(driver):
            driver.send_signal(signal.SIGINT)
            output, _ = driver.communicate(timeout=30)
            assert driver.returncode == 130, output
            return output

        preview = command("collect", "cluster=slurm_test", *words, "dry_run=true", env=environment)
        driver = start()
        wait_for(lambda: sum(n_stored(root, "one")) > 20)
        (job,) = queue(environment)
        assert "python launch/status.py" in detach(driver)
        assert queue(environment) == [job]

        status = command("status", *words, env=environment)
        assert status.returncode == 1
        assert f"running api ({job})" in status.stdout
        (log,) = re.findall(rf"running api \({job}\): (\S+)", status.stdout)
        assert "asking" in Path(log).read_text()

        second = start()  # the same command again: it attaches and submits nothing
        time.sleep(6)
        assert "following 1 workers" in detach(second)
        assert queue(environment) == [job]

        cancelled = command("cancel", *words[:2], env=environment)
        assert f"(slurm {job})" in cancelled.stdout
        wait_for(lambda: not queue(environment))
        n_answered = len(provider.requests)
        assert n_answered - 4 <= sum(n_stored(root, "one")) <= n_answered < 2 * N_QUERIES
        assert "nothing of this store is running" in command("cancel", *words[:2], env=environment).stdout

        provider.delay_s = 0.0
        last = start()
        output, _ = last.communicate(timeout=120)
        assert last.returncode == 0, output
        assert n_stored(root, "one") == [N_QUERIES, N_QUERIES]
        assert command("status", *words, env=environment).returncode == 0

    (submitted,) = (root / "runs").glob(f"*-collect-*/{job}_submission.sh")
    script = submitted.read_text().replace(submitted.parent.name, "RUN")
    assert script.strip() == script_of(preview.stdout).strip()


def test_a_driver_job_collects(environment, tmp_path):
    with Provider() as provider:
        path = pool(tmp_path, provider.url, [("one", "wire")])
        words = ["collect", f"pool={path}", "cluster=slurm_test", f"store.root={tmp_path}/store"]
        here = {"ROUTEYARD_HOME": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        line = ["sbatch", "--wait", str(ROOT / "launch" / "sbatch" / "driver.sh"), *words]
        result = subprocess.run(
            line, cwd=tmp_path, capture_output=True, text=True, timeout=180, env={**environment, **here}
        )
    (log,) = tmp_path.glob("driver-*.log")
    assert result.returncode == 0, log.read_text()
    assert n_stored(tmp_path / "store", "one") == [N_QUERIES, N_QUERIES]


def test_a_node_on_which_the_engine_cannot_start_is_left_out_of_the_retry(environment, tmp_path):
    root = tmp_path / "store"
    broken = '[ "$SLURMD_NODENAME" != a1 ] || export VLLM_LOGGING_CONFIG_PATH=/no/such/file'
    words = ["pool=demo", "pool.models=[]", "benchmarks=[demo_sort]", "cluster=slurm_test", f"store.root={root}"]
    sorter = {"name": "demo-sorter", "path": str(ROOT / "inference/demo_models/demo-sorter"), "dtype": "float32"}
    words[1] = f"pool.models=[{json.dumps(sorter)}]"
    result = command("collect", *words, f"cluster.setup=[{json.dumps(broken)}]", env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "node a1" in result.stdout
    assert "tried on another one" in result.stdout
    assert list(bad_nodes(Layout(root))) == ["a1"]
    assert len(read_columns(Layout(root), "demo_sort", "demo-sorter", [])["index"]) == N_QUERIES
    runs = [path.read_text() for path in (root / "runs").rglob("*_submission.sh")]
    assert sum("--exclude=a1" in text for text in runs) == 1
