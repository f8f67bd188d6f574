"""LiveCodeBench: files, extraction, comparison, scripts and functions in both profiles."""

import base64
import json
import math
import pickle
import random
import zlib

import pytest
from read_cases import DATA_DIR

from scoring.benchmark import BenchmarkError, find
from scoring.graders import sandbox
from scoring.graders.contest import same_output
from scoring.graders.contest_compat import last_fence
from store.records import Query

LCB = find("livecodebench", timeout_s=2.0)
needs_data = pytest.mark.skipif(not (DATA_DIR / "livecodebench").is_dir(), reason="LiveCodeBench's files are not here")


def case(given, expected):
    return {"input": given, "output": expected, "testtype": "stdin"}


def query(tests, function="", starter=""):
    kept = {"question_id": "q1", "platform": "atcoder", "difficulty": "easy", "starter_code": starter}
    return Query(0, "Do it.", "q1", metadata=kept | {"function": function, "tests": tests})


SCRIPT = query([case("2\n3 4\n5 6\n", "7\n11\n"), case("0\n", "")])
FUNCTION = query(
    [case("[1, 2]\n3", "[2, 3, 4]"), case("[]\n1", "[]")], function="add", starter="class Solution:\n    …"
)


def scores(question, program):
    answer = f"```python\n{program}\n```"
    return LCB.score_compat(question, answer).value, LCB.score(question, answer).value


@pytest.mark.parametrize(
    ("program", "compat", "robust"),
    [
        ("for _ in range(int(input())):\n    print(sum(map(int, input().split())))", 1, 1),
        ("def main():\n    for _ in range(int(input())):\n        print(sum(map(int, input().split())))\n"
         "if __name__ == '__main__':\n    main()", 1, 1),
        ("import sys\nn, *x = map(int, sys.stdin.read().split())\nfor i in range(n):\n"
         "    print(x[2*i] + x[2*i+1])\nexit()", 1, 1),
        ("import sys\nd = sys.stdin.buffer.read().split()\nfor i in range(int(d[0])):\n"
         "    sys.stdout.write(str(int(d[2*i+1]) + int(d[2*i+2])) + '\\n')", 1, 1),
        ("n = int(input())\nfor _ in range(n):\n    print(float(sum(map(int, input().split()))))", 1, 1),  # 7.0 is 7
        ("import sys\nnext(sys.stdin)\nfor line in sys.stdin:\n    print(sum(map(int, line.split())))", 0, 1),
        ("total = 0\ndef f():\n    global total\n    total += 1\nn = int(input())\nfor _ in range(n):\n    f()\n"
         "    print(sum(map(int, input().split())))", 0, 1),
        ("if __name__ == '__main__':\n"
         "    for _ in range(int(input())):\n        print(sum(map(int, input().split())))\nx = 1", 0, 1),
        ("for _ in range(int(input())):\n    print(sum(map(int, input().split())) + 1)", 0, 0),
        ("print(7)\nprint(11)", 0, 0),
        ("import sys\nprint('7\\n11')\nsys.exit(1)", 0, 0),
        ("while True: pass", 0, 0),  # TIME
        ("1 / 0", 0, 0),
    ],
)  # fmt: skip
def test_scripts(program, compat, robust):
    assert scores(SCRIPT, program) == (compat, robust)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "class Solution:\n    def add(self, x: List[int], n: int) -> List[int]:\n        return [n, n, n]",
            0,
        ),
        (
            "class Solution:\n    def add(self, x: List[int], n):\n        return tuple(range(2, n + 2)) if x else ()",
            1,
        ),
        ("def add(x, n):\n    return [2, 3, 4] if x else []", 1),
        ("class Solution:\n    def add(self, x, n):\n        return x", 0),
        ("class Solution:\n    def added(self, x, n):\n        return x", 0),
        (
            "class E:\n    __eq__ = lambda *_: True\nclass Solution:\n    def add(self, x, n):\n        return E()",
            0,
        ),
        ("import os\nclass Solution:\n    def add(self, x, n):\n        os._exit(0)", 0),
    ],
)
def test_functions(program, expected):
    assert scores(FUNCTION, program) == (expected, expected)


