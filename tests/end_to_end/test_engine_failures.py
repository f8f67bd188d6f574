"""Real vLLM engines that cannot start or are killed: memory is tried once more, a broken checkpoint names its cause."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from store.layout import Layout
from store.responses import read_columns
from tests.end_to_end.conftest import ROOT, command
from tests.processes import children, is_running, kill
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SORTER = ROOT / "inference" / "demo_models" / "demo-sorter"


def collect(root, name, path, *more, benchmark="demo_sort"):
    model = json.dumps({"name": name, "path": str(path), "dtype": "float32", "max_model_len": 512})
    words = ["pool=demo", f"pool.models=[{model}]", f"benchmarks=[{benchmark}]", "cluster=local", f"store.root={root}"]
    return command("collect", *words, *more)


def test_an_engine_that_finds_too_little_memory_is_started_with_a_smaller_share(tmp_path):
    meminfo = Path("/sys/devices/system/node/node0/meminfo")
    if not meminfo.exists():
        pytest.skip("this machine does not say how much memory its first node has")
    gib = int(re.search(r"MemTotal:\s+(\d+) kB", meminfo.read_text())[1]) >> 20
    result = collect(tmp_path, "sorter", SORTER, f'engine.env.VLLM_CPU_KVCACHE_SPACE="{gib + 1}"')
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(read_columns(Layout(tmp_path), "demo_sort", "sorter", [])["index"]) == 300
    (log,) = (tmp_path / "runs").glob("*-collect-*/*_log.err")
    assert "less than requested memory" in log.read_text()
    assert "once more with a smaller share" in log.read_text()


def test_the_cause_of_a_broken_checkpoint_is_the_engines_own_and_not_that_something_failed(tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(SORTER, broken)
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**config, "hidden_size": 2 * config["hidden_size"]}))
    result = collect(tmp_path / "store", "broken", broken)
    assert result.returncode == 1
    assert "model broken: vLLM cannot load" in result.stdout
    assert "size of tensor" in result.stdout
    assert "root cause above" not in result.stdout


def test_a_question_with_an_image_is_a_failure_that_says_how_to_ask_it(tmp_path):
    folder = tmp_path / "data" / "sfe"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(b"not looked at")
    row = {"question": "<image> Which?", "question_type": "mcq", "options": ["A. x", "B. y"], "images": ["a.png"]}
    (folder / "test.jsonl").write_text(json.dumps({**row, "field": "astronomy", "answer": "B"}) + "\n")
    root = tmp_path / "store"
    result = collect(root, "sorter", SORTER, f"data.dir={tmp_path / 'data'}", benchmark="sfe")
    assert result.returncode == 0, result.stdout + result.stderr  # a failure is a record, too
    (error,) = read_columns(Layout(root), "sfe", "sorter", ["error"])["error"]
    assert "vllm serve" in error


KILLED = """
import os, signal, sys, threading, time
from inference.engine import EngineError, Request
from inference.spec import EngineSpec, ModelSpec, Sampling
from inference.vllm_engine import VLLMEngine

def main():
    model = ModelSpec("m", sys.argv[1], dtype="float32", max_model_len=512)
    engine = VLLMEngine(EngineSpec(enforce_eager=True, max_num_seqs=4), model, Sampling())
    (process,) = engine._engine.engine_core.resources.engine_manager.processes
    for index in range(4):
        engine.submit(Request("b", index, 0, ({"role": "user", "content": f"count {index}"},), 400))
        if index == 0:
            os.kill(process.pid, signal.SIGSTOP)  # or a fast machine has answered before the engine is killed
    threading.Timer(1.0, os.kill, (process.pid, signal.SIGKILL)).start()
    try:
        while engine.n_in_flight:
            engine.step()
    except EngineError as error:
        print("said:", error)
    engine.close()

if __name__ == "__main__":
    main()
"""


def test_an_engine_that_is_killed_while_we_wait_for_it_is_an_error_and_no_endless_wait(tmp_path):
    path = tmp_path / "killed.py"  # a file, because the engine's process imports its parent's main module
    path.write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "VLLM_CPU_KVCACHE_SPACE": "1"}
    words = [sys.executable, str(path), str(ROOT / "inference" / "demo_models" / "demo-generalist")]
    result = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "said: model m: the engine died" in result.stdout, result.stdout + result.stderr


LOADS = """
import sys
from inference.spec import EngineSpec, ModelSpec, Sampling
from inference.vllm_engine import VLLMEngine

if __name__ == "__main__":
    VLLMEngine(EngineSpec(), ModelSpec("m", sys.argv[1], dtype="float32", max_model_len=512), Sampling()).close()
"""


def test_an_engine_whose_worker_is_killed_before_they_have_spoken_ends_too(tmp_path):
    """Left alone, it waits five minutes for the worker's first word."""
    path = tmp_path / "loads.py"
    path.write_text(LOADS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "VLLM_CPU_KVCACHE_SPACE": "1"}
    words = [sys.executable, str(path), str(ROOT / "inference" / "demo_models" / "demo-generalist")]
    with (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    engines = []
    try:
        wait_until(lambda: engines_of(worker.pid) or worker.poll() is not None, what=(tmp_path / "log").read_text)
        engines = engines_of(worker.pid)
        assert engines, (tmp_path / "log").read_text()
        worker.kill()
        worker.wait()
        wait_until(lambda: not any(map(is_running, engines)), within_s=90)
    finally:
        kill(worker.pid, *engines)


def engines_of(worker):
    """Process ids of the engines that a worker has started, from their first moment on."""
    return [pid for pid in children(worker) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
