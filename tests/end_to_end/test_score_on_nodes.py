"""Scoring over two nodes of a real SLURM, joined by Ray, gives the same bytes as scoring in one process."""

import json
import os
import pickle
from functools import partial
from pathlib import Path

import pytest

from jobs.attempt import current_attempt
from jobs.grading import judging
from jobs.ray_cluster import join, ray_cluster
from scoring.benchmark import find
from store.layout import Layout
from store.queries import write_queries
from store.records import Query, Response, Score
from store.responses import ResponseWriter
from tests.end_to_end.conftest import ROOT, command
from tests.end_to_end.test_ray import wait_until
from tests.jobs import graders

pytestmark = pytest.mark.slow

ROW = {
    "text": "Write a function to add two numbers.", "code": "def add(a, b):\n  return a + b", "task_id": 1,
    "test_setup_code": "", "test_list": ["assert add(1, 2) == 3", "assert add(-1, 1) == 0"], "challenge_test_list": [],
}  # fmt: skip
ANSWERS = ("return a + b", "return a - b", "return a and 3", "import os; os._exit(0)", "return 1 / 0")


def test_the_files_are_those_of_one_process(slurm, tmp_path):
    pytest.importorskip("ray")
    (tmp_path / "data/mbpp").mkdir(parents=True)
    (tmp_path / "data/mbpp/mbpp.jsonl").write_text(json.dumps(ROW))
    layout = Layout(tmp_path / "store")
    write_queries(layout, "mbpp", find("mbpp").queries(tmp_path / "data"))
    for model in ("m", "n"):
        responses = ResponseWriter(layout, "mbpp", model, "w", {"digest": "d"})
        for repeat in range(100):
            text = f"```python\ndef add(a, b):\n    {ANSWERS[repeat % len(ANSWERS)]}\n```"
            responses.append(Response(0, repeat=repeat, text=text, finished_at=1.0))
        responses.commit()
    words = [f"store.root={layout.root}", f"data.dir={tmp_path}/data", "benchmarks=[mbpp]", "score.rescore=[mbpp]"]

    def scored(*more):
        result = command("score", *words, *more, env=slurm)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "score: 200 responses of 1 benchmarks judged" in result.stdout
        return [layout.scores("mbpp", model).read_bytes() for model in ("m", "n")]

    alone = scored("score.processes=1")
    assert scored("cluster=slurm_test", "cluster.cpus_per_task=2", "score.nodes=2") == alone


def on_each_node(folder):
    """What SLURM runs on both nodes; rank 0 returns what came of the rows."""
    meeting_place = folder / current_attempt().owner
    if int(os.environ["SLURM_PROCID"]):
        join(meeting_place, 1, 0)
        return []
    rows = [(Query(index, "?", ""), "die SIGSEGV" if index == 100 else "") for index in range(400)]
    with ray_cluster(meeting_place, 2, 0), judging(graders.where, 2, n_nodes=2) as judge:
        return sorted(judge(rows), key=lambda pair: pair[0])


def test_all_nodes_judge_and_what_ends_its_process_costs_itself_only(slurm, tmp_path, monkeypatch):
    submitit = pytest.importorskip("submitit")
    pytest.importorskip("ray")
    monkeypatch.setenv("SLURM_CONF", slurm["SLURM_CONF"])
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{os.environ.get('PYTHONPATH', '')}")
    executor = submitit.SlurmExecutor(tmp_path / "job")
    executor.update_parameters(job_name="grade", time=10, nodes=2, ntasks_per_node=1, cpus_per_task=2)
    job = executor.submit(partial(on_each_node, tmp_path))
    result = job.task(0).paths.result_pickle
    wait_until(result.exists, 240)
    outcome, found = pickle.loads(Path(result).read_bytes())
    assert outcome == "success", found
    assert [place for place, _ in found] == list(range(400))
    assert found[100][1] == "its process ended by SIGSEGV"
    scores = [judged for place, judged in found if place != 100]
    assert all(isinstance(score, Score) for score in scores)
    assert {score.prediction for score in scores} == {"a1", "a2"}
