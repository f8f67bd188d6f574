"""SGI-Bench's dry experiments: functions put into programs, five runs in the sandbox, outputs compared."""

import json
import math

import pytest
from judged_by_hand import asked, content, endures, play, readers_endure

import scoring.benchmarks.sgi_dry_experiment as module
from scoring.benchmark import BenchmarkError, find
from scoring.graders import sandbox
from scoring.graders.completion import completed, imported, replaced_compat
from scoring.graders.experiment import run_both

FAILED = sandbox.Outcome("failed", "not run")
DRY = find("sgi_dry_experiment", timeout_s=20.0)
UNFINISHED = """import json
from data_en import SCALE


def trace(function):
    return function


@trace
def half_life(rate):
    pass


def mean(values):
    pass


if __name__ == "__main__":
    with open("data/rates.json") as file:
        lives = [half_life(rate) * SCALE for rate in json.load(file)]
    print(f"half-life: {mean(lives):.3f}")
"""
HALF_LIFE = "def half_life(rate):\n    return math.log(2) / rate\n"
MEAN = "def mean(values):\n    return sum(values) / len(values)\n"
ANSWER = f"import math\n\n{HALF_LIFE}\n\n{MEAN}"
GOLD = completed(UNFINISHED, ANSWER, ["half_life", "mean"])


def data(rates):
    return f"import json\nSCALE = 1\njson.dump({rates}, open('data/rates.json', 'w'))\nprint('data written')\n"


ROW = {
    "idx": "SGI_DryExperiment_0000",
    "question": "Complete {half_life} and {mean}.",
    "incomplete_functions": ["half_life", "mean"],
    "incomplete_main_code": UNFINISHED,
    "main_code": GOLD,
    "discipline": "chemistry",
}
OUTPUTS = ["0.693", "0.347", "0.520", "6.931", "0.231"]
for test, (rates, expected) in enumerate(zip(([1], [2], [1, 2], [0.1], [3, 3]), OUTPUTS, strict=True)):
    # the data program is imported by the other one, and so prints once more
    ROW |= {f"unit_test_{test}_data": data(rates), f"unit_test_{test}_output": f"data written\nhalf-life: {expected}"}


def write(tmp_path, *rows):
    folder = tmp_path / "sgi_dry_experiment"
    folder.mkdir()
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def load(tmp_path, **changes):
    return DRY.queries(write(tmp_path, ROW | changes))[0]


def tagged(code):
    return f"Here it is.\n<answer>\n{code}\n</answer>"


