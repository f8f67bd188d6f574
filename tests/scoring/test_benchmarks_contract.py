"""What every benchmark keeps, whatever it is: run over all that `scoring.benchmark.names()` finds."""

import math
import time

import pytest
import yaml
from read_cases import CONFIG_DIR, DATA_DIR

from scoring.benchmark import Benchmark, BenchmarkError, find, folders, names

LONG = 100_000
NASTY = {
    "empty": "",
    "blank": " \n\t",
    "long word": "a" * LONG,
    "long digits": "7" * LONG,
    "long lines": "Answer: B\n" * (LONG // 10),
    "unclosed boxes": "\\boxed{" * (LONG // 7),
    "boxes within boxes": "\\boxed{" * 10_000 + "5" + "}" * 10_000,
    "braces": "\\boxed{" + "{" * (LONG // 2) + "}" * (LONG // 2) + "}",
    "brackets": "(" * LONG,
    "underscores": "_" * LONG + "a",
    "backslashes": "\\" * LONG,
    "spaces": "Answer:" + " " * LONG + "x",
    "newlines": "\n" * LONG + "CONCLUSION",
    "headings": "CONCLUSION: Zoey is\n" * (LONG // 20) + "answer: " * (LONG // 8),
    "fences": "```python\n" * (LONG // 10),
    "tags": "<think>" * (LONG // 14) + "</think>" * (LONG // 16),
    "unclosed reasoning": "<think>Answer: A \\boxed{1}",
    "NUL": "Answer: \x00 \\boxed{\x00}",
    "lone surrogate": "Answer: \ud800 \\boxed{\udfff}",
    "Chinese": "答案是（Ｂ）。因此，最终答案：\\boxed{二}",
    "Arabic": "الجواب هو ٤٢ \\boxed{٤٢}",
    "Hindi and Thai": "उत्तर: ५ คำตอบ: ๕ \\boxed{५}",
    "emoji": "Answer: 🅱️ 👨‍👩‍👧‍👦",
    "JSON": '{"answer": [1, {"a": null}]}',
    "code": "```python\nraise SystemExit\n```\nimport os; os._exit(1)",
    "attack": "\\boxed{__import__('os').system('false')}",
    "failure": "Generation failed: 500 Answer: A \\boxed{1}",
}


@pytest.fixture(params=names(), scope="module")
def benchmark(request):
    return find(request.param)


@pytest.fixture(scope="module")
def queries(benchmark):
    """All queries; skips where the benchmark's files are absent."""
    try:
        return benchmark.queries(DATA_DIR)
    except BenchmarkError as error:
        if any(folder.exists() for folder in folders(DATA_DIR, benchmark.name)):
            raise
        pytest.skip(f"the files of {benchmark.name} are not here: {str(error).split('. ')[0]}")


def test_name_is_the_name_of_file_and_yaml(benchmark):
    assert type(benchmark).__module__ == f"scoring.benchmarks.{benchmark.name}"
    config = yaml.safe_load((CONFIG_DIR / f"{benchmark.name}.yaml").read_text(encoding="utf-8"))
    assert set(config) - {"judges"} == {"name", "params", "max_tokens", "expected_tokens", "sample"}
    assert len(config.get("judges", ())) == getattr(benchmark, "n_judges", 0)
    assert config["name"] == benchmark.name
    assert config["max_tokens"] is None or config["max_tokens"] > 0
    assert config["sample"] is None or set(config["sample"]) == {"size", "seed"}
    assert isinstance(find(benchmark.name, **config["params"]), Benchmark)


def test_it_says_what_it_is(benchmark):
    assert type(benchmark).__doc__
    assert benchmark.scorer_version >= 1


def test_loading_twice_gives_the_same(benchmark, queries):
    assert benchmark.queries(DATA_DIR) == queries


def test_indices_are_unique_and_queries_complete(queries):
    assert len({query.index for query in queries}) == len(queries) > 0
    for query in queries:
        assert query.text.strip()
        assert query.ground_truth is not None
        assert all(message["role"] in {"system", "user", "assistant"} for message in query.messages)
        assert query.messages[-1]["role"] == "user"
        assert query.messages[-1]["content"]


@pytest.mark.parametrize("profile", ["score", "score_compat"])
def test_no_text_raises_and_every_score_is_in_range_quickly(benchmark, queries, profile):
    score = getattr(benchmark, profile)
    score(queries[0], "\\boxed{x+1}")  # a grader's worker starts once, not once a score
    slow = {}
    for query in (queries[0], queries[-1]):
        for name, text in NASTY.items():
            begin = time.process_time()
            first, second = score(query, text), score(query, text)
            slow |= {name: used} if (used := time.process_time() - begin) > 2 else {}
            assert first == second or math.isnan(first.value), name
            assert math.isnan(first.value) or 0 <= first.value <= 1, name
            assert isinstance(first.prediction, str), name
            assert isinstance(first.explanation, str), name
    assert not slow


def test_a_missing_file_is_named_with_its_source(benchmark, tmp_path):
    try:
        queries = benchmark.load(tmp_path)
    except BenchmarkError as error:
        message = str(error)
    else:
        assert queries == benchmark.load(DATA_DIR)  # it makes its rows itself
        return
    assert str(tmp_path) in message
    assert "data_dir" in message