@pytest.mark.parametrize(
    ("output", "expected", "is_same"),
    [
        ("1 2\n3\n", "1 2\n3", True),
        (" 1 2 \n 3", "1 2\n3\n\n", True),
        ("1.0 2.50", "1 2.5", True),
        ("1e3", "1000", True),
        ("0.1000000001", "0.1", False),
        ("1\n\n2", "1\n2", False),
        ("yes", "YES", False),
        ("1 2", "1 2 3", False),
        ("1  2", "1 2", True),
        ("a  b", "a b", False),
        ("nan", "nan", True),
        ("sNaN", "1", False),
        ("", "", True),
        ("", "1", False),
    ],
)
def test_outputs_are_compared_line_by_line(output, expected, is_same):
    assert same_output(output, expected) is is_same


CODE = "print(1)"


@pytest.mark.parametrize(
    ("answer", "compat", "robust"),
    [
        (f"```python\n{CODE}\n```", CODE, CODE),
        (f"```python\n{CODE}\n```\nOutput:\n```\n1\n```", "1", CODE),
        (f"```\n{CODE}\n```", CODE, CODE),
        (f"```\nx = 1\n```\nBetter:\n```\n{CODE}\n```", CODE, CODE),
        (f"```python\n{CODE}\n```\n```python\nprint(1\n```", "print(1", CODE),
        (f"```python\n{CODE}", "", CODE),
        (f"```python\nx = 1\n```\n```python\n{CODE}\n```", CODE, CODE),
        (f"<think>```python\nx = 1\n```</think>\n```python\n{CODE}\n```", CODE, CODE),
        (f"[PYTHON]\n{CODE}\n[/PYTHON]", CODE, CODE),
        (CODE, "", CODE),
        ("I do not know.", "", ""),
    ],
)
def test_extraction(answer, compat, robust):
    question = query([case("", "1")])
    assert last_fence(answer) == compat
    assert LCB.score(question, answer).prediction == robust
    assert LCB.score(question, answer).value == float(robust == CODE)


def test_an_example_of_its_use_is_not_the_program():
    solution = "class Solution:\n    def add(self, x, n):\n        return [2, 3, 4] if x else []"
    answer = f"```python\n{solution}\n```\nFor instance:\n```python\nprint(Solution().add([1, 2], 3))\n```"
    assert (LCB.score_compat(FUNCTION, answer).value, LCB.score(FUNCTION, answer).value) == (0, 1)


def test_without_tests_there_is_no_score():
    for profile in (LCB.score, LCB.score_compat):
        score = profile(query([]), "```python\nprint(1)\n```")
        assert math.isnan(score.value)
        assert "no tests for q1" in score.explanation


ROW = {
    "question_content": "Do it.", "question_id": "q1", "starter_code": "", "platform": "atcoder", "difficulty": "easy",
    "public_test_cases": json.dumps([case("1", "1")]), "metadata": "{}",
}  # fmt: skip


def encoded(value):
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


