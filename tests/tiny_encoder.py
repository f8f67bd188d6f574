"""An encoder of a few thousand weights for the routers that read the text, so that their tests take seconds."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from routers.router import Router, find, names
from routers.text_router import TextRouter


def reads_text(name: str) -> bool:
    return issubclass(find(name), TextRouter)


def make(name: str, **parameters: object) -> Router:
    """A router with its default parameters; one that reads the text with the tiny encoder."""
    return find(name)(**{**parameters_of(name), **parameters})


def parameters_of(name: str) -> dict:
    """What makes a router quick to train: nothing for those that do not read the text."""
    if name == "model_sat":
        return {"embedder": encoder(), "embedder_pooling": "mean", "training": tiny_training(encoder=language_model())}
    if name == "routellm_causal":
        return {"training": tiny_training(encoder=language_model())}
    return {"training": tiny_training()} if reads_text(name) else {}


def tiny_training(**others: object) -> dict:
    return {
        "encoder": encoder(), "pooling": "mean", "max_tokens": 12, "batch_size": 16, "micro_batch": 8, "steps": 12,
        "learning_rate": 1e-2, "weight_decay": 0.0, "evaluate_every": 4, "checkpoint_every": 4,
        "gradient_checkpointing": False, "zero_stage": 2, **others,
    }  # fmt: skip


def marked(some: list[str]) -> list:
    """Parameters of a test: routers that read the text train with DeepSpeed, which takes its time to start."""
    return [pytest.param(name, marks=pytest.mark.slow) if reads_text(name) else name for name in some]


def every_name() -> list:
    return marked(names())


_WORDS = ["[PAD]", "[UNK]", "task", ":", *map(str, range(10)), *(f"w{number}" for number in range(50)), "Yes", "No"]
_TEMPLATE = "{% for m in messages %}[UNK] {{ m['content'] }} {% endfor %}{% if add_generation_prompt %}: {% endif %}"


@cache
def encoder() -> str:
    """Folder of a checkpoint: one layer of BERT with random weights that reads words."""
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=len(_WORDS), max_position_embeddings=64, num_attention_heads=2, **_SHAPE)
    return _saved(BertModel, config, model_max_length=64)


@cache
def language_model() -> str:
    """Folder of a checkpoint: one layer of GPT-NeoX with random weights, and a chat template."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    config = GPTNeoXConfig(
        vocab_size=len(_WORDS), num_attention_heads=2, max_position_embeddings=2048, eos_token_id=0, **_SHAPE
    )
    return _saved(GPTNeoXForCausalLM, config)


_SHAPE = {"hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 32}


def _saved(kind, config, **options) -> str:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    folder = Path(tempfile.mkdtemp(prefix="routeyard-tiny-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    numbers = {word: number for number, word in enumerate(_WORDS)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "eos_token": "[PAD]", "chat_template": _TEMPLATE}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **marks, **options).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        kind(config).save_pretrained(folder)
    return str(folder)
