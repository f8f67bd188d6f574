"""Matrices: every cell in its place, missing never free."""

import numpy as np
import pytest
from store_samples import add_part, answer, failure, query

from store.errors import DamagedFileError, StoreError
from store.layout import Layout
from store.matrix import complete_models, load_matrix, match_names
from store.queries import write_queries
from store.scores import write_scores

NAN = np.nan


def add_scores(layout: Layout, benchmark: str, model: str, scores: dict[tuple[int, int], float]) -> None:
    """Scores by (index, repeat), in the order given."""
    n_rows = len(scores)
    write_scores(
        layout,
        benchmark,
        model,
        {
            "index": np.array([index for index, _ in scores], np.int64),
            "repeat": np.array([repeat for _, repeat in scores], np.int64),
            "score": np.array(list(scores.values())),
            "response_finished_at": np.zeros(n_rows),
            "prediction": [""] * n_rows,
            "explanation": [""] * n_rows,
        },
        {},
    )


@pytest.fixture
def filled(layout: Layout) -> Layout:
    """Two benchmarks, two complete models, one that has only bbh."""
    write_queries(layout, "bbh", [query(index) for index in (5, 0, 2)])
    write_queries(layout, "aime", [query(3, "same"), query(4, "other"), query(9, "same")])
    add_part(
        layout,
        "w",
        [
            answer(0, cost_usd=0.5, prompt_tokens=10, completion_tokens=1),
            answer(2, cost_usd=0.25, prompt_tokens=20, completion_tokens=2),
            answer(5, cost_usd=0.125, prompt_tokens=30, completion_tokens=3),
        ],
        benchmark="bbh",
        model="m/1",
    )
    add_scores(layout, "bbh", "m/1", {(5, 0): 1.0, (0, 0): 0.5})  # 2 is answered and not scored
    add_part(
        layout,
        "w",
        [
            answer(3, cost_usd=1.0, prompt_tokens=5),
            answer(3, repeat=1, cost_usd=9.0, prompt_tokens=9),
            failure(9, cost_usd=0.0),
        ],
        benchmark="aime",
        model="m/1",
    )
    add_scores(layout, "aime", "m/1", {(3, 0): 1.0, (3, 1): 0.0, (4, 0): NAN, (9, 0): 0.0, (77, 0): 1.0})
    add_scores(layout, "bbh", "m2", {(0, 0): 0.0, (2, 0): 0.75, (5, 0): 1.0})  # an import without responses
    add_scores(layout, "aime", "m2", {(9, 0): 1.0, (4, 0): 0.0, (3, 0): 0.0})
    add_scores(layout, "bbh", "m0", {(0, 0): 1.0})
    return layout


def test_a_hand_made_store_gives_the_expected_arrays(filled: Layout):
    matrix = load_matrix(filled, ["bbh", "aime"], ["m2", "m/1"])
    assert matrix.benchmarks == ("aime", "bbh")
    assert matrix.models == ("m/1", "m2")
    assert matrix.benchmark.tolist() == [0, 0, 0, 1, 1, 1]
    assert matrix.index.tolist() == [3, 4, 9, 0, 2, 5]
    expected = {
        "score": [[1.0, 0.0], [NAN, 0.0], [0.0, 1.0], [0.5, 0.0], [NAN, 0.75], [1.0, 1.0]],
        "cost": [[1.0, NAN], [NAN, NAN], [0.0, NAN], [0.5, NAN], [NAN, NAN], [0.125, NAN]],
        "completion_tokens": [[NAN, NAN], [NAN, NAN], [NAN, NAN], [1.0, NAN], [2.0, NAN], [3.0, NAN]],
    }
    for name, values in expected.items():
        array = getattr(matrix, name)
        np.testing.assert_array_equal(array, np.array(values), err_msg=name)
        assert array.dtype == np.float64


def test_a_missing_pair_is_never_free(filled: Layout):
    matrix = load_matrix(filled, ["aime", "bbh"], ["m/1", "m2"])
    assert np.isnan(matrix.cost[np.isnan(matrix.score)]).all()


