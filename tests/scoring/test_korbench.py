"""KORBench: rows, prompt, the published vectors, and the ceilings of both rules over the real files."""

import json
from collections import Counter

import pytest
from read_cases import DATA_DIR, cases

from scoring.benchmark import BenchmarkError, find
from store.records import Query

KORBENCH = find("korbench")
CATEGORIES = ["cipher", "operation", "puzzle", "counterfactual", "logic"]
SAMPLE = {"idx": "1", "question": "Compute {4}※7.", "answer": "[[24]]", "rule_id": "7", "needle": []}
needs_data = pytest.mark.skipif(
    not (DATA_DIR / "korbench").is_dir(), reason="the question files of KORBench are not here"
)


def write(tmp_path, sample=SAMPLE, n_shots=3):
    shots = [{"idx": "1", "question": f"Compute {n}※1.", "answer": f"[[{n}]]", "rule_id": "7"} for n in range(n_shots)]
    files = {
        "sample": [sample],
        "rule": [{"idx": "7", "title": "※", "rule_content": "a※b is {24}."}, {"idx": "8", "rule_content": "no"}],
        "three-shot": [*shots, {"idx": "9", "question": "?", "answer": "[[0]]", "rule_id": "8"}],
    }
    for category in CATEGORIES:
        (tmp_path / "korbench" / category).mkdir(parents=True)
        for name, rows in files.items():
            (tmp_path / "korbench" / category / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.mark.parametrize(
    ("output", "category", "number", "rule", "gold", "compat", "robust"),
    cases("korbench_published") + cases("korbench_more"),
)
def test_outputs(output, category, number, rule, gold, compat, robust):
    query = Query(0, "?", gold, metadata={"category": category, "number": number, "rule_id": rule})
    assert KORBENCH.score_compat(query, output).value == compat
    assert KORBENCH.score(query, output).value == robust


def test_rows_become_queries_in_the_order_of_the_categories(tmp_path):
    queries = KORBENCH.load(write(tmp_path))
    assert [query.metadata["category"] for query in queries] == CATEGORIES
    assert [query.index for query in queries] == [0, 1, 2, 3, 4]
    assert queries[1].text == "Compute {4}※7."
    assert queries[1].ground_truth == "[[24]]"
    assert queries[1].metadata == {
        "category": "operation",
        "number": 1,
        "rule_id": 7,
        "rule": "a※b is {24}.",
        "examples": [[f"Compute {n}※1.", f"[[{n}]]"] for n in range(3)],
    }


@pytest.mark.parametrize(("row", "heading"), [(1, "Operation"), (3, "Story")])
def test_the_prompt_shows_rule_examples_and_question(tmp_path, row, heading):
    role, instructions, rule, *shots, question, answer = (
        KORBENCH.queries(write(tmp_path))[row].messages[0]["content"].split("\n\n")
    )
    assert role.startswith("You ")
    assert instructions.count("\n") == 3
    assert rule == f"### {heading} Rule:\na※b is {{24}}."
    assert shots[:2] == ["### Question:\nCompute 0※1.", "### Answer:\n[[0]]"]
    assert len(shots) == 6
    assert question == "### Question:\nCompute {4}※7."
    assert answer == "### Answer:"


@pytest.mark.parametrize("bad", [{"rule_id": "9"}, {"answer": "24"}])
def test_a_row_without_rule_or_bracketed_answer_is_refused(tmp_path, bad):
    with pytest.raises(BenchmarkError, match="korbench/cipher, question 1: no rule"):
        KORBENCH.load(write(tmp_path, SAMPLE | bad))


def test_a_rule_without_three_examples_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match=r"korbench/cipher, question 1: .*no three examples"):
        KORBENCH.load(write(tmp_path, n_shots=2))


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"korbench/cipher/sample\.jsonl.*KOR-Bench/KOR-Bench.*data_dir"):
        KORBENCH.load(tmp_path)


@needs_data
def test_every_gold_answer_reaches_the_known_ceilings():
    queries = KORBENCH.load(DATA_DIR)
    assert Counter(query.metadata["category"] for query in queries) == dict.fromkeys(CATEGORIES, 250)
    robust, compat = Counter(), Counter()
    for query in queries:
        category, number = query.metadata["category"], query.metadata["number"]
        output = f"<think>[[your answer]]</think>It follows:\n\n**{query.ground_truth}**"
        robust[category] += (value := KORBENCH.score(query, output).value)
        compat[category] += KORBENCH.score_compat(query, f"It follows: {query.ground_truth}").value
        # Ten gold texts are lists of alternatives, or an equation that is wrong; one alternative is right.
        assert value == 1 or (category, number) in {("puzzle", n) for n in (11, 12, 18, 31, 32, 33, 35, 36, 37, 84)}
        for wrong in ("", "I cannot say.", "[[]]", "[[your answer]]"):
            assert KORBENCH.score(query, wrong).value == 0, (category, number)
    assert robust == {"cipher": 250, "operation": 250, "puzzle": 240, "counterfactual": 250, "logic": 250}
    assert compat == {"cipher": 250, "operation": 205, "puzzle": 228, "counterfactual": 250, "logic": 250}


@needs_data
def test_one_alternative_of_several_gold_answers_is_right():
    for query in KORBENCH.load(DATA_DIR):
        if query.metadata["category"] == "puzzle" and query.metadata["rule_id"] in (2, 4):
            for alternative in query.ground_truth.strip("[]").replace(",", " ").split():
                assert KORBENCH.score(query, f"[[{alternative}]]").value == 1
                assert KORBENCH.score_compat(query, f"[[{alternative}]]").value == 1
