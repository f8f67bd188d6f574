"""Trains the demo pool's models: tiny Qwen2 checkpoints with byte tokens, in the format of any large model.

A checkpoint is a folder of `config.json`, `model.safetensors`, `generation_config.json`, `tokenizer.json` and
`tokenizer_config.json`, so an engine loads it by the path that loads an 8B model. Training knows nothing of
benchmarks: it takes chat messages with the answer to them. Sequences of one step are sorted by length and go through
the model in a few small batches, since padding to the longest would take twice the time on a CPU.
"""

import json
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from store.records import Message

log = logging.getLogger(__name__)

HEAD_SIZE = 32  # the smallest that every vLLM attention backend takes
MAX_LENGTH = 2048  # tokens of context that the checkpoint claims; rotary positions make it a matter of declaration
END, PAD, USER, ASSISTANT = "<|end|>", "<|pad|>", "<|user|>", "<|assistant|>"
SYSTEM = "<|system|>"
IGNORED = -100  # label of a token without loss

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

Example = tuple[Sequence[Message], str]  # chat messages, the answer to them


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Size of a model and of its training; every field changes the result.

    Attributes:
        n_layers: transformer layers.
        width: hidden size, a multiple of `HEAD_SIZE`; the feed-forward part is twice as wide.
        n_steps: optimizer steps.
        batch_size: examples per step.
        learning_rate: at its highest, after the first 5 % of the steps; falls to zero along a cosine.
    """

    n_layers: int
    width: int
    n_steps: int
    batch_size: int = 32
    learning_rate: float = 3e-3


def build_tokenizer() -> Any:
    """A fast tokenizer with one token per byte of UTF-8 and five special tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in (END, PAD, USER, ASSISTANT, SYSTEM)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        unk_token=PAD,  # unsaid, the class that transformers 5 loads for Qwen2 adds one beyond the embedding
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=MAX_LENGTH,
    )


def train(examples: Iterable[Example], folder: Path, shape: Shape, *, seed: int) -> list[float]:
    """Train a model from random weights and save it with its tokenizer.

    Args:
        examples: at least `shape.n_steps * shape.batch_size` of them; the rest is not drawn.
        folder: of the checkpoint; made if missing, files of the same names are replaced.
        shape: of the model and the training.
        seed: of the initial weights.

    Returns:
        Mean loss per answer token in nats, one value per step.

    Raises:
        ValueError: `examples` ended too early.
    """
    import torch

    tokenizer = build_tokenizer()
    torch.manual_seed(seed)
    model = _build_model(shape, tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=shape.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _learning_rate_factor(step, shape.n_steps))
    stream = iter(examples)
    losses = []
    for step in range(shape.n_steps):
        batch = list(islice(stream, shape.batch_size))
        if len(batch) < shape.batch_size:
            raise ValueError(
                f"{folder.name}: examples ended in step {step} of {shape.n_steps}; "
                f"training takes {shape.n_steps * shape.batch_size}"
            )
        losses.append(_accumulate_gradient(model, tokenizer, batch))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 200 == 199:
            log.info("%s: step %d of %d, loss %.3f", folder.name, step + 1, shape.n_steps, sum(losses[-200:]) / 200)
    _save(model.half(), tokenizer, folder)
    return losses


def count_parameters(folder: Path) -> int:
    """Number of weights in a checkpoint, the tied embedding counted once."""
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="np") as tensors:
        return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118


def answer(folder: Path, conversations: Sequence[Sequence[Message]], *, max_tokens: int = 48) -> list[str]:
    """Greedy answers of a checkpoint, in the order of the conversations; a quick check without an engine."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    answers = []
    for start in range(0, len(conversations), 100):
        prompts = tokenizer.apply_chat_template(
            [list(messages) for messages in conversations[start : start + 100]],
            add_generation_prompt=True,
            padding=True,
            return_dict=True,
            return_tensors="pt",
        )
        tokens = model.generate(**prompts, do_sample=False, max_new_tokens=max_tokens)
        answers += tokenizer.batch_decode(tokens[:, prompts["input_ids"].shape[1] :], skip_special_tokens=True)
    return answers


def _build_model(shape: Shape, tokenizer: Any) -> Any:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    n_heads, rest = divmod(shape.width, HEAD_SIZE)
    if rest:
        raise ValueError(f"width {shape.width} is no multiple of the head size {HEAD_SIZE}")
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        intermediate_size=2 * shape.width,
        num_hidden_layers=shape.n_layers,
        num_attention_heads=n_heads,
        num_key_value_heads=n_heads,
        max_position_embeddings=MAX_LENGTH,
        tie_word_embeddings=True,
        initializer_range=0.06,  # narrow layers learn sooner from larger weights than the usual 0.02
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Qwen2ForCausalLM(config)


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write the checkpoint so that transformers 4 and 5 read it, and every user of the machine may."""
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, bos_token_id=None
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder, save_jinja_files=False)  # the template in its config, where all versions look
    path = folder / "tokenizer_config.json"
    fields = json.loads(path.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}  # version 4 knows no other
    path.write_text(json.dumps(fields, indent=2) + "\n")
    (folder / "model.safetensors").chmod(path.stat().st_mode)  # written for its owner alone


def _learning_rate_factor(step: int, n_steps: int) -> float:
    warm_up = max(1, n_steps // 20)
    return min((step + 1) / warm_up, 0.5 + 0.5 * math.cos(math.pi * step / n_steps))


def _accumulate_gradient(model: Any, tokenizer: Any, batch: list[Example], n_parts: int = 2) -> float:
    """Add the gradient of the mean loss per answer token of the batch; gives back that loss."""
    import torch

    prompts = [
        tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
        for messages, _ in batch
    ]
    prompt_ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    answer_ids = tokenizer([text + END for _, text in batch], add_special_tokens=False)["input_ids"]
    pairs = sorted(zip(prompt_ids, answer_ids, strict=True), key=lambda pair: len(pair[0]) + len(pair[1]))
    n_answer_tokens = sum(len(ids) for ids in answer_ids)
    part_size = math.ceil(len(pairs) / n_parts)
    total = 0.0
    for start in range(0, len(pairs), part_size):
        part = pairs[start : start + part_size]
        length = max(len(prompt) + len(reply) for prompt, reply in part)
        tokens = torch.full((len(part), length), tokenizer.pad_token_id)
        labels = torch.full((len(part), length), IGNORED)
        for row, (prompt, reply) in enumerate(part):
            tokens[row, : len(prompt) + len(reply)] = torch.tensor(prompt + reply)
            labels[row, len(prompt) : len(prompt) + len(reply)] = torch.tensor(reply)
        # Padding stands at the end, where causal attention never looks: no attention mask is needed.
        hidden = model.model(input_ids=tokens[:, :-1], use_cache=False).last_hidden_state
        is_answer = labels[:, 1:] != IGNORED
        logits = model.lm_head(hidden[is_answer])
        loss = torch.nn.functional.cross_entropy(logits, labels[:, 1:][is_answer], reduction="sum") / n_answer_tokens
        loss.backward()
        total += loss.item()
    return total
