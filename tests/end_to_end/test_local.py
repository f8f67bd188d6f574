"""The whole road on this machine with real engines, and what goes wrong on it."""

import csv
import json
import os
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from configs.compose import ROOT as CONFIGS
from store.layout import Layout
from store.responses import read_columns
from tests.end_to_end.conftest import ROOT, command

pytestmark = pytest.mark.slow

SAMPLE = ROOT.parent / "shared" / "data" / "bench-release-sample.tar.gz"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder in which the suite has run on the demo pool, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, command("suite", "pool=demo", cwd=folder)


def test_the_whole_road_ends_with_tables_and_a_report(demo):
    folder, result = demo
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Best Single" in result.stdout
    assert (folder / "results" / "report" / "demo" / "index.html").exists()
    assert str(folder / "results" / "report" / "demo" / "index.html") in result.stdout


def test_the_demo_pool_has_headroom_that_a_router_uses(demo):
    metrics = json.loads((demo[0] / "results" / "report" / "demo" / "metrics.json").read_text())
    accuracy = {row["name"]: row["avg_acc"] for row in [*metrics["references"], *metrics["routers"]]}
    router = max(row["avg_acc"] for row in metrics["routers"] if not row["is_reference"])
    assert accuracy["Oracle"] > router > accuracy["Best Single"] > accuracy["Random"]


def test_a_second_run_skips_everything(demo):
    started = time.monotonic()
    result = command("suite", "pool=demo", cwd=demo[0])
    assert result.returncode == 0
    assert time.monotonic() - started < 60
    for line in ("every response", "every routing", "every query"):
        assert line in result.stdout


def test_the_store_can_be_browsed_verified_and_exported(demo):
    import h5py

    with h5py.File(demo[0] / "results" / "store" / "store.h5") as file:
        assert {"queries", "responses", "scores", "embeddings", "routings"} >= set(file)
        assert "responses" in file
    assert command("verify", cwd=demo[0]).returncode == 0
    assert command("export_release", "exported", cwd=demo[0]).returncode == 0
    assert list((demo[0] / "exported").rglob("*.json"))


def demo_models():
    models = yaml.safe_load((CONFIGS / "pool" / "demo.yaml").read_text())["models"]
    return [{**model, "path": str(ROOT / "inference" / "demo_models" / model["name"])} for model in models]


def pool(folder, models, benchmarks):
    path = folder / "two.yaml"
    path.write_text(yaml.safe_dump({"name": "two", "models": models, "benchmarks": benchmarks}))
    return path


def test_a_model_that_does_not_exist_leaves_the_others_alone(tmp_path):
    good = demo_models()[0]
    path = pool(tmp_path, [good, {**good, "name": "absent", "path": "/nowhere/at/all"}], ["demo_sort"])
    result = command("collect", f"pool={path}", cwd=tmp_path)
    assert result.returncode == 1
    layout = Layout(tmp_path / "results" / "store")
    assert len(read_columns(layout, "demo_sort", good["name"], [])["index"]) == 300
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("failed absent")]
    assert "/nowhere/at/all is not a checkpoint folder" in line
    log = Path(result.stdout.split("log: ")[1].splitlines()[0])
    assert "ModelError" in log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_loses_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=92k", "tmpfs", str(disk)], check=True)
    path = pool(tmp_path, demo_models()[:1], ["demo_sort", "demo_logic"])
    arguments = (f"pool={path}", f"store.root={disk}", "collect.full_disk_wait_s=2",
                 "collect.checkpoint_s=0.2", "engine.max_num_seqs=8")  # fmt: skip
    try:
        full = command("collect", *arguments)
        assert full.returncode in (1, 2), full.stdout + full.stderr
        assert "disk is full" in full.stdout or "No space left" in full.stderr
        before = stored_keys(disk)
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        again = command("collect", *arguments)
        assert again.returncode == 0, again.stdout + again.stderr
        assert before <= stored_keys(disk)
        assert command("verify", f"store.root={disk}").returncode == 0
        for path in disk.rglob("*.tmp"):
            raise AssertionError(f"{path} was left behind")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def stored_keys(root):
    layout = Layout(root)
    return {
        (benchmark, model, index)
        for benchmark in layout.benchmarks()
        for model in layout.models(benchmark)
        for index in read_columns(layout, benchmark, model, [])["index"].tolist()
    }


@pytest.mark.skipif(not SAMPLE.exists(), reason="the published sample is not at hand")
def test_a_published_release_becomes_a_report_with_its_known_figures(tmp_path):
    assert command("import_release", str(SAMPLE), cwd=tmp_path).returncode == 0
    with SAMPLE.with_name("bench-release-sample.figures.csv").open() as file:
        expected = {int(row["n_models"]): row for row in csv.DictReader(file)}
    for setting, routers in (
        ("release_flagship", "best_single,random_choice"),  # no embeddings of 3,600 queries, which take a minute
        ("release_multiturn", "knn,avengers,avengers_pro"),
    ):
        for step in ("train", "reduce"):
            result = command(step, f"setting={setting}", f"router=[{routers}]", cwd=tmp_path)
            assert result.returncode == 0, result.stdout + result.stderr
        metrics = json.loads((tmp_path / "results" / "report" / setting / "metrics.json").read_text())
        row, found = expected[len(metrics["models"])], metrics["all_queries"]
        assert len(metrics["benchmarks"]) == int(row["n_benchmarks"])
        assert metrics["n_queries"] == int(row["n_queries"])
        assert found["best_single_model"] == row["best_single_model"]
        for key in ("random", "best_single", "best_single_cost_usd", "dataset_oracle", "oracle",
                    "oracle_cheapest_best_cost_usd", "total_cost_usd"):  # fmt: skip
            assert found[key] == pytest.approx(float(row[key]), abs=1e-9), key
        assert {router["name"] for router in metrics["routers"]} >= set(routers.split(","))
