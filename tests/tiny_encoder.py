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


def parameters_of(name: str, **training: object) -> dict:
    """What makes a router quick to train: nothing for those that do not read the text."""
    return {"training": tiny_training(**training)} if reads_text(name) else {}


def tiny_training(**others: object) -> dict:
    return {
        "encoder": encoder(), "pooling": "mean", "max_tokens": 12, "batch_size": 16, "micro_batch": 8, "steps": 12,
        "learning_rate": 1e-2, "weight_decay": 0.0, "evaluate_every": 4, "checkpoint_every": 4,
        "gradient_checkpointing": False, **others,
    }  # fmt: skip


def marked(some: list[str]) -> list:
    """Parameters of a test: routers that read the text train with DeepSpeed, which takes its time to start."""
    return [pytest.param(name, marks=pytest.mark.slow) if reads_text(name) else name for name in some]


def every_name() -> list:
    return marked(names())


@cache
def encoder() -> str:
    """Folder of a checkpoint: one layer of BERT with random weights that reads words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = Path(tempfile.mkdtemp(prefix="routeyard-tiny-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    words = ["[PAD]", "[UNK]", "task", ":", *map(str, range(10)), *(f"w{number}" for number in range(50))]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
        BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=64, **shape)).save_pretrained(folder)
    return str(folder)
