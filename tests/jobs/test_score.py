"""Scoring: only what needs it, a failure counts 0, a publisher's verdicts stay."""

import numpy as np
import pytest

import jobs.score as module
from jobs.score import ScoreError, ScoreTask, needs_scoring, score
from scoring.benchmark import Benchmark, find
from store.layout import Layout
from store.queries import read_queries, write_queries
from store.records import Query, Response, Score
from store.release_import import import_release
from store.responses import ResponseWriter
from store.scores import read_scores
from tests.releases import make_release


class Parity(Benchmark):
    """Right if the answer is "even" for an even index."""

    name = "parity"
    judged = 0

    def load(self, data_dir):
        return [Query(index, f"{index}?", ("even", "odd")[index % 2]) for index in range(6)]

    def prompt(self, query):
        return [{"role": "user", "content": query.text}]

    def score(self, query, text):
        type(self).judged += 1
        return Score(float(text == query.ground_truth), text)


@pytest.fixture
def layout(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find", lambda name, **params: Parity(**params))
    monkeypatch.setattr(Parity, "judged", 0)
    monkeypatch.setattr(Parity, "scorer_version", 1)
    layout = Layout(tmp_path)
    write_queries(layout, "parity", Parity().queries(tmp_path))
    return layout


def answer(layout, indices, text="even", error="", finished_at=1.0, writer="w"):
    responses = ResponseWriter(layout, "parity", "m", writer, {"digest": "d"})
    for index in indices:
        responses.append(Response(index, text=text, error=error, finished_at=finished_at))
    responses.commit()


def task(layout, **options):
    return ScoreTask(root=layout.root, benchmark="parity", models=("m",), params={}, **options)


def values(layout):
    return read_scores(layout, "parity", "m")[0]["score"].tolist()


def test_every_response_is_judged_once(layout):
    answer(layout, range(6))
    assert needs_scoring(task(layout))
    assert score(task(layout)) == {"m": 6}
    assert values(layout) == [1, 0, 1, 0, 1, 0]
    assert not needs_scoring(task(layout))
    assert score(task(layout)) == {"m": 0}


def test_scoring_goes_on_with_what_came_since(layout):
    answer(layout, [0, 1])
    score(task(layout))
    answer(layout, [2, 3], writer="x")
    assert score(task(layout)) == {"m": 2}
    assert Parity.judged == 4


def test_a_failure_counts_0_until_it_succeeds(layout):
    answer(layout, [0], text="", error="too long")
    score(task(layout))
    assert values(layout) == [0]
    answer(layout, [0], finished_at=2.0, writer="x")
    assert score(task(layout)) == {"m": 1}
    assert values(layout) == [1]


def test_a_newer_scorer_or_a_corrected_gold_answer_judges_again(layout, monkeypatch):
    answer(layout, range(6))
    score(task(layout))
    monkeypatch.setattr(Parity, "scorer_version", 2)
    assert score(task(layout)) == {"m": 6}
    queries = [Query(q.index, q.text, "even", q.messages) for q in Parity().queries(layout.root)]
    write_queries(layout, "parity", queries)
    assert score(task(layout)) == {"m": 6}
    assert np.mean(values(layout)) == 1.0


def test_rescoring_is_asked_for(layout):
    answer(layout, range(6))
    score(task(layout))
    assert score(task(layout, again=True)) == {"m": 6}


def test_a_grader_that_fails_costs_its_response_which_is_judged_again(layout, monkeypatch):
    def score_or_fail(self, query, text):
        if query.index == 3:
            raise ZeroDivisionError("no\nway")
        return Score(1.0)

    monkeypatch.setattr(Parity, "score", score_or_fail)
    answer(layout, range(6))
    with pytest.raises(ScoreError, match=r"parity: .* 1 responses, .*: m, index 3: ZeroDivisionError: no way$"):
        score(task(layout))
    table = read_scores(layout, "parity", "m")[0]
    assert table["score"].tolist()[:3] + table["score"].tolist()[4:] == [1] * 5
    assert np.isnan(table["score"][3])
    assert table["explanation"][3] == "its grader failed: ZeroDivisionError: no way"
    monkeypatch.setattr(Parity, "score", lambda *_: Score(0.5))
    assert score(task(layout)) == {"m": 1}
    assert values(layout) == [1, 1, 1, 0.5, 1, 1]


def test_what_was_judged_before_the_end_stays(layout, monkeypatch):
    def score_or_end(self, query, text):
        if query.index == 4:
            raise KeyboardInterrupt
        return Score(1.0)

    monkeypatch.setattr(module, "_CHECKPOINT_S", 0.0)
    monkeypatch.setattr(Parity, "score", score_or_end)
    answer(layout, range(6))
    with pytest.raises(KeyboardInterrupt):
        score(task(layout))
    assert values(layout) == [1] * 4
    assert needs_scoring(task(layout))
    monkeypatch.setattr(Parity, "score", lambda *_: Score(0.5))
    assert score(task(layout)) == {"m": 2}
    assert values(layout) == [1, 1, 1, 1, 0.5, 0.5]


def test_the_files_are_the_same_whatever_the_number_of_processes(tmp_path):
    layout = Layout(tmp_path)
    benchmark = find("demo_sort")
    write_queries(layout, "demo_sort", benchmark.queries(tmp_path))
    queries = read_queries(layout, "demo_sort")
    for model in ("m", "n"):
        responses = ResponseWriter(layout, "demo_sort", model, "w", {"digest": "d"})
        for query in queries:
            responses.append(Response(query.index, text=query.ground_truth[: query.index % 9 or None], finished_at=1.0))
        responses.commit()
    found = []
    for n_processes in (1, 2, None):
        models = ("m", "n")
        sort = ScoreTask(
            root=tmp_path, benchmark="demo_sort", models=models, params={}, again=True, n_processes=n_processes
        )
        assert score(sort) == dict.fromkeys(models, len(queries))
        found.append([layout.scores("demo_sort", model).read_bytes() for model in models])
    assert found[0] == found[1] == found[2]
    assert 0 < np.mean(read_scores(layout, "demo_sort", "m")[0]["score"]) < 1


def test_a_published_verdict_is_kept(tmp_path, monkeypatch):
    layout = Layout(tmp_path / "store")
    import_release(make_release(tmp_path / "in"), layout, n_processes=1)
    before = read_scores(layout, "shapes", "beta")[0]["score"]
    monkeypatch.setattr(module, "find", lambda name, **params: Parity(**params))
    imported = ScoreTask(root=layout.root, benchmark="shapes", models=("beta",), params={})
    assert not needs_scoring(imported)
    assert score(imported) == {"beta": 0}
    assert np.array_equal(read_scores(layout, "shapes", "beta")[0]["score"], before)


def test_a_response_that_got_no_score_gets_none_by_the_same_rules_and_is_judged_with_the_next(layout, monkeypatch):
    answer(layout, [0, 1])
    monkeypatch.setattr(Parity, "score", lambda self, query, text: Score(np.nan if query.index else 1.0))
    assert score(task(layout)) == {"m": 2}
    assert not needs_scoring(task(layout))
    monkeypatch.undo()
    monkeypatch.setattr(module, "find", lambda name, **params: Parity(**params))
    assert score(task(layout)) == {"m": 1}
    assert values(layout) == [1, 0]
    assert not needs_scoring(task(layout))
