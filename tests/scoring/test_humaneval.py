"""HumanEval: rows, prompt, what passes and what fails, and every canonical solution."""

import random

import pytest
from read_cases import DATA_DIR

from scoring.benchmark import BenchmarkError, find
from scoring.graders import sandbox
from store.records import Query

HUMANEVAL = find("humaneval", timeout_s=2.0)
needs_data = pytest.mark.skipif(not (DATA_DIR / "humaneval").is_dir(), reason="the file of HumanEval is not here")

TASK = 'import math\n\ndef half(x):\n    return x / 2\n\ndef root(x):\n    """ The square root of half of {x}. """\n'
GOLD = "    return math.sqrt(half(x))\n"
THOUGHTS = "<think>\n" + "Well.\n" * 200 + "</think>"
TEST = """METADATA = {}

def check(candidate):
    assert candidate(8) == 2
    assert abs(candidate(4) - half(4) ** 0.5) < 1e-6
"""
QUERY = Query(0, TASK, GOLD, metadata={"task_id": "HumanEval/0", "entry_point": "root", "test": TEST})


def scores(answer):
    return HUMANEVAL.score_compat(QUERY, answer).value, HUMANEVAL.score(QUERY, answer).value


@pytest.mark.parametrize(
    ("answer", "compat", "robust"),
    [
        (f"```python\n{TASK}{GOLD}```", 1, 1),
        (TASK + GOLD, 1, 1),
        (f"{THOUGHTS}\n```python\n{TASK}{GOLD}```", 0, 1),  # code after 100 lines
        (f"```python\ndef root(x):\n{GOLD}```", 0, 1),  # the helper is in the task's text only
        (GOLD, 0, 1),  # goes on where the task ends
        ("```python\nfrom math import *\ndef half(x): return x / 2\nroot = lambda x: sqrt(half(x))\n```", 1, 1),
        (
            "```python\ndef root(x):\n    def inner():\n        yield math.sqrt(x / 2)\n    return next(inner())\n```",
            0,
            1,
        ),
        ("```python\ndef root(x):\n    return 2\n```", 0, 0),
        ("```python\ndef root(x):\n    return x ** 0.5\n```", 0, 0),
        ("```python\ndef roots(x):\n    return (x / 2) ** 0.5\n```", 0, 0),
        ("```python\ndef root(x):\n    return (x /\n```", 0, 0),
        ("```python\nimport os\ndef root(x):\n    os._exit(0)\n```", 0, 0),
        ("```python\ndef half(x): return x / 2\ndef check(candidate): return None\ndef root(x): return 0\n```", 0, 0),
        ("I do not know.", 0, 0),
        ("", 0, 0),
    ],
)
def test_scores(answer, compat, robust):
    assert scores(answer) == (compat, robust)


def test_the_score_says_why():
    wrong = HUMANEVAL.score(QUERY, "```python\ndef root(x):\n    return 3\n```")
    assert (wrong.prediction, wrong.explanation) == ("def root(x):\n    return 3", "failed: assert candidate(8) == 2")
    assert HUMANEVAL.score(QUERY, "No.").explanation == "no definition of root"
    endless = HUMANEVAL.score(QUERY, "```python\ndef root(x):\n    while True: pass\n```")
    assert endless.explanation == "timeout: more than 2 s of computing or 8 s in all"


def test_the_prompt_shows_the_checks_unless_told_not_to():
    (message,) = HUMANEVAL.prompt(QUERY)
    (hidden,) = find("humaneval", show_tests=False).prompt(QUERY)
    assert TASK in message["content"]
    assert TEST in message["content"]
    assert TASK in hidden["content"]
    assert "candidate" not in hidden["content"]


def test_a_missing_file_says_where_it_is_expected_and_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"humaneval/HumanEval\.jsonl.*openai/human-eval.*data_dir"):
        HUMANEVAL.load(tmp_path)


# Their helpers stand in the task's text only, which the published rule does not look at.
FAIL_COMPAT = {"HumanEval/10", "HumanEval/32", "HumanEval/38", "HumanEval/50"}


def judge_gold(query):
    """Both profiles' scores of the official solution, of its function alone, and of an empty function."""
    name = query.metadata["entry_point"]
    good = f"Here it is:\n```python\n{query.text}{query.ground_truth}\n```\nDone."
    alone = f"```python\n{query.text[query.text.rindex(f'def {name}(') :]}{query.ground_truth}\n```"
    benchmark = find("humaneval")
    found = [(benchmark.score_compat(query, text).value, benchmark.score(query, text).value) for text in (good, alone)]
    empty = benchmark.score(query, f"```python\n{query.text}    pass\n```").value
    return query.metadata["task_id"], *found, empty


def check_gold(queries):
    found = sandbox.in_parallel(judge_gold, queries, 2)
    names = [query.metadata["task_id"] for query in queries]
    assert found == [(name, (1, 1), (float(name not in FAIL_COMPAT), 1), 0) for name in names]


@needs_data
def test_a_sample_of_canonical_solutions_passes():
    queries = HUMANEVAL.load(DATA_DIR)
    check_gold([queries[10], *random.Random(42).sample(queries, 7)])


@needs_data
@pytest.mark.slow
def test_every_canonical_solution_passes():
    queries = HUMANEVAL.load(DATA_DIR)
    assert len(queries) == 164
    check_gold(queries)
