"""Which queries count: a draw that never changes, a list of indices, and the same for every command."""

import json

import numpy as np
import pytest

from configs.compose import ConfigError, compose
from configs.schema import BenchmarkConfig, SampleConfig
from launch import train
from launch.planning import collect_tasks, setting_of
from launch.samples import selected
from store.errors import StoreError
from store.layout import Layout
from store.queries import write_queries
from store.records import Query, Response
from store.responses import ResponseWriter
from store.scores import write_scores

N_QUERIES = 20
HERE = {"made_from": ["as if its loader had made it"]}


def add_queries(layout, name, n_queries=N_QUERIES, meta=None):
    message = {"role": "user", "content": "?"}
    write_queries(layout, name, [Query(index, "q", "g", (message,)) for index in range(n_queries)], meta)


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "store")
    add_queries(layout, "finqa", meta=HERE)
    return layout


def taken(layout, **sample):
    return selected(layout, "finqa", BenchmarkConfig("finqa", sample=SampleConfig(**sample))).tolist()


def test_without_a_sample_every_query_counts(layout):
    assert selected(layout, "finqa", BenchmarkConfig("finqa")).tolist() == list(range(N_QUERIES))


@pytest.mark.parametrize(
    ("size", "seed", "expected"),
    [
        (5, 42, [0, 3, 7, 8, 16]),
        (5, 7, [1, 2, 4, 10, 12]),
        (15, 42, [0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 15, 16, 17, 18]),
    ],
)
def test_a_draw_is_the_same_in_every_version_of_python(layout, size, seed, expected):
    assert taken(layout, size=size, seed=seed) == expected


def test_the_draw_of_mmlupro_is_the_one_of_the_results_so_far(tmp_path):
    layout = Layout(tmp_path)
    add_queries(layout, "mmlupro", 12_032)
    drawn = selected(layout, "mmlupro", compose(["benchmarks=[mmlupro]"]).benchmark["mmlupro"]).tolist()
    assert len(set(drawn)) == 1000
    assert (drawn[:5], drawn[-3:], sum(drawn)) == ([6, 9, 27, 35, 43], [11977, 11991, 12022], 6014902)


def test_a_draw_larger_than_the_benchmark_is_refused(layout):
    with pytest.raises(StoreError, match=r"sample\.size=21.*only 20 queries"):
        taken(layout, size=21)


@pytest.mark.parametrize(
    "content",
    ["7\n3\n\n 19 \n", "7\r\n3\r\n19", "[7, 3, 19]", " [\n 19, 3,\n 7]\n", "\ufeff3\n7\n19\n"],
    ids=["lines", "lines of Windows, no last end", "JSON", "JSON over lines", "byte order mark"],
)
def test_a_list_of_indices_is_taken_in_any_form(layout, tmp_path, content):
    path = tmp_path / "list.txt"
    path.write_bytes(content.encode())
    assert taken(layout, index=str(path)) == [3, 7, 19]
    assert taken(layout, index=str(path), size=5) == [3, 7, 19]  # a list goes before a draw


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("3\n20\n", ["line 2 is 20", "no index of it", "20 queries, from 0 to 19"]),
        ("[-1]", ["entry 1 is -1", "from 0 to 19"]),
        ("3\n\n7\n3\n", ["line 4 is 3", "so is line 1", "once"]),
        ("3\nseven\n", ["line 2 is 'seven'", "integer"]),
        ("-1\n", ["line 1 is '-1'", "integer"]),
        ("[1.0]", ["entry 1 is 1.0", "integer"]),
        ("[true]", ["entry 1 is True", "integer"]),
        ('["3"]', ["entry 1 is '3'", "integer"]),
        ("²\n", ["line 1 is '²'", "integer"]),
        ("[3, 7", ["cannot be read"]),
        ("[]", ["holds no index"]),
        ("\n", ["holds no index"]),
        (None, ["cannot be read", "No such file"]),
    ],
    ids=str,
)
def test_a_wrong_list_is_one_line_that_says_where(layout, tmp_path, content, words):
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        taken(layout, index=str(path))
    message = str(caught.value)
    assert f"benchmark.finqa.sample.index={path}" in message
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_a_sample_of_neither_form_is_refused(layout):
    with pytest.raises(ConfigError, match=r"benchmark\.finqa\.sample: neither size nor index"):
        taken(layout)


def test_collecting_status_training_and_reduction_see_the_same_queries(layout, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text(json.dumps([3, 7, 19]))
    words = ["pool=demo", "benchmarks=[finqa]", "benchmark.finqa.sample={index: list.json}", "engine=vllm"]
    words.append(f"store.root={layout.root}")
    config = compose(words, {"encoder": "hashed", "setting": "demo"})
    config.setting.benchmarks = ["finqa"]
    config.setting.models = None
    tasks, _ = collect_tasks(config, ["finqa"])  # what collect and status go by
    assert {tuple(task.benchmarks[0].index.tolist()) for task in tasks.values()} == {(3, 7, 19)}
    add_answers(layout, "finqa", "m")
    assert setting_of(config).matrix().index.tolist() == [3, 7, 19]  # what train and reduce go by
    (tmp_path / "list.json").write_text("[99]")
    assert train.main(["setting=demo", "setting.benchmarks=[finqa]", *words]) == 2
    assert "entry 1 is 99" in capsys.readouterr().err


def test_a_benchmark_that_train_was_not_told_of_has_the_sample_it_was_collected_with(tmp_path):
    layout = Layout(tmp_path)
    add_queries(layout, "meld", 2610, HERE)
    add_answers(layout, "meld", "m")
    config = compose(
        ["setting=demo", "setting.benchmarks=[meld]", f"store.root={tmp_path}", "encoder=hashed"], {"pool": "demo"}
    )
    config.benchmark = {}
    assert len(setting_of(config).matrix().index) == 1232


def test_the_queries_of_a_release_are_all_there_are(tmp_path):
    layout = Layout(tmp_path)
    add_queries(layout, "meld", 1500, {"source": "release"})
    add_answers(layout, "meld", "m")
    config = compose(["setting=demo", "setting.benchmarks=[meld]", f"store.root={tmp_path}", "encoder=hashed"])
    assert len(setting_of(config).matrix().index) == 1500


def add_answers(layout, benchmark, model):
    """One response with its score is enough for a model to be part of a setting."""
    writer = ResponseWriter(layout, benchmark, model, "w", {"digest": "d"})
    writer.append(Response(3, text="x", finished_at=1.0))
    writer.commit()
    keys = {"index": np.array([3]), "repeat": np.array([0]), "response_finished_at": np.array([1.0])}
    table = keys | {"score": np.array([1.0]), "prediction": ["x"], "explanation": [""]}
    write_scores(layout, benchmark, model, table, {"scorer": "x"})
