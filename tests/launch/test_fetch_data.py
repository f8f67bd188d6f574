"""The command that fetches question files: one failure leaves the others alone, and the table says what is there."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from launch import fetch_data
from scoring.benchmark import find
from scoring.source import known_digests
from tests.file_server import send_clients_to, serving

ROOT = Path(__file__).parents[2]
FINQA = b"""[{"id": "A/1", "pre_text": ["made up"], "post_text": [], "table": [["", "2020"], ["sales", "5"]],
"qa": {"question": "what were the sales?", "answer": "5", "exe_ans": 5.0}}]"""
GPQA = b"""Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,High-level domain,Record ID
Made up?,yes,no,maybe,never,Physics,r1
"""
TOKEN = "hf_secretSECRETsecret"


@pytest.fixture
def site(monkeypatch):
    with serving() as site:
        send_clients_to(site, monkeypatch)
        site.token = TOKEN
        site.files[address("finqa", "/raw")] = FINQA
        site.files[address("gpqa")] = GPQA
        yield site


def address(name, prefix="/datasets"):
    """Where the only file of a benchmark lies on the site."""
    source = find(name).source
    (path,) = source.files.values()
    middle = "resolve/" if source.host == "hub" else ""
    return f"{prefix}/{source.repository}/{middle}{source.revision}/{path}"


def run(capsys, *words):
    status = fetch_data.main(list(words))
    output = capsys.readouterr()
    assert TOKEN not in output.out + output.err
    return status, output.out


def test_each_failure_has_its_cause_and_the_others_are_fetched(site, tmp_path, capsys, monkeypatch):
    site.files |= {f"/datasets/K-and-K/knights-and-knaves/resolve/main/test/people{n}_num100.jsonl": b"{}\n"
                   for n in range(2, 9)}  # fmt: skip
    site.refusals[address("gpqa")] = [(401, "GatedRepo")]
    words = ("benchmarks=[kandk,gpqa,livemathbench,finqa,math500]", f"data.dir={tmp_path}")
    status, output = run(capsys, *words)
    assert status == 1
    found = sha256(b"{}\n").hexdigest()
    for part in [
        "not there kandk: test/people2_num100.jsonl of https://huggingface.co/datasets/K-and-K/knights-and-knaves at",
        f"not the known file: SHA-256 expected {known_digests()['kandk/people2_num100.jsonl']}, found {found}",
        "not there gpqa: https://huggingface.co/datasets/Idavidrein/gpqa is given out after consent",
        "HF_TOKEN",
        "not there livemathbench: no file",
        "given out after consent",
        "not there math500: prm800k/math_splits/test.jsonl of https://github.com/openai/prm800k",
        "404",
    ]:
        assert part in output, output
    assert [path.name for path in tmp_path.iterdir()] == ["finqa"]
    assert len(find("finqa").load(tmp_path)) == 1
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.delenv("HF_HUB_DISABLE_IMPLICIT_TOKEN")
    site.requests.clear()
    assert run(capsys, "benchmarks=[finqa,gpqa]", f"data.dir={tmp_path}")[0] == 0
    assert {path for _, path, _, _ in site.requests} == {address("gpqa")}


def test_a_listing_asks_nobody_and_writes_nothing(site, tmp_path, capsys):
    (tmp_path / "finqa").mkdir()
    (tmp_path / "finqa" / "test.jsonl").write_bytes(FINQA)
    (tmp_path / "math500").mkdir()
    (tmp_path / "math500" / "test.jsonl").write_bytes(b"{}")
    before = sorted(tmp_path.rglob("*"))
    status, output = run(capsys, f"data.dir={tmp_path}", "dry_run=true")
    assert status == 1
    assert site.requests == []
    assert sorted(tmp_path.rglob("*")) == before
    lines = {line.split()[0]: " ".join(line.split()) for line in output.splitlines() if line.strip()}
    assert lines["finqa"] == "finqa there 1 0.0 none known https://github.com/czyssrs/FinQA"
    assert "another one" in lines["math500"]
    assert "not there math500" in output  # its cause is not that nothing was fetched
    assert "no field 'problem'" in output
    assert lines["livemathbench"].endswith("by hand")
    assert "not there finqa" not in output
    assert "not there mmlupro:" not in output  # it can be fetched
    assert "demo_sort" not in lines
    assert run(capsys, "benchmarks=[finqa]", f"data.dir={tmp_path}", "dry_run=true")[0] == 0


def test_only_what_is_missing_is_fetched_by_default(site, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("scoring.benchmark.names", lambda: ["demo_sort", "finqa", "gpqa"])
    (tmp_path / "gpqa").mkdir()
    (tmp_path / "gpqa" / "gpqa_diamond.csv").write_bytes(GPQA)
    assert run(capsys, f"data.dir={tmp_path}")[0] == 0
    assert {path for _, path, _, _ in site.requests} == {address("finqa", "/raw")}


@pytest.mark.parametrize("name", ["LLMRouterBench/MMLUPro/test.json"])
def test_a_file_behind_the_published_tables_is_recognised(site, tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr("scoring.source.known_digests", lambda: {name: sha256(FINQA).hexdigest()})
    (tmp_path / "finqa").mkdir()
    (tmp_path / "finqa" / "test.jsonl").write_bytes(FINQA)
    assert f"test.jsonl is {name}" in run(capsys, f"data.dir={tmp_path}", "benchmarks=[finqa]", "dry_run=true")[1]


def test_the_real_process_takes_endpoint_and_token_from_the_environment(site, tmp_path):
    environment = {**os.environ, "HF_ENDPOINT": site.url, "HF_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("HF_HUB_DISABLE_IMPLICIT_TOKEN")
    command = [sys.executable, "launch/fetch_data.py", "benchmarks=[gpqa]", f"data.dir={tmp_path}/data"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "fetch: gpqa from https://huggingface.co/datasets/Idavidrein/gpqa" in result.stdout
    assert TOKEN not in result.stdout + result.stderr
    assert (tmp_path / "data" / "gpqa" / "gpqa_diamond.csv").read_bytes() == GPQA