def test_equal_prompts_share_a_group_and_benchmarks_none(filled: Layout):
    write_queries(filled, "zeta", [query(0, "same"), query(1, "same"), query(2, "own")])
    add_scores(filled, "zeta", "m2", {(0, 0): 1.0})
    assert load_matrix(filled, ["zeta", "aime", "bbh"], ["m2"]).prompt_group.tolist() == [0, 1, 0, 2, 3, 4, 5, 5, 6]


def test_a_selection_cuts_rows(filled: Layout):
    selection = {"aime": np.array([9, 4, 9]), "gone": np.array([1])}
    matrix = load_matrix(filled, ["aime", "bbh"], ["m2"], selection)
    assert matrix.index.tolist() == [4, 9, 0, 2, 5]
    assert matrix.score[:, 0].tolist() == [0.0, 1.0, 0.0, 0.75, 1.0]
    assert len(np.unique(matrix.prompt_group)) == 5
    assert set(matrix.prompt_group[:2]).isdisjoint(matrix.prompt_group[2:])


def test_a_selection_of_unknown_indices_is_refused(filled: Layout):
    with pytest.raises(StoreError, match="aime: the setting selects indices"):
        load_matrix(filled, ["aime"], ["m2"], {"aime": np.array([3, 5])})


def test_a_pair_without_scores_is_named(filled: Layout):
    with pytest.raises(StoreError, match="no scores of m0 on aime"):
        load_matrix(filled, ["aime", "bbh"], ["m0"])
    with pytest.raises(StoreError, match="no queries of mmlu"):
        load_matrix(filled, ["mmlu"], ["m2"])


@pytest.mark.parametrize(("benchmarks", "models"), [([], ["m2"]), (["aime"], [])])
def test_nothing_to_compare_is_an_error(filled: Layout, benchmarks: list[str], models: list[str]):
    with pytest.raises(StoreError, match="at least one"):
        load_matrix(filled, benchmarks, models)


def test_the_matrix_needs_no_text(filled: Layout, monkeypatch: pytest.MonkeyPatch):
    """Damage in the response texts does not matter; damage in the costs does."""
    import h5py

    (part,) = filled.parts("bbh", "m/1")
    with h5py.File(part, "r", locking=False) as file:
        text, cost = (file[name].id.get_chunk_info(0).byte_offset for name in ("text/bytes", "cost_usd"))
    image = part.read_bytes()
    part.write_bytes(image[:text] + bytes([image[text] ^ 1]) + image[text + 1 :])
    assert load_matrix(filled, ["bbh"], ["m/1"]).cost[0, 0] == 0.5
    part.write_bytes(image[:cost] + bytes([image[cost] ^ 1]) + image[cost + 1 :])
    with pytest.raises(DamagedFileError):
        load_matrix(filled, ["bbh"], ["m/1"])


def test_complete_models_have_scores_everywhere(filled: Layout):
    assert complete_models(filled, ["aime", "bbh"]) == ("m/1", "m2")
    assert complete_models(filled, ["bbh"]) == ("m/1", "m0", "m2")
    add_part(filled, "w", [answer(3)], benchmark="aime", model="m0")  # answered, not scored
    assert complete_models(filled, ["aime", "bbh"]) == ("m/1", "m2")
    assert complete_models(filled, []) == ()


def test_patterns_match_names():
    names = ["qwen/3-8b", "qwen/3-4b", "llama", "x[1]"]
    assert match_names(["qwen/*", "*-8b"], names, "model") == ("qwen/3-4b", "qwen/3-8b")
    assert match_names(["*"], names, "model") == tuple(sorted(names))
    assert match_names([], names, "model") == ()
    for pattern in ("Llama", "gpt*"):
        with pytest.raises(StoreError, match=r"no model .* matches .*there are: llama, qwen/3-4b, qwen/3-8b"):
            match_names(["llama", pattern], names, "model")
