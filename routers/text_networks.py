"""The networks of the routers that read the text: an encoder of the Hugging Face library with a head."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from routers.deepspeed_training import device, moved
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


class Judge(torch.nn.Module):
    """A language model that answers a question with one of a few words: their logits, float32 [n, n_answers]."""

    def __init__(self, name: str, path: str, answers: Sequence[int], gradient_checkpointing: bool) -> None:
        super().__init__()
        self.body = load(name, path, "AutoModelForCausalLM")
        if gradient_checkpointing:
            self.body.gradient_checkpointing_enable()
        self.answers = list(answers)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return next_token_logits(self.body, mask, input_ids=ids)[:, self.answers].float()


class Reader(torch.nn.Module):
    """MODEL-SAT: a language model that reads a description as one vector in front of a query.

    Args:
        path: of the language model. embedder: of the descriptions.
    """

    def __init__(self, name: str, path: str, embedder: Encoder, gradient_checkpointing: bool) -> None:
        super().__init__()
        self.body = load(name, path, "AutoModelForCausalLM")
        if gradient_checkpointing:
            self.body.gradient_checkpointing_enable()
            self.body.enable_input_require_grads()  # or nothing reaches the projector while the body stands still
        self.embedder = embedder
        self.projector = Projector(embedder.hidden_size, self.body.config.hidden_size)

    def forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        place: int,
        described: torch.Tensor,
        described_mask: torch.Tensor,
        which: NDArray[np.int64],
        answers: tuple[int, int],
    ) -> torch.Tensor:
        """Log probabilities, among all tokens, of two that may come next, float32 [n, 2].

        Args:
            ids, mask: of the prompts, [n, n_tokens], padded on the right.
            place: of the token that the description replaces.
            described, described_mask: token numbers of the descriptions, [n_descriptions, n_tokens].
            which: description of each prompt, [n].
            answers: numbers of the two tokens.
        """
        vector = self.projector(self.embedder(described, described_mask))
        embedded = self.body.get_input_embeddings()(ids)
        chosen = vector[moved(which, ids.device)].to(embedded.dtype)
        embedded = torch.cat([embedded[:, :place], chosen[:, None], embedded[:, place + 1 :]], dim=1)
        logit = next_token_logits(self.body, mask, inputs_embeds=embedded).float()
        return torch.log_softmax(logit, dim=1)[:, list(answers)]


def next_token_logits(body: Any, mask: torch.Tensor, **inputs: torch.Tensor) -> torch.Tensor:
    """What a language model says about the token after each text, [n_texts, n_vocabulary].

    Args:
        mask: which of the tokens count, [n_texts, n_tokens], padded on the right.
    """
    last = mask.sum(1) - 1
    # The head computes these places of every text, not all: a vocabulary is wide.
    logit = body(attention_mask=mask, logits_to_keep=last, **inputs).logits  # [n_texts, n_texts, n_vocabulary]
    return logit.diagonal(dim1=0, dim2=1).T


class Projector(torch.nn.Module):
    """Root mean square norm, a linear layer, and a residual block of two with SiLU between; no biases (spec A4.2)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.norm = torch.nn.RMSNorm(n_in)
        self.first, self.up, self.down = (
            torch.nn.Linear(n_in if number == 0 else n_out, n_out, bias=False) for number in range(3)
        )

    def forward(self, vector: torch.Tensor) -> torch.Tensor:
        value = self.first(self.norm(vector.to(self.first.weight.dtype)))
        return value + self.down(torch.nn.functional.silu(self.up(value)))


class Tokens:
    """Texts as token numbers, cut to a length, or to what the encoder can read.

    Args:
        side: which end of a long text is cut off, "left" or "right".

    Attributes:
        n_tokens: of every text, int64 [n_texts].
    """

    def __init__(self, name: str, path: str, texts: Sequence[str], max_tokens: int, side: str) -> None:
        tokenizer = load(name, path, "AutoTokenizer", truncation_side=side)
        safe = _readable(texts)
        longest = min(max_tokens, tokenizer.model_max_length)  # some encoders have no places beyond
        self._hold(
            tokenizer(safe, truncation=True, max_length=longest)["input_ids"] if safe else [], _padding(tokenizer)
        )

    def _hold(self, ids: list[list[int]], pad: int) -> None:
        self._ids, self._pad = ids, pad
        self.n_tokens = np.array([len(numbers) for numbers in ids], np.int64)

    def batch(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token numbers and which of them count, int64 [n_rows, longest], on this rank's device."""
        return padded([self._ids[row] or [self._pad] for row in rows.tolist()], self._pad)


class Prompts(Tokens):
    """Queries in the chat template of a language model, with a question behind and perhaps one vector in front.

    Args:
        answers: the words among which it answers the question.
        max_tokens: of a query; the rest of a longer one is cut off.
        takes_vector: whether there is a place for a vector.

    Attributes:
        answers: numbers of the tokens with which they begin.
        place: of the vector among the tokens of every prompt.
    """

    def __init__(
        self, name: str, path: str, texts: Sequence[str], max_tokens: int, question: str, answers: Sequence[str],
        takes_vector: bool,
    ) -> None:  # fmt: skip
        mark = "\ue000"  # of the private use area: in no template
        tokenizer = load(name, path, "AutoTokenizer")

        def numbers(text: str) -> list[int]:
            return tokenizer(text, add_special_tokens=False)["input_ids"]

        content = f"{mark}\n\n{mark}\n\n{question}" if takes_vector else f"{mark}\n\n{question}"
        chat = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        pad = _padding(tokenizer)
        *before, after = map(numbers, chat.split(mark))
        head = [*before[0], pad, *before[1]] if takes_vector else before[0]
        self.place = len(before[0])
        self._hold([[*head, *numbers(text)[:max_tokens], *after] for text in _readable(texts)], pad)
        self.answers = tuple(numbers(word)[0] for word in answers)
        if len(set(self.answers)) < len(answers):
            words = ", ".join(answers)
            raise RouterError(f"{name}: {path} begins two of {words} with the same token; take another language model")


def _readable(texts: Sequence[str]) -> list[str]:
    """Texts without lone surrogates, which tokenizers refuse."""
    return [text.encode("utf-8", "replace").decode() for text in texts]


def _padding(tokenizer: Any) -> int:
    """Number of the token that fills up short texts; it does not count."""
    return tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Lists of numbers side by side, and where they are, int64 [n_rows, longest] each, on this rank's device."""
    ids = torch.full((len(rows), max(map(len, rows))), pad)
    mask = torch.zeros_like(ids)
    for at, numbers in enumerate(rows):
        ids[at, : len(numbers)] = torch.tensor(numbers)
        mask[at, : len(numbers)] = 1
    return moved(ids, device()), moved(mask, device())


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
