"""Judges: the published ones, how benchmarks name them and how others take their places."""

import re

import pytest
import yaml

from configs.compose import ROOT, ConfigError, available, compose

PUBLISHED = {  # wire name, and USD per million prompt and completion tokens
    "claude_sonnet_4_5": ("anthropic/claude-sonnet-4.5", 3.0, 15.0),
    "deepseek_v3": ("deepseek/deepseek-chat-v3-0324", 0.25, 0.88),
    "gemini_3_pro": ("google/gemini-3-pro-preview", 2.0, 12.0),
    "gpt_5_1": ("openai/gpt-5.1", 1.25, 10.0),
    "o3_mini": ("openai/o3-mini", 1.1, 4.4),
    "o4_mini": ("openai/o4-mini", 1.1, 4.4),
}
SENT = {  # temperature and top_p as sent, None where not
    "claude_sonnet_4_5": (0.1, None),
    "deepseek_v3": (0.0, 1.0),
    "gemini_3_pro": (0.1, 1.0),
    "gpt_5_1": (0.1, 1.0),
    "o3_mini": (None, None),
    "o4_mini": (None, None),
}
MINE = """
model: {name: m, path: org/m, price_prompt_usd: 0, price_completion_usd: 0}
provider: {base_url: http://127.0.0.1:8000/v1}
sampling: {temperature: 0}
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    return path


@pytest.fixture
def three(tmp_path):
    """A benchmark of one's own with three judges."""
    path = tmp_path / "three.yaml"
    path.write_text("name: three\njudges: [gpt_5_1, gemini_3_pro, claude_sonnet_4_5]\n")
    return path


def mistake(*arguments):
    with pytest.raises(ConfigError) as caught:
        compose(arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_judges_are_the_published_ones():
    assert available("judge") == sorted(PUBLISHED)
    judges = compose([f"judges=[{','.join(PUBLISHED)}]"]).judge
    for name, judge in judges.items():
        model = judge.model
        assert (model.path, model.price_prompt_usd, model.price_completion_usd) == PUBLISHED[name]
        sent = {"temperature": judge.sampling.temperature, "top_p": judge.sampling.top_p} | model.request_args
        assert (sent["temperature"], sent["top_p"]) == SENT[name]
        assert model.max_tokens is not None
        assert judge.provider == judges["o3_mini"].provider  # equal providers share their limits
        assert re.fullmatch(r"[A-Z][A-Z_]*_API_KEY", judge.provider.key_env)


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_secret_is_written_down(name):
    text = (ROOT / "judge" / f"{name}.yaml").read_text()
    assert not re.search(r"\b(sk|hf|eyJ|Bearer)[-_ ]?[A-Za-z0-9]{8}", text)
    assert set(yaml.safe_load(text)["provider"]) == {"base_url", "key_env", "timeout_s"}


def test_a_benchmark_brings_its_judges():
    config = compose(["benchmarks=[simpleqa,medqa]", "judge.o3_mini.provider.max_concurrency=3"])
    assert list(config.judge) == config.benchmark["simpleqa"].judges == ["o3_mini"]
    assert config.judge["o3_mini"].provider.max_concurrency == 3
    assert config.benchmark["medqa"].judges == []
    assert compose(["benchmarks=[medqa]"]).judge == {}


def test_another_judge_takes_the_places_of_all(mine, three):
    config = compose([f"benchmarks=[simpleqa,medqa,{three}]", f"judges=[{mine}]"])
    judges = {name: benchmark.judges for name, benchmark in config.benchmark.items()}
    assert judges == {"simpleqa": ["mine"], "medqa": [], "three": ["mine"] * 3}
    assert list(config.judge) == ["mine"]
    assert config.judge["mine"].model.path == "org/m"


def test_one_benchmark_may_have_another_judge(mine, three):
    config = compose(
        [f"benchmarks=[simpleqa,{three}]", f"benchmark.simpleqa.judges=[{mine}]", "judge.mine.model.path=x"]
    )
    assert config.benchmark["simpleqa"].judges == ["mine"]
    assert config.benchmark["three"].judges == ["gpt_5_1", "gemini_3_pro", "claude_sonnet_4_5"]
    assert config.judge["mine"].model.path == "x"


def test_a_limit_of_costs_holds_for_each_step():
    config = compose(["max_cost=5"])
    assert (config.collect.max_cost_usd, config.score.max_cost_usd) == (5.0, 5.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["judges=[o3_mni]"], ["judge=o3_mni", "no such judge", "'o3_mini'"]),
        (["benchmark.simpleqa.judges=[o3]"], ["judge=o3", "o4_mini"]),
        (["judges=[o3_mini,o4_mini]"], ["judges=o3_mini,o4_mini", "simpleqa has 1"]),
        (["judge.o4_mini.model.path=x"], ["judge.o4_mini", "o3_mini"]),
        (["judge.o3_mini.sampling.temperature=3"], ["judge.o3_mini.sampling.temperature", "at most 2"]),
        (["score.max_cost_usd=-1"], ["score.max_cost_usd", "at least 0"]),
    ],
)
def test_a_mistake_is_one_line_with_key_and_cure(arguments, words):
    message = mistake("benchmarks=[simpleqa]", *arguments)
    assert all(word in message for word in words), message


def test_what_a_judge_needs_is_named(mine):
    mine.write_text(MINE.replace("sampling: {temperature: 0}", ""))
    assert "judge.mine.sampling" in mistake("benchmarks=[simpleqa]", f"judges={mine}")
    mine.write_text(MINE.replace("path: org/m", "pth: org/m"))
    assert "judge.mine.model.pth" in mistake("benchmarks=[simpleqa]", f"judges={mine}")
