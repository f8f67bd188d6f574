"""Scoring: only what needs it, a failure counts 0, a publisher's verdicts stay."""

import numpy as np
import pytest

import jobs.score as module
from jobs.score import ScoreTask, needs_scoring, score
from scoring.benchmark import Benchmark
from store.layout import Layout
from store.queries import write_queries
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
