"""Text encoders: the torch-free one here, the real one in the end-to-end runs."""

import numpy as np
import pytest

from inference.embedding import encode, resolve
from inference.engine import EngineError
from inference.spec import EncoderSpec

HASHED = EncoderSpec("hashed", "hashing:256")


def test_hashed_words_are_unit_vectors_and_the_same_every_time():
    texts = ["sort these letters", "add these numbers", "sort these words"]
    vector = encode(HASHED, texts)
    assert vector.dtype == np.float32
    assert vector.shape == (3, 256)
    assert np.allclose(np.linalg.norm(vector, axis=1), 1)
    assert np.array_equal(vector, encode(HASHED, texts))
    assert vector[0] @ vector[2] > vector[1] @ vector[2]


def test_a_text_does_not_depend_on_the_others():
    assert np.array_equal(encode(HASHED, ["a b c", "d"])[0], encode(HASHED, ["a b c"])[0])


def test_lone_surrogates_and_empty_texts_are_embedded():
    assert np.isfinite(encode(HASHED, ["\ud800 and \0", ""])).all()


def test_an_encoder_in_a_package_that_is_not_there_says_what_to_install():
    with pytest.raises(EngineError, match="pip install"):
        resolve(EncoderSpec("x", "package:no_such_package/model"))
