"""The networks of the routers that read the text: an encoder of the Hugging Face library with a head."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from routers.deepspeed_training import device
from routers.router import RouterError
from store.packages import checkpoint_path

POOLINGS = ("first", "last", "mean")


class Encoder(torch.nn.Module):
    """Token numbers -> one vector per text, [n, hidden_size].

    Args:
        path: folder, hub id or `package:<name>/<folder>` of a checkpoint.
        pooling: the state of the first token (BERT), of the last one (causal models), or the mean of all.
        gradient_checkpointing: compute activations twice instead of keeping them.
    """

    def __init__(self, name: str, path: str, pooling: str, gradient_checkpointing: bool) -> None:
        super().__init__()
        self.body = load(name, path, "AutoModel")
        self.pooling = pooling
        if gradient_checkpointing:
            self.body.gradient_checkpointing_enable()
        self.hidden_size: int = self.body.config.hidden_size

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Args: token numbers and which of them count, int64 [n, n_tokens], padded on the right."""
        state = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
        if self.pooling == "first":
            return state[:, 0]
        if self.pooling == "last":
            return state[torch.arange(len(ids), device=ids.device), mask.sum(1) - 1]
        weight = mask.unsqueeze(-1).to(state.dtype)
        return (state * weight).sum(1) / weight.sum(1)


class Classifier(torch.nn.Module):
    """An encoder, dropout and one linear layer: logits [n, n_classes]."""

    def __init__(self, encoder: Encoder, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder, self.dropout = encoder, torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(encoder.hidden_size, n_classes)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.head(self.dropout(self.encoder(ids, mask).to(self.head.weight.dtype)))


class Compass(torch.nn.Module):
    """RouterDC: an encoder, and a vector for every model (arXiv 2409.19886, section 3).

    Args:
        n_models: rows of the model embeddings, drawn from N(0, 0.78²) as in the reference.
    """

    def __init__(self, encoder: Encoder, n_models: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.models = torch.nn.Parameter(0.78 * torch.randn(n_models, encoder.hidden_size))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines with the models [n, n_models], and among the texts [n, n]; in single precision."""
        text = torch.nn.functional.normalize(self.encoder(ids, mask).float(), dim=1)
        return text @ torch.nn.functional.normalize(self.models.float(), dim=1).T, text @ text.T


class Tokens:
    """Texts as token numbers, cut to a length.

    Args:
        side: which end of a long text is cut off, "left" or "right".
    """

    def __init__(self, name: str, path: str, texts: Sequence[str], max_tokens: int, side: str) -> None:
        tokenizer = load(name, path, "AutoTokenizer", truncation_side=side)
        safe = [text.encode("utf-8", "replace").decode() for text in texts]  # tokenizers refuse lone surrogates
        self._ids = tokenizer(safe, truncation=True, max_length=max_tokens)["input_ids"]
        pad = tokenizer.pad_token_id
        self._pad = tokenizer.eos_token_id if pad is None else pad

    def batch(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token numbers and which of them count, int64 [n_rows, longest], on this rank's device."""
        chosen = [self._ids[row] or [self._pad] for row in rows.tolist()]
        ids = torch.full((len(chosen), max(map(len, chosen))), self._pad)
        mask = torch.zeros_like(ids)
        for at, tokens in enumerate(chosen):
            ids[at, : len(tokens)] = torch.tensor(tokens)
            mask[at, : len(tokens)] = 1
        return ids.to(device()), mask.to(device())


def load(name: str, path: str, kind: str, **options: Any) -> Any:
    """What a class of transformers makes of a checkpoint; networks in bfloat16 on a GPU, else in single precision.

    Raises:
        RouterError: transformers is not installed, or the checkpoint cannot be loaded.
    """
    try:
        import transformers
    except ImportError as error:
        raise RouterError(
            f"{name}: transformers cannot be imported ({error}); pip install 'routeyard[train]'"
        ) from None
    if kind.startswith("AutoModel"):
        options["dtype"] = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    transformers.utils.logging.disable_progress_bar()
    try:
        return getattr(transformers, kind).from_pretrained(checkpoint_path(path), **options)
    except (OSError, ValueError) as error:
        raise RouterError(f"{name}: {path} cannot be loaded: {str(error).splitlines()[0]}") from None


def shape_of(name: str, path: str) -> tuple[float, int, int]:
    """Parameters, width and layers of a checkpoint, from its configuration alone."""
    config = load(name, path, "AutoConfig")
    import transformers

    with torch.device("meta"):
        network = transformers.AutoModel.from_config(config)
    return sum(value.numel() for value in network.parameters()), config.hidden_size, config.num_hidden_layers


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Initial weights drawn inside depend on the seed alone, and nothing outside on them."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
