"""Tokens per second, share of the GPU's peak and memory of training the routers that read the text.

    python tests/speed/text_training.py                                            # 1B parameters, for a GPU
    python tests/speed/text_training.py --width 128 --layers 2 --queries 256       # to try it on a CPU

One epoch with a random decoder of the Llama family, through the router's own `fit`: DeepSpeed, ZeRO 2, one rank. Texts
are random words, their lengths log-normal as those of the benchmarks are. Model FLOPs are 6 per parameter outside the
embedding and token, and 12 x layers x width x length for the attention (arXiv 2204.02311, appendix B); what gradient
checkpointing computes twice counts once, padding not at all. The first two steps warm up and are not timed. Memory is
the allocator's peak beside what the dry run of `launch/train.py` would have said.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from routers.deepspeed_training import rows_of_step
from routers.router import Queries, find
from routers.text_router import Session, TextRouter

WARM_UP = 2  # steps
PEAK_TFLOPS = {"H100": 989.0, "H200": 989.0, "A100": 312.0, "A800": 312.0}  # dense bf16, by the data sheets
N_WORDS = 30_000


def encoder(folder: Path, width: int, layers: int) -> str:
    """A checkpoint of random weights with a tokenizer of whole words."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaModel, PreTrainedTokenizerFast

    words = {"[PAD]": 0, "[UNK]": 1, **{f"w{number}": number + 2 for number in range(N_WORDS)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=width, num_hidden_layers=layers, num_attention_heads=max(2, width // 128),
        num_key_value_heads=2, intermediate_size=4 * width, max_position_embeddings=4096,
    )  # fmt: skip
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        network = LlamaModel(config)
    transformers.utils.logging.disable_progress_bar()
    network.to(torch.bfloat16).save_pretrained(folder)
    return str(folder)


def queries(n_queries: int, median: int) -> Queries:
    """Texts of random words with scores of a small and a large model, and of six others."""
    rng = np.random.default_rng(0)
    length = np.clip(rng.lognormal(np.log(median), 0.8, n_queries), 4, 2048).astype(int)
    score = (rng.random((n_queries, 8)) < np.linspace(0.4, 0.7, 8)).astype(float)
    return Queries(
        models=tuple(f"model-{m}" for m in range(8)), n_queries=n_queries, benchmark=np.zeros(n_queries, np.int64),
        text=tuple(" ".join(f"w{word}" for word in rng.integers(N_WORDS, size=size)) for size in length),
        score=score, cost=np.tile(np.geomspace(1e-4, 1e-2, 8), (n_queries, 1)),
    )  # fmt: skip


def measure(name: str, train: Queries, path: str, micro_batch: int, checkpointing: bool) -> dict[str, float | str]:
    """One epoch of a router."""
    import torch

    batch = 64
    training = {"encoder": path, "batch_size": batch, "micro_batch": micro_batch, "evaluate_every": 10**6,
                "checkpoint_every": 10**6, "zero_stage": 2, "gradient_checkpointing": checkpointing,
                "learning_rate": 1e-5, "max_tokens": 512}  # fmt: skip
    more = {"per_benchmark": 0, "cluster_weight": 1.0} if name == "router_dc" else {}
    router = find(name)(training=training, **more)
    assert isinstance(router, TextRouter)
    learns, _ = router.divide(train.benchmark)
    steps = len(learns) // batch
    router = find(name)(training={**training, "steps": steps}, **more)
    n_tokens = router.tokens(train.text).n_tokens[learns]
    rows = np.stack([rows_of_step(len(learns), batch, step, router.seed) for step in range(WARM_UP, steps)])
    length = n_tokens[rows]
    if name != "router_dc":
        length = -np.sort(-length, axis=1)  # as the trainer does where a loss allows it
    n_real, n_padded = length.sum(), length.reshape(-1, micro_batch).max(axis=1).sum() * micro_batch
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        router.session = Session(folder=Path(folder), should_stop=lambda: False)
        started = time.perf_counter()
        router.fit(train)
        whole = time.perf_counter() - started
        log = next(Path(folder).rglob("log.jsonl")).read_text().splitlines()
    seconds = np.array([json.loads(line)["seconds"] for line in log])
    assert len(seconds) == steps
    timed = seconds[WARM_UP:].sum()
    body = {key: value for key, value in router.state_.items() if value.ndim == 2 and "embed_tokens" not in key}
    n_body = sum(value.numel() for value in body.values())
    n_all = sum(value.numel() for value in router.state_.values())
    config = json.loads((Path(path) / "config.json").read_text())
    attention = 12 * config["num_hidden_layers"] * config["hidden_size"] * (length.astype(float) ** 2).sum()
    flops = 6 * n_body * n_real + attention
    found: dict[str, float | str] = {
        "router": name, "micro batch": micro_batch, "checkpointing": str(checkpointing),
        "parameters, M": round(n_all / 1e6), "steps": steps, "first step, s": round(seconds[0], 2),
        "one step, s": round(float(np.median(seconds[WARM_UP:])), 3), "epoch, s": round(float(seconds.sum()), 1),
        "whole fit, s": round(whole, 1), "tokens/s": round(n_real / timed), "with padding": round(n_padded / timed),
    }  # fmt: skip
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_name()
        peak = next((value for key, value in PEAK_TFLOPS.items() if key in gpu), float("nan"))
        found |= {
            "GPU": gpu, "share of peak, %": round(100 * flops / timed / (peak * 1e12), 1),
            "GB allocated": round(torch.cuda.max_memory_allocated() / 1e9, 1),
            "GB reserved": round(torch.cuda.max_memory_reserved() / 1e9, 1),
            "GB planned": round(router.gpu_bytes(1) / 1e9, 1),
        }  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routers", nargs="+", default=["router_dc", "hybrid_llm"])
    parser.add_argument("--micro-batches", nargs="+", type=int, default=[8])
    parser.add_argument("--keep-activations", action="store_true", help="without gradient checkpointing, too")
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--queries", type=int, default=4096)
    parser.add_argument("--median", type=int, default=150, help="words of a text")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    train = queries(options.queries, options.median)
    with tempfile.TemporaryDirectory() as folder:
        path = encoder(Path(folder), options.width, options.layers)
        for name in options.routers:
            for micro_batch in options.micro_batches:
                for checkpointing in [True, False] if options.keep_activations else [True]:
                    print(json.dumps(measure(name, train, path, micro_batch, checkpointing)), flush=True)


if __name__ == "__main__":
    main()
