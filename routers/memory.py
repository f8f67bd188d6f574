"""How much of a GPU's memory a training will take, before it is submitted.

Per parameter, in bfloat16 with AdamW: 2 bytes of weights, 2 of gradients, 12 of the optimiser (weights and two moments
in single precision). ZeRO stage 1 divides the optimiser's among the GPUs, 2 the gradients, too, 3 the weights, too
(arXiv 1910.02054). Activations: 126 bytes per token and unit of width in every layer; with gradient checkpointing 2
bytes in every layer and 126 in one.

The 126 bytes and what is fixed were measured with a decoder of 1.02 billion parameters on one H100 (16 layers of 2,048,
feed-forward of four times that, 8 texts of up to 512 tokens, transformers 5.17): 22.5 GB at the worst moment with
gradient checkpointing and 39.4 without, where this gives 23.6 and 39.2; the allocator held 26.5 and 44.9. Libraries
keep more than the layer's arithmetic needs (34 bytes, arXiv 2205.05198): norms in single precision, wide feed-forwards.
"""

# Parameters, width and layers of the checkpoints that are used by default, which a login node need not have.
SHAPES: dict[str, tuple[float, int, int]] = {
    "Alibaba-NLP/gte-Qwen2-7B-instruct": (7.6e9, 3584, 28),
    "Qwen/Qwen2.5-7B-Instruct": (7.6e9, 3584, 28),
    "meta-llama/Meta-Llama-3-8B-Instruct": (8.0e9, 4096, 32),
    "google-bert/bert-base-uncased": (1.1e8, 768, 12),
    "FacebookAI/roberta-base": (1.25e8, 768, 12),
}
_PER_LAYER, _KEPT = 126.0, 2.0
_FIXED = 6e9  # CUDA, NCCL, buckets of gradients under way


def gpu_bytes(
    *,
    n_parameters: float,
    hidden_size: int,
    n_layers: int,
    n_tokens: int,
    zero_stage: int,
    n_ranks: int,
    gradient_checkpointing: bool,
) -> float:
    """Bytes of one GPU at the worst moment of a step.

    Args:
        n_tokens: of a micro batch: its rows times their longest text.
    """
    share = [1 if zero_stage < stage else n_ranks for stage in (3, 2, 1)]  # of weights, gradients, optimiser
    state = n_parameters * sum(size / part for size, part in zip((2, 2, 12), share, strict=True))
    if zero_stage == 3:
        state += 4 * n_parameters / max(1, n_layers)  # the layer in use is there as a whole, and the next one
    layers = _KEPT * n_layers + _PER_LAYER if gradient_checkpointing else _PER_LAYER * n_layers
    return _FIXED + state + layers * n_tokens * hidden_size
