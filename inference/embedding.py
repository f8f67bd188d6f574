"""Text -> vectors: sentence-transformers, or hashed words where there is no torch."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.engine import EngineError
from inference.spec import EncoderSpec
from store.packages import PackageError, checkpoint_path

_HASHING = "hashing:"


def encode(spec: EncoderSpec, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embeddings as the encoder gives them, not normalised by us, float32 [n_texts, dim].

    Raises:
        EngineError: sentence-transformers or the encoder is not there.
    """
    return load(spec)(texts)


def load(spec: EncoderSpec) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """`encode` with the encoder loaded once, for those who do not have all texts at once; raises as it does."""
    if spec.path.startswith(_HASHING):
        return lambda texts: _hash_words(spec, texts)
    path = resolve(spec)
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EngineError(
            f"sentence-transformers cannot be imported ({error}); pip install 'routeyard[embed]'"
        ) from None
    encoder = SentenceTransformer(path, revision=spec.revision, **spec.args)
    if spec.max_tokens is not None:
        encoder.max_seq_length = spec.max_tokens

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        safe = [text.encode("utf-8", "replace").decode() for text in texts]  # tokenizers refuse lone surrogates
        # Sorted by length inside; the result is in the order of the input.
        return encoder.encode(safe, batch_size=spec.batch_size, convert_to_numpy=True, show_progress_bar=False)

    return embed


def _hash_words(spec: EncoderSpec, texts: Sequence[str]) -> NDArray[np.float32]:
    """Words and word pairs hashed into a fixed number of signed counts, unit length; learns nothing from the texts."""
    from sklearn.feature_extraction.text import HashingVectorizer

    dim = int(spec.path.removeprefix(_HASHING))
    vectorizer = HashingVectorizer(n_features=dim, ngram_range=(1, 2), dtype=np.float32)
    return vectorizer.transform(texts).toarray()


def resolve(spec: EncoderSpec) -> str:
    """Path or hub id that sentence-transformers understands.

    Raises:
        EngineError: the package that should carry the encoder is not installed.
    """
    try:
        return checkpoint_path(spec.path)
    except PackageError as error:
        raise EngineError(f"encoder {spec.name}: {error}") from None
