"""MBPP: rows, prompt, what passes and what fails, and every reference program."""

import json
import random

import pytest
from read_cases import DATA_DIR

from scoring.benchmark import BenchmarkError, find
from scoring.graders import sandbox

MBPP = find("mbpp", timeout_s=2.0)
needs_data = pytest.mark.skipif(not (DATA_DIR / "mbpp").is_dir(), reason="the file of MBPP is not here")

# The published rule leaves out the setup code (367, 927) and functions without a return (512, 630, 940).
FAIL_COMPAT = {367, 512, 630, 927, 940}
ROW = {
    "text": "Write a function to sum a tree.",
    "code": "class Node:\r\n  def __init__(self, x):\r\n    self.x = x\r\n    self.left = None\r\n"
    "def sum(node):\r\n  return node.x + sum(node.left) if node else 0",
    "task_id": 7,
    "test_setup_code": "",
    "test_list": ["assert sum(Node(3)) == 3", "assert sum(None) == 0"],
    "challenge_test_list": [],
}
EQUAL_TO_ALL = """abs = all = lambda *_: True
class Node:
    __init__ = lambda *_: None
    __eq__ = lambda *_: True
def sum(node):
    return Node()"""


@pytest.fixture
def load(tmp_path):
    """Turns a row into a query."""

    def one(**changes):
        (tmp_path / "mbpp").mkdir(exist_ok=True)
        (tmp_path / "mbpp" / "mbpp.jsonl").write_text(json.dumps(ROW | changes))
        (query,) = MBPP.load(tmp_path)
        return query

    return one


def test_rows_become_queries(load):
    query = load()
    assert (query.index, query.text, query.ground_truth) == (0, ROW["text"], ROW["code"])
    assert query.metadata == {"task_id": 7, "tests": ROW["test_list"], "setup": "", "names": ["Node", "sum"]}
    assert "assert sum(Node(3)) == 3\nassert sum(None) == 0" in MBPP.prompt(query)[0]["content"]


def test_asserts_that_use_nothing_of_the_code_are_an_error(load):
    with pytest.raises(BenchmarkError, match="row 0: the asserts use nothing"):
        load(test_list=["assert 1 == 1"])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ROW["code"], 1),
        (ROW["code"].replace("sum(node.left)", "1"), 0),
        (ROW["code"].replace("Node", "Tree"), 0),
        (EQUAL_TO_ALL, 0),
        ("I do not know.", 0),
        ("", 0),
    ],
)
def test_scores(load, answer, expected):
    answer = f"```python\n{answer}\n```" if "\n" in answer else answer
    assert (MBPP.score(load(), answer).value, MBPP.score_compat(load(), answer).value) == (expected, expected)


def test_setup_code_is_run_with_the_programs_classes(load):
    query = load(test_setup_code="root = Node(1)\r\nroot.left = Node(2)", test_list=["assert sum(root) == 3"])
    assert MBPP.score(query, f"```python\n{ROW['code']}\n```").value == 1
    assert MBPP.score_compat(query, f"```python\n{ROW['code']}\n```").value == 0


def failing(queries, profile):
    """Which reference programs do not pass, by their number."""
    score = getattr(find("mbpp"), profile)
    found = sandbox.in_parallel(lambda query: score(query, f"```python\n{query.ground_truth}\n```").value, queries, 2)
    return {query.metadata["task_id"] for query, value in zip(queries, found, strict=True) if value != 1}


@needs_data
def test_a_sample_of_reference_programs_passes():
    queries = MBPP.load(DATA_DIR)
    sample = [query for query in queries if query.metadata["task_id"] in FAIL_COMPAT]
    sample += random.Random(42).sample(queries, 12)
    assert failing(sample, "score") == set()
    assert failing(sample, "score_compat") == FAIL_COMPAT


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("profile", ["score", "score_compat"])
def test_every_reference_program_passes(profile):
    queries = MBPP.load(DATA_DIR)
    assert len(queries) == 974
    assert failing(queries, profile) == (FAIL_COMPAT if profile == "score_compat" else set())