SHAPES = {
    "plain": tagged(ANSWER),
    "fenced": tagged(f"```python\n{ANSWER}\n```"),
    "two fences": f"<think>{tagged('no')}</think>\n```python\n{HALF_LIFE}```\nand\n```python\nimport math\n{MEAN}```",
    "helpers": tagged(
        "LN2 = 0.69314718056\n\ndef _over(x, y):\n    return x / y\n\n"
        f"def half_life(rate):\n    return _over(LN2, rate)\n\n{MEAN}\nprint(half_life(3))"
    ),
    "whole program": tagged(GOLD),
    "own decorator": tagged(f"import functools\nimport math\n\n@functools.cache\n{HALF_LIFE}\n{MEAN}"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_right_answers_in_any_shape(tmp_path, shape, monkeypatch):
    programs = []
    monkeypatch.setattr(module, "run_all", lambda program, *_: programs.append(program) or [FAILED])
    monkeypatch.setattr(DRY, "_obstacle", lambda query: "")
    DRY.score(load(tmp_path), SHAPES[shape])
    names = {"__name__": "main_en"}
    exec(programs[0].replace("from data_en import SCALE", ""), names)
    assert names["mean"]([names["half_life"](1), names["half_life"](2)]) == pytest.approx(0.5199, abs=1e-4)


def test_right_outputs_need_no_judge_and_warnings_do_no_harm(tmp_path):
    warns = HALF_LIFE.replace("    return", "    warnings.warn('slow')\n    return")
    answer = f"import math\nimport warnings\n\n{warns}\n{MEAN}"
    score = DRY.score(load(tmp_path), tagged(answer))
    assert (score.value, score.explanation, score.prediction) == (1, "5 of 5 tests passed", answer.strip())


@pytest.mark.parametrize(
    ("output", "explanation"),
    [
        (tagged(HALF_LIFE), "no definition of half_life and mean"),
        (tagged("I cannot."), "no definition of half_life and mean"),
        (tagged(f"def half_life(rate):\n    return 3 / (rate - 0.1)\n\n{MEAN}"),
         "test 3 failed: ZeroDivisionError: float division by zero"),
        (tagged(f"import nosuchpackage\n\ndef half_life(rate):\n    return nosuchpackage.f(rate)\n\n{MEAN}"),
         "test 0 failed: ModuleNotFoundError: No module named 'nosuchpackage'"),
        (tagged(f"import sys\n\ndef half_life(rate):\n    print('data_en.py: no network', file=sys.stderr)\n"
                f"    sys.exit(1)\n\n{MEAN}"), "test 0 failed: data_en.py: no network"),
        ("", "no definition of half_life and mean"),
        ("Generation failed: " + tagged(ANSWER), "no definition of half_life and mean"),
    ],
    ids=["one of two", "prose", "one crash", "made-up package", "blames the data", "empty", "no answer"],
)  # fmt: skip
def test_wrong_answers_need_no_judge_where_a_test_does_not_run(tmp_path, output, explanation):
    score = DRY.score(load(tmp_path), output)
    assert (score.value, score.explanation) == (0, explanation)


def test_outputs_that_differ_are_the_judges(tmp_path):
    query = load(tmp_path, unit_test_1_output="half-life: 0.351\nbut otherwise", unit_test_4_output="2 {lines}")
    same, other = '{"judgment": "correct", "reason": "within 2 %"}', '{"judgment": "incorrect"}'
    first, second = asked(DRY.judging(query, tagged(ANSWER)))
    assert "half-life: 0.351" in content(first)
    assert "half-life: 0.347" in content(first)
    assert "2 {lines}" in content(second)
    assert play(DRY.judging(query, tagged(ANSWER)), [same, same]).value == 1
    score = play(DRY.judging(query, tagged(ANSWER)), [other, same])
    assert (score.value, score.explanation) == (0, "4 of 5 tests passed")


def test_numbers_are_compared_by_value_and_as_published_by_the_judge(tmp_path):
    query = load(tmp_path, unit_test_2_output="data written\nhalf-life:  0.52")
    assert DRY.score(query, tagged(ANSWER)).value == 1
    plain = tagged(f"def half_life(rate):\n    import math\n    return math.log(2) / rate\n\n{MEAN}")
    assert play(DRY.judging_compat(query, plain), ['{"judgment": "Correct"}']).value == 1
    assert play(DRY.judging_compat(query, plain), ["I think they agree."]).value == 0


@pytest.mark.parametrize(
    ("output", "restated", "value", "explanation"),
    [
        (f"```python\n{ANSWER}\n```", ANSWER, 0,
         "2 of 2 functions; test 0 failed: NameError: name 'math' is not defined"),
        (f"```python\n{ANSWER}\n```", "None", 0, "no function could be replaced"),
        (f"```python\n{MEAN}\n```", MEAN, 0, "1 of 2 functions; test 0 failed: "
         "TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'"),
        (MEAN, f"def half_life(rate):\n    import math\n    return math.log(2) / rate\n\n{MEAN}", 1,
         "2 of 2 functions; 5 of 5 tests passed"),
    ],
    ids=["import lost", "fenced, not repaired", "half an answer runs", "the judge's copy fills in"],
)  # fmt: skip
def test_published_rule(tmp_path, output, restated, value, explanation):
    score = play(DRY.judging_compat(load(tmp_path), tagged(output)), *[[restated]] * (restated is not None))
    assert (score.value, score.explanation) == (value, explanation)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"main_code": "import torch\n" + GOLD, "incomplete_main_code": "import torch\n" + UNFINISHED},
         "the gold program fails, test 0 failed: ModuleNotFoundError: No module named 'torch'"),
        ({"unit_test_2_data": "open('data/none.csv')\n"}, "the gold program fails, test 2 failed: data_en.py: "
         "FileNotFoundError: [Errno 2] No such file or directory: 'data/none.csv'"),
        ({"incomplete_functions": ["method"]}, "the gold program does not define method at its top level"),
    ],
    ids=["package", "data", "function"],
)  # fmt: skip
def test_a_question_that_cannot_be_run_has_no_score_for_any_answer(tmp_path, changes, reason):
    query = load(tmp_path, **changes)
    for output in (tagged(ANSWER), "I cannot.", ""):
        for score in (DRY.score(query, output), DRY.score_compat(query, output)):
            assert math.isnan(score.value)
            assert score.explanation == f"cannot be run here: {reason}"


def test_a_package_that_some_program_of_the_data_set_needs_is_no_mistake(tmp_path):
    other = ROW | {"main_code": "from scipy.stats import norm\n" + GOLD}
    query, _ = DRY.load(write(tmp_path, ROW, other))
    uses_scipy = tagged(f"from scipy import constants\n\ndef half_life(rate):\n    return constants.e\n\n{MEAN}")
    score = DRY.score(query, uses_scipy)
    assert math.isnan(score.value)
    assert score.explanation == "cannot be run here: the sandbox has no scipy"


