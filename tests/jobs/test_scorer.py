"""A benchmark that compares texts by meaning gets its encoder from outside, and only when it needs it."""

import numpy as np
import pytest

from inference.engine import EngineError
from jobs.scorer import scorer


def test_a_benchmark_without_an_encoder_is_as_it_is_found():
    assert not hasattr(scorer("aime", {}), "embed")


def test_an_encoder_is_loaded_with_the_first_text():
    benchmark = scorer("sgi_idea_generation", {"encoder": "package:no_such_package/model"})
    with pytest.raises(EngineError, match="no-such-package"):
        benchmark.embed(["a"])


def test_the_encoder_is_that_of_the_configuration():
    vector = scorer("sgi_idea_generation", {"encoder": "hashing:64"}).embed(["a fold", "a fold", "b"])
    assert vector.shape == (3, 64)
    assert np.array_equal(vector[0], vector[1])


@pytest.mark.slow
def test_the_published_encoder_tells_near_from_far():
    pytest.importorskip("sentence_transformers")
    benchmark = scorer("sgi_idea_generation", {})
    idea, near, far = benchmark.embed(["Transits of planets dim a star.", "exoplanet light curves", "a cake recipe"])
    assert idea @ near > 0.3 > idea @ far
    assert np.allclose(benchmark.embed(["a cake recipe"])[0], far, atol=1e-5)
