"""The rooms depend on each other one way only, heavy packages have one door each, commands start in a blink."""

import ast
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("configs", "inference", "jobs", "launch", "routers", "scoring", "store")
MAY_IMPORT = {
    "store": set(),
    "inference": {"store"},
    "scoring": {"store"},
    "routers": {"store"},
    "jobs": {"store", "inference", "scoring", "routers"},
    "configs": {"store", "inference", "jobs"},
    "launch": {"store", "inference", "scoring", "routers", "jobs", "configs"},
}
DOORS = {
    "vllm": {"inference/vllm_engine.py"},
    "submitit": {"jobs/executor.py"},
    "h5py": {"store/tables.py", "store/links.py"},
    "hdf5plugin": {"store/tables.py"},
    "openai": {"inference/api_client.py"},
    "omegaconf": {"configs/compose.py"},
    "sentence_transformers": {"inference/embedding.py"},
    "torch": {
        "inference/demo_training.py",
        "routers/training.py",
        "routers/deepspeed_training.py",
        "routers/text_networks.py",
        "routers/text_pair.py",
        "routers/frugalgpt_encoder.py",
        "routers/mlc.py",
        "routers/model_sat.py",
        "routers/routellm_causal.py",
        "routers/router_dc.py",
        "routers/text_router.py",
    },
    "deepspeed": {"routers/deepspeed_training.py"},
    "transformers": {"inference/demo_training.py", "routers/text_networks.py"},
    "huggingface_hub": {"scoring/download.py"},
    "httpx": {"scoring/download.py"},
    "pyarrow": {"scoring/parquet.py", "store/table_import.py"},
    "tau2": {"inference/tau2_driver.py"},
    "ray": {"jobs/grading.py"},
}
COMMANDS = sorted(path.stem for path in (ROOT / "launch").glob("*.py") if "COMMAND = Command(" in path.read_text())


@cache
def imports(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_room_may(path):
    room = path.relative_to(ROOT).parts[0]
    foreign = {name for name in imports(path) if name in ROOMS and name != room}
    assert foreign <= MAY_IMPORT[room]


@pytest.mark.parametrize("package", DOORS)
def test_a_heavy_package_has_one_door(package):
    users = {str(path.relative_to(ROOT)) for path in SOURCES if package in imports(path)}
    assert users == DOORS[package]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_starts_without_numpy_and_says_how_to_call_it(command):
    program = (
        "import sys; sys.argv = ['x', '--help']; import runpy\n"
        f"try: runpy.run_path('launch/{command}.py', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "assert 'numpy' not in sys.modules and 'h5py' not in sys.modules, 'heavy import'"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"python launch/{command}.py" in result.stdout


def test_help_takes_less_than_half_a_second_of_computing():
    before = time.process_time(), sum(children())
    subprocess.run([sys.executable, "launch/suite.py", "--help"], cwd=ROOT, capture_output=True, check=True)
    assert sum(children()) - before[1] < 0.5


def children():
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime, usage.ru_stime
