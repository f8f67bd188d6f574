"""The block behind queries.html: what a browser reads from it is what was put in."""

import base64
import dataclasses
import zlib

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_world import BENCHMARKS, HOSTILE, MODELS, N_QUERIES, SEEDS, evaluation, prompts

from scoring import queries_page as page
from scoring import query_data as module
from scoring.evaluation import Evaluation, RouterRun
from scoring.query_data import query_data
from scoring.reduction import reduce
from scoring.report import report_files, write_report


def decoded(text):
    """Header and arrays, read as the page's program reads them."""
    block = zlib.decompress(base64.b64decode(text))
    length = int.from_bytes(block[:4], "little")
    start, header = 4 + length, orjson.loads(block[4 : 4 + length])
    assert start % 8 == 0
    arrays = {}
    for name, (kind, offset, size) in header["arrays"].items():
        assert offset % 8 == 0
        arrays[name] = np.frombuffer(block, f"<{kind}", size, start + offset)
    return header, arrays


def scores(header, arrays):
    values = np.array([np.nan if value is None else value for value in header["values"]])
    return values[arrays["score"]].reshape(-1, len(header["models"]))


@pytest.fixture(scope="module")
def result():
    return reduce(evaluation(), n_resamples=20)


def test_the_queries_tested_under_any_seed_are_there(result):
    header, arrays = decoded(query_data(result, evaluation(), prompts()))
    assert header["models"] == [*MODELS, "collected"]
    assert header["n_pool"] == 3
    assert (header["benchmarks"], header["seeds"]) == (list(BENCHMARKS), list(SEEDS))
    assert arrays["index"].tolist() == list(range(300))
    assert arrays["benchmark"].tolist() == [0, 1] * 150
    assert arrays["n_right"][[0, 1, 2, 5, 12]].tolist() == [3, 1, 1, 0, 3]  # a half right answer is above 0
    assert arrays["test 1"].tolist() == list(range(100, 300))


def test_scores_are_exact_and_small(result):
    header, arrays = decoded(query_data(result, evaluation()))
    given_scores = np.concatenate([evaluation().score, evaluation().collected_score], axis=1)[:300]
    np.testing.assert_array_equal(scores(header, arrays), given_scores)
    assert header["values"] == [0.0, 0.25, 0.5, 1.0, None]
    assert arrays["score"].dtype == np.uint8
    np.testing.assert_allclose(arrays["cost"].reshape(300, 4)[:, :3], evaluation().cost[:300], rtol=1e-6)


def test_routers_choose_at_their_headline_and_best_single_is_beside_them(result):
    header, arrays = decoded(query_data(result, evaluation()))
    assert [row["name"] for row in header["routers"]] == ["turns", "first", "cascade", "collected", "Best Single"]
    assert header["routers"][0]["trade_off"] == 0.5
    assert arrays["choice 0 1"].tolist() == [query % 3 for query in range(100, 300)]
    assert set(arrays["choice 3 0"].tolist()) == {3}  # the model after the pool's three
    assert set(arrays["choice 4 0"].tolist()) == {0}
    assert arrays["calls 2 0"].reshape(3, 3).tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 1]]
    assert "calls 1 0" not in arrays


def test_prompts_are_one_line_each(result):
    _, arrays = decoded(query_data(result, evaluation(), prompts()))
    lines = arrays["prompts"].tobytes().decode().split("\n")
    assert len(lines) == 300
    assert lines[4:7] == ["What is 4 + 4?", HOSTILE, "two lines of text ?"]


def test_prompts_and_costs_may_be_absent(result, monkeypatch):
    blank = np.full((N_QUERIES, 3), np.nan)
    given_costs = dataclasses.replace(evaluation(), cost=blank, collected_cost=np.full((N_QUERIES, 1), np.nan))
    _, arrays = decoded(query_data(result, given_costs))
    assert not {"cost", "prompts"} & set(arrays)
    monkeypatch.setattr(module, "MOST_PROMPTS", 299)
    assert "prompts" not in decoded(query_data(result, evaluation(), prompts()))[1]


def test_a_prompt_too_few_is_an_error(result):
    with pytest.raises(ValueError, match="399 prompts for 400 queries"):
        query_data(result, evaluation(), prompts()[1:])


def test_queries_without_any_score_are_left_out():
    score = evaluation().score.copy()
    score[:50] = np.nan
    data = dataclasses.replace(evaluation(), score=score)
    _, arrays = decoded(query_data(reduce(data, n_resamples=20), data))
    assert arrays["index"].tolist() == list(range(50, 300))
    assert len(arrays["choice 0 0"]) == len(arrays["test 0"]) == 150


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_scores_survive(data):
    n_models, n_queries = data.draw(st.integers(1, 300)), data.draw(st.integers(2, 6))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    score = generator.random((n_queries, n_models)).round(data.draw(st.integers(0, 8)))
    rows = np.arange(n_queries)
    choice = generator.integers(n_models, size=(1, n_queries))
    router = RouterRun(
        name="r", is_reference=False, trade_off=np.array([np.nan]), headline=0, choice=(choice,),
        fit_s=(0.0,), route_s=(0.0,), calls=(None,),
    )  # fmt: skip
    drawn = Evaluation(
        setting="s", models=tuple(map(str, range(n_models))), benchmarks=("b",), seeds=(1,), benchmark=rows * 0,
        index=rows, score=score, cost=np.full(score.shape, np.nan), test=(rows,), routers=(router,), provenance={},
    )  # fmt: skip
    header, arrays = decoded(query_data(reduce(drawn, n_resamples=10), drawn))
    np.testing.assert_array_equal(scores(header, arrays), score)
    np.testing.assert_array_equal(arrays["choice 0 0"], choice[0])


def test_the_page_holds_no_data_as_html_and_is_reproducible(result):
    first, second = (page.queries_page(result, evaluation(), prompts()) for _ in range(2))
    assert first == second
    text = first.decode()
    assert text.count("</script>") == 2
    assert "onerror" not in text.split('id="data">')[1]
    assert "&lt;/script&gt;&lt;img" in text  # the setting's name in the title
    assert "http" not in text


def test_too_many_pairs_leave_the_page_out_and_the_report_says_so(result, monkeypatch, tmp_path):
    assert "queries.html" in report_files(result, evaluation())
    (tmp_path / "queries.html").write_text("of an earlier report")
    monkeypatch.setattr(page, "MOST_PAIRS", 4 * N_QUERIES - 1)
    write_report(result, tmp_path, evaluation())
    assert not (tmp_path / "queries.html").exists()
    text = (tmp_path / "index.html").read_text()
    assert "400 queries × 4 models are more than 1,599 pairs" in text
    assert 'href="queries.html"' not in text
    assert "Query by query" not in report_files(result)["index.html"].decode()
