"""What has to be said about a model, an engine and the sampling, as plain data.

These dataclasses are also the typed schema of the configuration groups `pool`, `engine`, `encoder` and `judge`
(`configs/schema.py`; help and limits stand in the field metadata), which is why they are not frozen.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class ModelSpec:
    """One model of a pool."""

    name: str = field(metadata={"help": "name in the store and in every table"})
    path: str = field(metadata={"help": "checkpoint folder, hub id, or the provider's name of the model"})
    provider: str | None = field(
        default=None, metadata={"help": "one of pool.providers: answers come over its API; null: vLLM runs the model"}
    )
    revision: str | None = field(default=None, metadata={"help": "commit of the hub repository"})
    dtype: str = field(default="auto", metadata={"choices": ["auto", "float32", "float16", "bfloat16"]})
    tensor_parallel_size: int = field(default=1, metadata={"help": "GPUs of a node that one worker uses", "min": 1})
    nodes: int = field(
        default=1, metadata={"help": "nodes one worker uses, joined by Ray: pipeline_parallel_size of vLLM", "min": 1}
    )
    max_model_len: int | None = field(default=None, metadata={"help": "context length in tokens", "min": 1})
    chat_template_kwargs: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "passed to the chat template, e.g. {enable_thinking: true}"}
    )
    max_tokens: int | None = field(
        default=None, metadata={"help": "completion tokens, unless the benchmark says; null: sampling's", "min": 1}
    )
    engine_args: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "arguments of vLLM's EngineArgs for this model: trust_remote_code, …"}
    )
    request_args: dict[str, Any] = field(
        default_factory=dict,
        metadata={"help": "further fields of an API request: reasoning_effort, a gateway's provider, …"},
    )
    calls_tools: bool = field(
        default=True, metadata={"help": "false for an API model that cannot: it is left out of tau2"}
    )
    tool_call_parser: str | None = field(
        default=None,
        metadata={"help": "how vLLM reads its tool calls: hermes, llama3_json, …; null: it is left out of tau2"},
    )
    length_factor: float = field(
        default=1.0,
        metadata={
            "help": "its answers are so much longer than a benchmark's expected_tokens; for planning",
            "min": 0.001,
        },
    )
    tokens_per_s: float = field(
        default=2000.0, metadata={"help": "of one worker, for planning until the store knows better", "min": 0.001}
    )
    price_prompt_usd: float | None = field(
        default=None, metadata={"help": "USD per million prompt tokens; costs are unknown without it", "min": 0.0}
    )
    price_completion_usd: float | None = field(
        default=None, metadata={"help": "USD per million completion tokens", "min": 0.0}
    )


@dataclass
class ProviderSpec:
    """An OpenAI-compatible API. Its key is read from the environment where it is used and stays there."""

    base_url: str = field(metadata={"help": "https://…/v1"})
    key_env: str | None = field(
        default=None, metadata={"help": "NAME of the environment variable with the key; null: the API needs none"}
    )
    max_concurrency: int = field(default=32, metadata={"help": "requests under way at the same time", "min": 1})
    requests_per_minute: float | None = field(default=None, metadata={"help": "null: no limit of ours", "min": 0.001})
    timeout_s: float = field(default=1800.0, metadata={"help": "of one try", "min": 0.001})


@dataclass
class EngineSpec:
    """How the inference engine runs. Nothing here may change what a model answers, only how fast."""

    name: str = field(default="vllm", metadata={"help": "inference/<name>_engine.py", "choices": ["vllm"]})
    gpu_memory_utilization: float = field(default=0.9, metadata={"min": 0.05, "max": 1.0})
    max_num_seqs: int = field(default=256, metadata={"help": "sequences computed at the same time", "min": 1})
    enforce_eager: bool = field(default=False, metadata={"help": "no CUDA graphs, no compilation"})
    args: dict[str, Any] = field(default_factory=dict, metadata={"help": "any further argument of vLLM's EngineArgs"})
    env: dict[str, str] = field(
        default_factory=dict, metadata={"help": "environment of the engine, set before it is imported"}
    )


@dataclass
class Sampling:
    """Generation settings; temperature and top_p as LLMRouterBench has them."""

    temperature: float = field(default=0.2, metadata={"min": 0.0, "max": 2.0})
    top_p: float = field(default=1.0, metadata={"min": 0.0, "max": 1.0})
    max_tokens: int = field(
        default=8192, metadata={"help": "completion tokens, unless the benchmark says otherwise", "min": 1}
    )


@dataclass
class JudgeSpec:
    """A model that judges responses over an API (configuration group `judge`)."""

    name: str = field(metadata={"help": "by which benchmarks name it"})
    model: ModelSpec = field(metadata={"help": "as in a pool; its prices must be given, 0 where it is free"})
    provider: ProviderSpec = field(metadata={"help": "its API, as in a pool"})
    sampling: Sampling = field(metadata={"help": "as everywhere; null in model.request_args takes a field away"})


@dataclass
class SimulatorSpec:
    """How the conversations of τ²-Bench are held: who plays the user, and when they end (group `simulator`)."""

    name: str = field(metadata={"help": "name of the entry"})
    user: ModelSpec = field(metadata={"help": "the model that plays the user"})
    provider: ProviderSpec = field(metadata={"help": "the API behind which it is"})
    max_steps: int = field(metadata={"help": "a conversation of more steps is a failure", "min": 1})
    max_errors: int = field(metadata={"help": "so is one with more errors of tools", "min": 1})
    seed: int | None = field(metadata={"help": "sent to the models; null: none is"})
    max_concurrency: int = field(default=8, metadata={"help": "conversations of a worker at the same time", "min": 1})
    python: str | None = field(default=None, metadata={"help": "interpreter that has the package tau2; null: this one"})


@dataclass
class EncoderSpec:
    """One text encoder (configuration group `encoder`)."""

    name: str = field(metadata={"help": "name in the store"})
    path: str = field(metadata={"help": "folder, hub id, package:<package>/<folder>, or hashing:<dim>"})
    revision: str | None = field(default=None, metadata={"help": "commit of the hub repository"})
    text: str = field(
        default="query",
        metadata={"help": "what is embedded: the bare question, or the prompt as sent", "choices": ["query", "prompt"]},
    )
    max_tokens: int | None = field(
        default=None, metadata={"help": "longer texts are cut; null: the encoder's own limit", "min": 1}
    )
    batch_size: int = field(default=64, metadata={"min": 1})
    args: dict[str, Any] = field(default_factory=dict, metadata={"help": "further arguments of SentenceTransformer"})