def test_the_completed_program_runs_on_the_data_of_the_other():
    reads = "import sys\nprint(open('data/a').read(), sys.argv)"
    assert run_both("print('x')\nopen('data/a', 'w').write('5')", reads, 20).stdout == "5 ['main_en.py']\n"
    assert run_both("import random; random.seed(1)", "import data_en, random; print('ok')", 20).is_passed
    assert run_both("raise SystemExit(3)", "print('ok')", 20).stderr == "data_en.py: \n"
    assert run_both("", "while True: pass", 0.5).status == "timeout"


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        ("def f(x):\n    return g(x)\n\ndef g(x): return x", "def g(x): return x\ndef f(x):\n    return g(x)"),
        ("def f(x):\n    return x\n\ndef main():\n    print(f(1))\n\nmain()", "def f(x):\n    return x"),
        ("x = 1\nresult = f(2)\ndef f(x):\n    result = x\n    return x", "def f(x):\n    result = x\n    return x"),
        ("from math import *\n@deco\ndef f(x):\n    return pi", "from math import *\n@deco\ndef f(x):\n    return pi"),
        ("async def f(x):\n    return x", "async def f(x):\n    return x"),
        ("def f(x): return 1\ndef f(x): return 2", "def f(x): return 2"),
        ("A = B = 2\ndef f(x: A = B): return K\nK = os.sep", "A = B = 2\nK = os.sep\ndef f(x: A = B): return K"),
        ("try:\n    import q\nexcept ImportError:\n    q = None\ndef f(x): return q",
         "try:\n    import q\nexcept ImportError:\n    q = None\ndef f(x): return q"),
        ("from __future__ import annotations\r\ndef f(x):\r\n    return x", "def f(x):\n    return x"),
        ("def f(x):\n    return '''a\n  b'''  # as it is", "def f(x):\n    return '''a\n  b'''  # as it is"),
    ],
)  # fmt: skip
def test_what_a_function_needs_comes_with_it(answer, rest):
    program = "import os\n\ndef f(x):\n    pass\n\nprint(f(1))\n"
    assert completed(program, answer, ["f"]) == f"import os\n\n{rest}\n\nprint(f(1))\n"


def test_decorators_stay_unless_the_answer_has_its_own():
    program = "@slow\ndef f():\n    pass\n"
    assert completed(program, "def f():\n    return 1", ["f"]) == "@slow\ndef f():\n    return 1\n"
    assert completed(program, "@fast\ndef f():\n    return 1", ["f"]) == "@fast\ndef f():\n    return 1\n"


@pytest.mark.parametrize("answer", ["def g(): pass", "def f(:", "f = 1", "", "def f(): pass)", "\ud800"])
def test_no_function_no_program(answer):
    assert completed("def f(): pass", answer, ["f"]) == replaced_compat("def f(): pass", answer, "f") == ""


def test_published_lines_leave_decorators_and_may_glue_what_follows():
    assert replaced_compat("@a\ndef f():\n    pass\n\nf()\n", "@b\ndef f():\n    return 1", "f") == (
        "@a\ndef f():\n    return 1\nf()\n"
    )
    assert replaced_compat("def f():\n    pass\nf()\n", "def f():\n    return 1", "f") == ""  # "return 1f()"


def test_imports_are_found_wherever_they_are():
    programs = [
        "import a.b, c as d\ndef f():\n    from e.f import g\n",
        "from . import h\ntry: import i\nfinally: 1",
        "x(",
    ]
    assert imported(programs) == {"a", "c", "e", "i"}


@pytest.mark.parametrize(
    ("reply", "compat", "robust"),
    [
        ('{"judgment": "correct", "reason": ""}', True, True),
        ('```json\n{"judgment": "incorrect"}\n```', False, False),
        ('{"judgment": "Correct",}', True, True),
        ("correct", False, True),
        ("**Incorrect.**", False, False),
        ('{"judgment": "partly correct"}', False, None),
        ('{"verdict": true}', False, None),
        ('<think>{"judgment": "incorrect"}</think>{"judgment": "correct"}', False, True),
        ("", False, None),
    ],
)
def test_replies_about_outputs(reply, compat, robust):
    assert module._is_correct(reply) is robust
    assert module._is_correct_compat(reply) is compat


def test_rows_become_queries(tmp_path):
    query = load(tmp_path)
    assert (query.text, query.ground_truth) == (ROW["question"], GOLD)
    assert query.metadata["packages"] == ["json", "math"]
    assert query.metadata["tests"][3] == [data([0.1]), "data written\nhalf-life: 6.931"]
    prompt = query.messages[0]["content"]
    assert prompt.startswith(ROW["question"] + "\n")
    assert "<answer>\ndef " in prompt


@pytest.mark.parametrize(("field", "value"), [("incomplete_functions", []), ("unit_test_4_output", 7)])
def test_a_row_of_another_form_is_refused(tmp_path, field, value):
    with pytest.raises(BenchmarkError, match=r"test\.jsonl, (line 1|row 0)"):
        load(tmp_path, **{field: value})


def test_a_missing_file_says_what_it_is(tmp_path):
    with pytest.raises(BenchmarkError, match=r"sgi_dry_experiment/test\.jsonl.*SGI-DryExperiment.*data_dir"):
        DRY.load(tmp_path)


def test_no_text_and_no_reply_breaks_it(tmp_path):
    endures(DRY, load(tmp_path))
    readers_endure(module._is_correct, module._is_correct_compat)
