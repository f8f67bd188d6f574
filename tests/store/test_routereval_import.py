"""RouterEval's files -> store and back, its own split, and what is refused in words."""

import re

import numpy as np
import pytest
from store_samples import query

from store.errors import StoreError
from store.given_split import given_split
from store.layout import Layout
from store.queries import read_queries, write_queries
from store.routereval_import import import_routereval
from store.score_matrix import matrix_meta, pack, read_score_matrix, write_score_matrix
from tests.routereval_release import N_MODELS, dump, make_routereval

MUSR, TRUTHFULQA = "routereval_musr", "routereval_truthfulqa"


@pytest.fixture
def release(tmp_path):
    return tmp_path / "data", make_routereval(tmp_path / "data")


def test_scores_and_queries_come_in_by_the_names_of_the_sub_tasks(release, layout: Layout):
    folder, scores = release
    assert {(r.name, r.n_queries, r.n_models, r.is_new) for r in import_routereval(folder, layout)} == {
        (MUSR, 51, N_MODELS, True), (TRUTHFULQA, 40, N_MODELS, True)
    }  # fmt: skip
    matrix = read_score_matrix(layout, MUSR)
    assert matrix.is_binary
    assert matrix.values.nbytes == N_MODELS * 7  # 51 bits
    assert matrix.models[:2] == ("org/m_0", "org/m_1")
    expected = np.concatenate([scores["musr_murder_mysteries"], scores["musr_team_allocation"]])
    np.testing.assert_array_equal(matrix.rows(slice(None)).T, expected)
    np.testing.assert_array_equal(np.concatenate(list(matrix.blocks())).T, expected)
    graded = read_score_matrix(layout, TRUTHFULQA)
    assert not graded.is_binary
    np.testing.assert_array_equal(graded.rows(slice(None)).T, scores["harness_truthfulqa_mc_0"])
    queries = read_queries(layout, MUSR)
    assert [queries[i].text for i in (0, 31)] == ["musr_murder_mysteries 0 colour 0", "musr_team_allocation 0 colour 0"]
    assert queries[31].metadata["subtask"] == "musr_team_allocation"


def test_a_tenth_of_each_sub_task_is_for_the_test_and_a_tenth_for_nobody(release, layout: Layout):
    import_routereval(release[0], layout)
    train, test = given_split(layout, MUSR)
    assert not np.intersect1d(train, test).size
    for rows, n_train, n_test in ((range(31), 24, 4), (range(31, 51), 16, 2)):
        assert (np.isin(rows, train).sum(), np.isin(rows, test).sum()) == (n_train, n_test)


def test_again_reads_nothing_and_what_a_kill_left_out_comes_in(release, layout: Layout):
    folder, _ = release
    import_routereval(folder, layout)
    before = layout.score_matrix(MUSR).stat().st_mtime_ns
    assert not any(result.is_new for result in import_routereval(folder, layout))
    assert layout.score_matrix(MUSR).stat().st_mtime_ns == before
    layout.score_matrix(MUSR).unlink()
    assert {result.name for result in import_routereval(folder, layout) if result.is_new} == {MUSR}
    make_routereval(folder, seed=1)
    assert all(result.is_new for result in import_routereval(folder, layout))


@pytest.mark.parametrize(
    ("score", "prompts", "words"),
    [
        (np.full((2, 2), 1.5), ["a", "b"], "m, query 0: score 1.5 lies outside"),
        (np.array([[0.0, 1.0], [0.0, np.nan]]), ["a", "b"], "n, query 1: score nan lies outside"),
        (np.zeros((2, 3)), ["a", "b"], r"shape \(2, 3\), expected queries × 2 models"),
        (np.zeros((2, 2)), ["a"], "ifeval has 2 queries, its prompts are 1"),
        (np.zeros(2), ["a", "b"], r"ifeval has no correctness"),
        (np.array([["x", "y"]]), ["a"], r"ifeval has no correctness"),
    ],
)
def test_what_cannot_be_used_is_named_and_leaves_the_others_alone(release, layout: Layout, score, prompts, words):
    folder, _ = release
    dump(folder / "leaderboard_score" / "leaderboard_new.pkl",
         {"model": ["m", "n"], "data": {"ifeval": {"correctness": score}}})  # fmt: skip
    dump(folder / "leaderboard_prompt" / "leaderboard_new_prompt.pkl", {"ifeval": prompts})
    results = {result.name: result for result in import_routereval(folder, layout)}
    assert re.search(words, results["new"].message)
    assert results[TRUTHFULQA].is_new


@pytest.mark.parametrize(
    ("content", "words"),
    [([1], "not of RouterEval's layout"), ({"model": [], "data": {"sums": 1}}, "sums belongs to no benchmark")],
)
def test_another_layout_is_named(release, layout: Layout, content, words):
    folder, _ = release
    dump(folder / "leaderboard_score" / "leaderboard_new.pkl", content)
    assert any(words in result.message for result in import_routereval(folder, layout))


def test_missing_files_are_named(release, layout: Layout, tmp_path):
    with pytest.raises(StoreError, match="unpack RouterEval's leaderboard_score"):
        import_routereval(tmp_path / "nowhere", layout)
    (release[0] / "leaderboard_prompt" / "leaderboard_old_prompt.pkl").unlink()
    messages = [result.message for result in import_routereval(release[0], layout) if result.message]
    assert len(messages) == 1
    assert "has no leaderboard_old_prompt.pkl" in messages[0]


def test_models_that_would_be_alike_keep_their_whole_names(release, layout: Layout):
    folder, _ = release
    names = ["x/details_a__b", "y/details_a__b"]
    dump(folder / "leaderboard_score" / "leaderboard_new.pkl",
         {"model": names, "data": {"ifeval": {"correctness": np.ones((2, 2))}}})  # fmt: skip
    dump(folder / "leaderboard_prompt" / "leaderboard_new_prompt.pkl", {"ifeval": ["a", "b"]})
    import_routereval(folder, layout)
    assert read_score_matrix(layout, "routereval_ifeval").models == tuple(names)


@pytest.mark.parametrize("n_queries", [1, 8, 17])
def test_sums_and_unions_of_bits_are_those_of_the_scores(layout: Layout, n_queries):
    rng = np.random.default_rng(n_queries)
    score, counted = rng.integers(0, 2, (n_queries, 5)), rng.random(n_queries) < 0.7
    write_score_matrix(layout, "b", pack(list("abcde"), score), {})
    matrix = read_score_matrix(layout, "b")
    assert matrix_meta(layout, "b")["n_queries"] == n_queries
    np.testing.assert_array_equal(matrix.total(matrix.on(counted)), score[counted].sum(axis=0))
    best = matrix.union.reduce(matrix.on(counted), axis=0)
    assert matrix.total(best) == score[counted].max(axis=1).sum()


def test_a_benchmark_without_a_split_of_its_own_says_so(layout: Layout):
    write_queries(layout, "b", [query(0)])
    with pytest.raises(StoreError, match="b came without a split of its own"):
        given_split(layout, "b")
