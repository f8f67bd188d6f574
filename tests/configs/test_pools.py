"""The pools of the published tables: complete, under the published names and prices, and without any secret."""

import re

import pytest
import yaml

from configs.compose import ROOT, compose

LIGHT = [
    "DeepHermes-3-Llama-3-8B-Preview",
    "DeepSeek-R1-0528-Qwen3-8B",
    "DeepSeek-R1-Distill-Qwen-7B",
    "Fin-R1",
    "GLM-Z1-9B-0414",
    "Intern-S1-mini",
    "Llama-3.1-8B-Instruct",
    "Llama-3.1-8B-UltraMedical",
    "Llama-3.1-Nemotron-Nano-8B-v1",
    "MiMo-7B-RL-0530",
    "MiniCPM4.1-8B",
    "NVIDIA-Nemotron-Nano-9B-v2",
    "OpenThinker3-7B",
    "Qwen2.5-Coder-7B-Instruct",
    "Qwen3-8B",
    "cogito-v1-preview-llama-8B",
    "gemma-2-9b-it",
    "glm-4-9b-chat",
    "granite-3.3-8b-instruct",
    "internlm3-8b-instruct",
]
WITHOUT_PRICE = {
    "GLM-Z1-9B-0414",
    "MiMo-7B-RL-0530",
    "MiniCPM4.1-8B",
    "OpenThinker3-7B",
    "Qwen2.5-Coder-7B-Instruct",
    "cogito-v1-preview-llama-8B",
    "glm-4-9b-chat",
    "granite-3.3-8b-instruct",
    "internlm3-8b-instruct",
}
FLAGSHIP = {  # USD per million prompt and completion tokens, Table 8
    "claude-sonnet-4": (3.00, 15.00),
    "gemini-2.5-flash": (0.30, 2.50),
    "gemini-2.5-pro": (1.25, 10.00),
    "gpt-5-chat": (1.25, 10.00),
    "gpt-5": (1.25, 10.00),
    "qwen3-235b-a22b-2507": (0.09, 0.60),
    "qwen3-235b-a22b-thinking-2507": (0.30, 2.90),
    "deepseek-v3-0324": (0.25, 0.88),
    "deepseek-v3.1-terminus": (0.27, 1.00),
    "deepseek-r1-0528": (0.50, 2.15),
    "glm-4.6": (0.60, 2.20),
    "kimi-k2-0905": (0.50, 2.00),
    "intern-s1": (0.18, 0.54),
}
THINKING_LIGHT = {
    "DeepSeek-R1-0528-Qwen3-8B",
    "DeepSeek-R1-Distill-Qwen-7B",
    "GLM-Z1-9B-0414",
    "Intern-S1-mini",
    "MiMo-7B-RL-0530",
    "MiniCPM4.1-8B",
    "NVIDIA-Nemotron-Nano-9B-v2",
    "OpenThinker3-7B",
    "Qwen3-8B",
}


@pytest.fixture(scope="module")
def small():
    return compose(["pool=small"])


@pytest.fixture(scope="module")
def flagship():
    return compose(["pool=flagship"])


PERFORMANCE = {
    "aime", "bbh", "emorynlp", "finqa", "gpqa", "humaneval", "kandk", "korbench", "livecodebench", "math500",
    "mathbench", "mbpp", "medqa", "meld", "mmlupro",
}  # fmt: skip
PERFORMANCE_COST = {
    "aime", "arenahard", "gpqa", "hle", "livecodebench", "livemathbench", "mmlupro", "simpleqa", "swe_bench", "tau2"
}  # fmt: skip


def test_the_light_pool_is_the_published_one(small):
    assert [model.name for model in small.pool.models] == LIGHT
    assert len(LIGHT) == 20
    assert set(small.benchmark) == PERFORMANCE


def test_the_flagship_pool_is_the_published_one(flagship):
    prices = {model.name: (model.price_prompt_usd, model.price_completion_usd) for model in flagship.pool.models}
    assert list(prices) == list(FLAGSHIP)
    assert prices == FLAGSHIP
    assert len(flagship.pool.models) == 13
    assert set(flagship.benchmark) == PERFORMANCE_COST - {"tau2"}  # its conversations need a simulator


def test_a_price_that_nobody_found_is_unknown_and_not_zero(small):
    for model in small.pool.models:
        prices = (model.price_prompt_usd, model.price_completion_usd)
        if model.name in WITHOUT_PRICE:
            assert prices == (None, None), model.name
        else:
            assert None not in prices, model.name
            assert min(prices) > 0, model.name


def test_light_models_run_in_the_engine_in_their_default_mode(small):
    for model in small.pool.models:
        assert model.provider is None, model.name
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", model.path), model.path
        assert model.path.rpartition("/")[2] == model.name
        assert model.chat_template_kwargs == {}, model.name
        assert (model.dtype, model.tensor_parallel_size) == ("bfloat16", 1), model.name


def test_thinking_light_models_have_room_to_think(small):
    caps = {model.name: model.max_tokens for model in small.pool.models if model.max_tokens is not None}
    assert caps == dict.fromkeys(THINKING_LIGHT, 16384)


def test_every_provider_that_is_named_exists(flagship):
    assert {model.provider for model in flagship.pool.models} <= set(flagship.pool.providers)
    for provider in flagship.pool.providers.values():
        assert provider.base_url.startswith("https://")
        assert not provider.base_url.endswith("/")


def test_wire_names_are_distinct(flagship):
    assert len({(model.provider, model.path) for model in flagship.pool.models}) == 13


def test_a_pinned_provider_has_no_substitute(flagship):
    pins = [model.request_args["provider"] for model in flagship.pool.models if "provider" in model.request_args]
    assert len(pins) == 5
    assert all(len(pin["only"]) == 1 and pin["allow_fallbacks"] is False for pin in pins)


def test_fields_that_gpt_5_refuses_are_removed(flagship):
    [model] = [model for model in flagship.pool.models if model.name == "gpt-5"]
    assert model.request_args["reasoning_effort"] == "medium"
    assert {key for key, value in model.request_args.items() if value is None} == {"temperature", "top_p"}


@pytest.mark.parametrize("pool", ["small", "flagship"])
def test_an_answer_leaves_room_for_the_question(pool):
    for model in compose([f"pool={pool}"]).pool.models:
        assert model.max_model_len is not None, model.name
        assert model.max_tokens is None or model.max_tokens < model.max_model_len, model.name


def test_every_api_answer_has_a_cap(flagship):
    assert all(model.max_tokens is not None for model in flagship.pool.models)


@pytest.mark.parametrize("pool", ["small", "flagship"])
def test_no_secret_is_written_down(pool):
    text = (ROOT / "pool" / f"{pool}.yaml").read_text()
    assert not re.search(r"\b(sk|hf|eyJ|Bearer)[-_ ]?[A-Za-z0-9]{8}", text)
    for name, value in entries(yaml.safe_load(text)):
        if re.search("key|token$|secret|auth|password|header", str(name), re.IGNORECASE):
            assert name == "key_env", name
            assert re.fullmatch(r"[A-Z][A-Z_]*_API_KEY", value), name


def entries(node):
    """(key, value) of every mapping in a tree of mappings and lists."""
    if isinstance(node, dict):
        yield from node.items()
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from entries(child)
