"""A benchmark that compares texts by meaning gets its encoder from outside, and only when it needs it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from inference.engine import EngineError
from jobs.benchmark_encoder import with_encoder
from scoring.benchmark import find


def ideas(**params):
    return with_encoder(find("sgi_idea_generation", **params))


def test_a_benchmark_without_an_encoder_stays_as_it_is():
    assert not hasattr(with_encoder(find("aime")), "embed")


def test_an_encoder_is_loaded_with_the_first_text():
    benchmark = ideas(encoder="package:no_such_package/model")
    with pytest.raises(EngineError, match="no-such-package"):
        benchmark.embed(["a"])


def test_the_encoder_is_that_of_the_configuration():
    vector = ideas(encoder="hashing:64").embed(["a fold", "a fold", "b"])
    assert vector.shape == (3, 64)
    assert np.array_equal(vector[0], vector[1])


@pytest.mark.slow
def test_the_published_encoder_tells_near_from_far_in_many_threads():
    pytest.importorskip("sentence_transformers")
    benchmark = ideas()
    idea, near, far = benchmark.embed(["Transits of planets dim a star.", "exoplanet light curves", "a cake recipe"])
    assert idea @ near > 0.3 > idea @ far
    with ThreadPoolExecutor(8) as pool:
        for (vector,) in pool.map(benchmark.embed, [["a cake recipe"]] * 40):
            assert np.allclose(vector, far, atol=1e-5)
