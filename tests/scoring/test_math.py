"""Equality of mathematical answers: the published pairs, the robust ones, limits of the algebra."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_cases import cases

from scoring.graders import symbolic
from scoring.graders.boxed import all_boxes, first_box_compat, last_box, last_box_compat
from scoring.graders.latex_text import latex_to_text
from scoring.graders.math import equal
from scoring.graders.math_compat import equal_compat
from scoring.graders.reasoning import answer_part, without_markdown
from tests.processes import is_running
from tests.waiting import wait_until

TABLES = ("math_pairs_published", "math_pairs_robust")
ANSWERS = sorted({answer for table in TABLES for row in cases(table) for answer in row[:2]})


@pytest.mark.parametrize(("prediction", "gold", "compat", "robust"), cases("math_pairs_published"))
def test_published_pairs(prediction, gold, compat, robust):
    assert equal_compat(prediction, gold) == bool(compat)
    assert equal(prediction, gold)[0] == bool(robust)


@pytest.mark.parametrize(("prediction", "gold", "robust"), cases("math_pairs_robust"))
def test_pairs_of_the_robust_rule(prediction, gold, robust):
    assert equal(prediction, gold)[0] == bool(robust), equal(prediction, gold)


@pytest.mark.parametrize("answer", [answer for answer in ANSWERS if answer])
def test_every_answer_equals_itself(answer):
    assert equal(answer, answer)[0]
    assert equal_compat(answer, answer)


@given(st.text(max_size=200), st.sampled_from(["5", "\\frac{1}{2}", "\\text{Evelyn}", "(1, 2)", "x^2", "1,2"]))
@settings(max_examples=60, deadline=None)
def test_no_text_raises(text, gold):
    equal(text, gold)
    equal_compat(text, gold)


def test_only_open_pairs_cost_algebra(monkeypatch):
    monkeypatch.setattr(symbolic, "_ask", lambda question: pytest.fail(f"asked {question}"))
    for prediction, gold in [("5", "7"), ("\\frac{1}{2}", "0.5"), ("east", "\\text{west}"), ("2,1", "1,2")]:
        equal(prediction, gold)
    assert equal("x+" * 400 + "1", "x") == (False, "too long or too slow to decide")


# --- the worker


@pytest.fixture(params=["computing time", "wall clock"])
def short_limit(request, monkeypatch):
    """Workers that have 1 s, by the one or the other clock; gives the list of those started."""
    symbolic._stop()
    lines = ("CPU_LIMIT_S = 5.0", "WALL_LIMIT_S = 60.0")
    limits = ("CPU_LIMIT_S = 1.0", lines[1]) if request.param == "computing time" else (lines[0], "WALL_LIMIT_S = 1.0")
    source = Path(symbolic.__file__).read_text(encoding="utf-8")
    assert all(line in source for line in lines)
    for line, limit in zip(lines, limits, strict=True):
        source = source.replace(line, limit)
    started = []

    def popen(command, **options):
        started.append(command)
        return real_popen([*command[:-1], "-c", source], **options)

    real_popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)
    yield started
    symbolic._stop()


HANGS = ["9**9**9**9**9", "((((((((9^9)^9)^9)^9)^9)^9)^9)^9)^9", "(99999999!)-(1)"]


@pytest.mark.slow
@pytest.mark.parametrize("question", [*(["is_zero", text] for text in HANGS), ["is_verified", "2", "9^{9^{9^{9^9}}}"]])
def test_what_would_hang_is_given_up(short_limit, question):
    assert symbolic._ask(question) is None
    assert symbolic._ask(["is_zero", "(x)-(x)"]) is True  # the next question gets a new worker
    assert len(short_limit) == 2


@pytest.mark.slow
def test_the_limit_holds_outside_the_main_thread(short_limit):
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda text: symbolic._ask(["is_zero", text]), [HANGS[0], "(x)-(x)", "(x)-(y)"]))
    assert answers == [None, True, False]


def test_the_worker_outlives_a_scheduler_s_warning():
    assert symbolic._ask(["is_zero", "(x)-(x)"]) is True
    worker = symbolic._worker
    worker.send_signal(signal.SIGUSR2)
    worker.send_signal(signal.SIGINT)
    assert symbolic._ask(["is_zero", "(y)-(y)"]) is True
    assert symbolic._worker is worker


@pytest.mark.slow
def test_a_worker_that_was_killed_is_replaced_and_asked_again():
    symbolic._ask(["is_zero", "(x)-(x)"])
    symbolic._worker.kill()
    assert symbolic._ask(["is_zero", "(x)-(x)"]) is True


@pytest.mark.slow
def test_a_worker_ends_with_its_parent():
    code = (
        "from scoring.graders import symbolic, math\n"
        "print(math.equal('\\\\sqrt{8}', '2\\\\sqrt{2}')[0], symbolic._worker.pid, flush=True)\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    equal_, pid = done.stdout.split()
    assert equal_ == "True"
    wait_until(lambda: not is_running(int(pid)), within_s=5, what=lambda: "the worker is still there")


@pytest.mark.slow
def test_a_forked_child_gets_a_worker_of_its_own():
    assert symbolic._ask(["is_zero", "(x)-(x)"]) is True
    parent = symbolic._worker.pid
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer = symbolic._ask(["is_zero", "(y)-(y)"])
        os.write(writer, f"{answer} {symbolic._worker.pid != parent}".encode())
        symbolic._stop()
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "True True"
    os.waitpid(child, 0)
    assert symbolic._worker.pid == parent
    assert symbolic._ask(["is_zero", "(z)-(z)"]) is True


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "x.__class__",
        "(1).real",
        "open('f')",
        "a;b",
        "[x for x in y]",
        "lambda:0",
        "'a'",
        "x\ny",
        "x" * 601,
    ],
)
def test_text_that_could_be_code_is_never_parsed(text, monkeypatch):
    monkeypatch.setattr(symbolic, "_ask", lambda question: pytest.fail(f"asked {question}"))
    assert symbolic.is_zero(text) is None


@pytest.mark.parametrize("text", ["exit()", "id(x)", "open(x)", "eval(x)", "all(x)"])
def test_python_names_mean_nothing_to_the_parser(text):
    assert symbolic._ask(["is_zero", f"({text})-(1)"]) is False


def test_a_worker_that_cannot_start_says_why(monkeypatch):
    symbolic._stop()
    monkeypatch.setattr(symbolic, "__file__", "/nonexistent/symbolic.py")
    with pytest.raises(symbolic.SymbolicError, match="math-verify"):
        symbolic._ask(["is_zero", "(x)-(x)"])


@pytest.mark.slow
def test_threads_share_one_worker():
    symbolic._stop()
    answers = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(symbolic._ask(["is_zero", f"({n}x)-(x*{n})"])))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 8


# --- boxes, reasoning, LaTeX


@pytest.mark.parametrize(
    ("text", "robust", "last", "first"),
    [
        ("\\boxed{5}", "5", "5", "5"),
        ("\\boxed{1} \\boxed{2}", "2", "2", "1"),
        ("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}", "\\frac{1}{2}", "\\frac{1}{2}"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}", "\\{1, 2\\}", "\\{1, 2\\}"),
        ("\\boxed{\\left\\{ x \\right.}", "\\left\\{ x \\right.", None, "\\left\\{ x \\right.}"),
        ("\\boxed{1} \\boxed{2", "1", None, "1"),
        ("\\boxed{ 3 }", "3", " 3 ", "3"),
        ("\\boxed 5 apples", "5", None, ""),
        ("\\boxed {5}", "5", None, ""),
        ("\\fbox{5}", "5", None, ""),
        ("\\boxed format", None, None, ""),
        ("\\boxed{}", None, "", ""),
        ("boxed{5}", None, None, ""),
        ("", None, None, ""),
    ],
)
def test_boxes(text, robust, last, first):
    assert last_box(text) == robust
    assert last_box_compat(text) == last
    assert first_box_compat(text) == first


def test_boxes_within_boxes_take_no_more_time_than_others():
    begin = time.monotonic()
    all_boxes("\\boxed{" * 20_000)
    all_boxes("\\boxed{" * 20_000 + "}" * 20_000)
    last_box_compat("\\boxed{" * 20_000)
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize(
    ("text", "part", "truncated"),
    [
        ("<think>a</think>b", "b", False),
        ("a</think>b</think>c", "c", False),
        ("<thought>a</thought>b", "b", False),
        ("<seed:think>a</seed:think>b", "b", False),
        ("<reasoning>a</reasoning>b", "b", False),
        ("<think>a", "<think>a", True),
        ("<think>a</think>b<think>c", "b<think>c", True),
        ("Ａnswer：　Ｂ", "Answer: B", False),
        ("x² 中文，好", "x² 中文,好", False),
        ("<thought>a <answer>b</answer></thought>c", "<answer>b</answer></thought>c", False),
        ("<thought>a <answer>b</answer></thought><answer>c</answer>", "<answer>c</answer>", False),
        ("<think>a <answer> is the tag</think>b", "b", False),
        ("Generation failed: 42", "", False),
        ("Multimodal generation failed: 42", "", False),
        ("", "", False),
    ],
)
def test_the_part_that_may_hold_the_answer(text, part, truncated):
    assert answer_part(text) == (part, truncated)


def test_markdown_is_dropped():
    text = "### **Zoey** is _a_ `knave`\n> - __Oliver__: snake_case -5"
    assert without_markdown(text) == "Zoey is a knave\nOliver: snake_case -5"


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        ("\\frac{1}{1+x}", "1/1+x"),
        ("\\frac12", "1/2"),
        ("\\sqrt[3]{x}", "sqrt(x)"),
        ("2\\pi", "2pi"),
        ("\\left(-\\infty, 2\\right)\\cup\\{5\\}", "(-inf, 2)U{5}"),
        ("3\\cdot 4 \\times 5", "3*4 *5"),
        ("\\text{a} \\mbox{b}", "a b"),
        ("\\mathbf{B}", "𝐁"),
        ("\\alpha\\Gamma\\lambda", "αΓλ"),
        ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "[ 1 2 ; 3 4 ]"),
        ("x \\leq 3", "x ≤3"),
        ("\\overline{AB}", "AB\u0305"),
        ("\\nosuchcommand{a}", "a"),
        ("\\frac", "/"),
        ("}{", ""),
    ],
)
def test_latex_as_text(latex, text):
    assert latex_to_text(latex) == text