def written(folder, name, *rows):
    (folder / "livecodebench").mkdir(exist_ok=True)
    (folder / "livecodebench" / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_published_files_give_all_tests_when_a_program_needs_them(tmp_path):
    hidden = json.dumps([case("2", "2")])
    written(tmp_path, "test.jsonl", ROW | {"private_test_cases": encoded(hidden)})
    written(
        tmp_path, "test2.jsonl", *(ROW | {"question_id": name, "private_test_cases": hidden} for name in ("q2", "q3"))
    )
    queries = LCB.load(tmp_path)
    assert [q.ground_truth for q in queries] == ["q1", "q2", "q3"]
    for question in queries:
        assert LCB.score(question, "```python\nprint(input())\n```").value == 1
        assert LCB.score(question, "```python\nprint(1)\n```").value == 0  # right for the public test only


def test_a_pickle_that_is_no_string_is_refused(tmp_path):
    written(tmp_path, "test.jsonl", ROW | {"private_test_cases": encoded(print)})
    (question,) = LCB.load(tmp_path)
    with pytest.raises(BenchmarkError, match=r"test\.jsonl, byte 0.*what should be a string"):
        LCB.score(question, "```python\nprint(1)\n```")


def test_questions_and_public_tests_may_come_apart(tmp_path, caplog):
    bare = {key: value for key, value in ROW.items() if key not in ("public_test_cases", "metadata")}
    written(tmp_path, "questions_release_v6.jsonl", bare, bare | {"question_id": "q2"})
    written(tmp_path, "public_tests_release_v1.jsonl", ROW)
    first, second = LCB.load(tmp_path)
    assert (len(first.metadata["tests"]), second.metadata["tests"]) == (1, [])
    assert "no tests for 1 of 2 questions" in caplog.text


# Right and wrong for some of the real questions, as a model would write them.
SOLUTIONS = {
    "abc301_a": (
        "n = int(input())\ns = input()\nt = s.count('T')\n"
        "print('T' if 2 * t > n or 2 * t == n and s[-1] == 'A' else 'A')",
        "n = int(input())\ns = input()\nprint('T' if s.count('T') > s.count('A') else 'A')",
    ),
    "abc302_a": (
        "a, b = map(int, input().split())\nprint((a + b - 1) // b)",
        "a, b = map(int, input().split())\nprint(round(a / b))",
    ),
    "1873_A": (
        "import sys\nlines = sys.stdin.read().split()[1:]\nfor s in lines:\n"
        "    print('YES' if sum(x != y for x, y in zip(s, 'abc')) <= 2 else 'NO')",
        "import sys\nlines = sys.stdin.read().split()[1:]\nfor s in lines:\n    print('YES' if s[0] == 'a' else 'NO')",
    ),
    "1873_B": (
        "from math import prod\nfor _ in range(int(input())):\n    input()\n"
        "    a = sorted(map(int, input().split()))\n    print((a[0] + 1) * prod(a[1:]))",
        "from math import prod\nfor _ in range(int(input())):\n    input()\n"
        "    a = sorted(map(int, input().split()))\n    print((a[-1] + 1) * prod(a[:-1]))",
    ),
    "2727": (
        "class Solution:\n    def countSeniors(self, details: List[str]) -> int:\n"
        "        return sum(int(d[11:13]) > 60 for d in details)",
        "class Solution:\n    def countSeniors(self, details: List[str]) -> int:\n"
        "        return sum(int(d[11:13]) >= 10 for d in details)",
    ),
    "2728": (
        "class Solution:\n    def matrixSum(self, nums: List[List[int]]) -> int:\n"
        "        return sum(map(max, zip(*map(sorted, nums))))",
        "class Solution:\n    def matrixSum(self, nums: List[List[int]]) -> int:\n        return sum(map(max, nums))",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def real():
    return {question.ground_truth: question for question in LCB.load(DATA_DIR)}


@needs_data
@pytest.mark.parametrize("name", SOLUTIONS)
def test_solutions_of_real_questions(real, name):
    right, wrong = SOLUTIONS[name]
    assert scores(real[name], right) == (1, 1)
    assert scores(real[name], wrong) == (0, 0)


def by_heart(question):
    """A program that knows the outputs of all public tests, and one that errs in the last."""
    tests, function = question.metadata["tests"], question.metadata["function"]
    outputs = {test["input"]: test["output"] for test in tests}
    spoilt = outputs | {tests[-1]["input"]: '["no"]'}
    if not function:
        return [f"import sys\nprint({known!r}[sys.stdin.read()])" for known in (outputs, spoilt)]
    head = f"class Solution:\n    def {function}(self, *given):\n        key = "
    body = "'\\n'.join(map(json.dumps, given))\n        return {{norm(k): json.loads(v) for k, v in {!r}.items()}}[key]"
    norm = "def norm(text):\n    return '\\n'.join(json.dumps(json.loads(line)) for line in text.split('\\n'))\n"
    return [norm + head + body.format(known) for known in (outputs, spoilt)]


def judge_by_heart(question):
    right, wrong = by_heart(question)
    return question.ground_truth, scores(question, right), scores(question, wrong)


def check_by_heart(questions):
    found = sandbox.in_parallel(judge_by_heart, questions, 2)
    assert found == [(question.ground_truth, (1, 1), (0, 0)) for question in questions]


@needs_data
def test_public_tests_of_a_sample_of_questions(real):
    questions = [question for question in real.values() if question.metadata["tests"]]
    check_by_heart(random.Random(42).sample(questions, 10))


@needs_data
@pytest.mark.slow
def test_public_tests_of_every_question(real):
    check_by_heart([question for question in real.values() if question.metadata["tests"]])


@needs_data
def test_the_real_questions():
    queries = LCB.queries(DATA_DIR)
    assert len(queries) == 1055
    with_tests = [question for question in queries if question.metadata["tests"]]
    assert len(with_tests) >= 400
    for question in queries:
        (message,) = question.messages
        assert question.text in message["content"]
        assert question.metadata["starter_code"] in message["content"]
    for question in with_tests[:400]:
        assert bool(question.metadata["function"]) == bool(question.metadata["starter_code"])
