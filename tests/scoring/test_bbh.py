"""BBH: tasks, sample and examples, prompt, the published vectors, and every target of the real files."""

import json
from itertools import pairwise

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from scoring.benchmarks.bbh import TASKS
from store.records import Query

BBH = find("bbh")
OPTIONS = "Which?\nOptions:\n(A) The dog\n(B) The cat"
DYCK = "Complete the rest of the sequence, making sure that the parentheses are closed properly. Input: [ { <"
SHOTS = "".join(
    f"\n\nQ: Is {n} odd?\nA: Let's think.\nThe answer is hard. So the answer is No, {n}.\n" for n in (2, 4, 6)
)
needs_data = pytest.mark.skipif(not (DATA_DIR / "bbh").is_dir(), reason="the question files of BBH are not here")


def query(task, gold):
    return Query(0, DYCK if task == "dyck_languages" else OPTIONS, gold, metadata={"task": task, "examples": ""})


@pytest.fixture
def folder(tmp_path):
    """All tasks with 50 rows each."""
    (tmp_path / "bbh" / "cot-prompts").mkdir(parents=True)
    for task in TASKS:
        rows = [{"input": f"{task} {{{n}}}?", "target": str(n)} for n in range(50)]
        (tmp_path / "bbh" / f"{task}.json").write_text(json.dumps({"canary": "c", "examples": rows}, indent=1))
        (tmp_path / "bbh" / "cot-prompts" / f"{task}.txt").write_text(f"canary\n-----\nA task.{SHOTS}")
    return tmp_path


@pytest.mark.parametrize(("output", "task", "gold", "compat", "robust"), cases("bbh_published"))
def test_published_vectors(output, task, gold, compat, robust):
    assert BBH.score_compat(query(task, gold), output).value == compat
    assert BBH.score(query(task, gold), output).value == robust


@pytest.mark.parametrize(("output", "task", "gold", "robust"), cases("bbh_more"))
def test_shapes_of_real_outputs(output, task, gold, robust):
    assert BBH.score(query(task, gold), output).value == robust


def test_forty_of_every_task_with_stable_indices(folder):
    queries = BBH.load(folder)
    everything = {one.index: one for one in find("bbh", per_task=None).load(folder)}
    assert sorted(everything) == list(range(27 * 50))
    assert [one.metadata["task"] for one in queries] == [task for task in TASKS for _ in range(40)]
    assert all(everything[one.index] == one for one in queries)
    assert [one.index for one in queries] == sorted(one.index for one in queries)
    assert len(find("bbh", per_task=60).load(folder)) == 27 * 50


def test_the_sample_depends_on_seed_and_task_only(folder):
    def first_task(**params):
        return [one.index for one in find("bbh", per_task=5, **params).load(folder)[:10]]

    chosen = first_task()
    assert chosen == first_task(seed=42) != first_task(seed=43)
    assert chosen[:5] != [index - 50 for index in chosen[5:]]
    # Stored responses depend on this sample: it must never change.
    assert chosen[:5] == [10, 18, 27, 30, 48]


def test_the_prompt_shows_three_examples_without_their_reasoning(folder):
    (message,) = BBH.prompt(BBH.load(folder)[0])
    head, announcement, *shots, question = message["content"].split("\n\n")
    assert "'Answer: $ANSWER'" in head
    assert "step by step" in head
    assert "three examples" in announcement
    assert shots == [f"Question: Is {n} odd?\nAnswer: No, {n}" for n in (2, 4, 6)]
    assert question.startswith("Question: boolean_expressions {")


@pytest.mark.parametrize("content", ["[]", '{"examples": [{"input": "?"}]}', "{", '{"examples": 1}'])
def test_a_damaged_file_is_named(folder, content):
    (folder / "bbh" / "navigate.json").write_text(content)
    with pytest.raises(BenchmarkError, match=r"navigate\.json has no examples"):
        BBH.load(folder)


def test_lost_examples_are_named(folder):
    (folder / "bbh" / "cot-prompts" / "navigate.txt").write_text("canary\n-----\nA task.\n\nQ: Is 2 odd?\nA: No.")
    with pytest.raises(BenchmarkError, match=r"navigate\.txt: 0 examples"):
        BBH.load(folder)


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"bbh/boolean_expressions\.json.*suzgunmirac/BIG-Bench-Hard.*data_dir"):
        BBH.load(tmp_path)


@needs_data
def test_the_sample_has_the_published_size():
    assert len(BBH.load(DATA_DIR)) == 1080


@needs_data
def test_every_target_scores_one_and_another_zero():
    queries = find("bbh", per_task=None).load(DATA_DIR)
    assert len(queries) == 6511
    for one in queries:
        gold = one.ground_truth
        assert BBH.score(one, f"Let us see.\n\n**Answer:** {gold}").value == 1, (one.text, gold)
        assert BBH.score(one, f"Let us see. So the answer is {gold}.").value == 1, (one.text, gold)
        assert BBH.score(one, gold).value == 1, (one.text, gold)
        for output in ("", "I cannot say.", "Answer: none of these"):
            assert BBH.score(one, output).value == 0, (one.text, gold)
    for one, other in pairwise(queries):
        if one.metadata["task"] == other.metadata["task"]:
            same = one.ground_truth == other.ground_truth
            assert BBH.score(one, f"Answer: {other.ground_truth}").value == same, (one.text, other.ground_truth)


@needs_data
def test_every_target_of_the_sample_scores_one_by_the_published_rule():
    for one in BBH.load(DATA_DIR):
        assert BBH.score_compat(one, f"Let us see.\nAnswer: {one.ground_truth}").value == 1, one.ground_truth
