"""Judging in processes: the same scores as in one, and what dies costs itself only."""

import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import graders
import pytest

from jobs import grading
from jobs.grading import GradingError, judge_chunk, judging
from store.records import Query, Score
from tests.processes import children, is_running
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]


def rows(*texts):
    return [(Query(index, "?", "1/2"), text) for index, text in enumerate(texts)]


@pytest.mark.parametrize("n_processes", [2, None])
def test_the_scores_are_those_of_one_process(n_processes):
    many = rows(*("x" * (n % 100) for n in range(500)), "raise", "\ud800\x00ä")
    here = judge_chunk(graders.length, many, 1)
    assert here[7] == Score(0.07, "xxxxxxx", "7")
    assert here[500] == "ValueError: no such text"
    assert judge_chunk(graders.length, many, n_processes) == here


def test_what_ends_its_process_costs_itself_only():
    texts = ["x"] * 40
    texts[3], texts[20], texts[21] = "die SIGSEGV", "leave 3", "die SIGKILL"
    found = judge_chunk(graders.length, rows(*texts), 2)
    assert (found[3], found[20], found[21]) == (
        "its process ended by SIGSEGV", "its process ended with exit status 3", "its process ended by SIGKILL"
    )  # fmt: skip
    assert all(isinstance(found[place], Score) for place in range(40) if place not in (3, 20, 21))


def test_a_process_that_was_killed_by_chance_costs_nothing(tmp_path):
    order = f"die_once {tmp_path / 'died'}"
    assert judge_chunk(graders.length, rows("x", order, "y"), 2)[1].prediction == order
    assert (tmp_path / "died").exists()


def test_few_quick_answers_start_one_process_and_slow_ones_all(monkeypatch, tmp_path):
    started = []
    start = grading._start
    monkeypatch.setattr(grading, "_start", lambda judge: started.append(judge) or start(judge))
    judge_chunk(graders.length, rows(*["x"] * 50), 3)
    assert len(started) == 1
    found = judge_chunk(graders.meeting, rows(*[str(tmp_path)] * 3), 3)
    assert len(started) == 1 + 3
    assert len({score.prediction for score in found}) == 3


def test_processes_are_kept_from_one_model_to_the_next_and_ended():
    with judging(graders.process, 2) as judge:
        ((_, first),) = judge(rows("x"))
        ((_, second),) = judge(rows("x"))
    assert first == second
    assert not Path("/proc", first.prediction).exists()


def test_no_rows_start_no_process(monkeypatch):
    monkeypatch.setattr(grading, "_start", None)
    assert judge_chunk(graders.length, [], None) == []


def test_a_grader_that_cannot_be_loaded_is_an_error(capfd):
    module = sys.modules["not_there"] = types.ModuleType("not_there")
    exec("def judge(query, text): ...", module.__dict__)
    try:
        with pytest.raises(GradingError, match="exit status 1 before it began"):
            judge_chunk(module.judge, rows("x"), 2)
    finally:
        del sys.modules["not_there"]
    assert "No module named 'not_there'" in capfd.readouterr().err


@pytest.mark.slow
def test_each_process_has_its_own_algebra():
    found = judge_chunk(graders.equal, rows(*["\\frac{2}{4}", "0.25", "\\frac{1}{2}"] * 20), 2)
    assert [score.value for score in found] == [1, 0, 1] * 20


def test_a_schedulers_warning_changes_nothing():
    """It reaches every process of a step, whatever started it."""
    others = set(offspring(os.getpid()))  # of other tests, which need not be so
    with judging(graders.program, 2) as judge:
        found = []
        texts = ["import time\ntime.sleep(0.5)\nprint(42)"] * 2
        thread = threading.Thread(target=lambda: found.extend(judge(rows(*texts))))
        thread.start()
        deadline = time.monotonic() + 30
        while len(own := set(offspring(os.getpid())) - others) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in own:
            os.kill(pid, signal.SIGUSR2)
        thread.join()
    assert sorted(found) == [(0, Score(1.0)), (1, Score(1.0))]


def test_it_starts_deaf_to_what_is_not_meant_for_it():
    assert judge_chunk(graders.process, rows("x"), 2)[0].value == 1


SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:]
import graders
from jobs.grading import judge_chunk
from store.records import Query
rows = [(Query(n, "?", ""), "import os, time\\nos.fork()\\ntime.sleep(600)") for n in range(2)]
print("ready", flush=True)
judge_chunk(graders.program, rows, 2)
"""


def test_a_killed_scorer_leaves_nothing():
    words = [sys.executable, "-c", SCRIPT, str(PROJECT), str(Path(graders.__file__).parent)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as scorer:
        try:
            assert scorer.stdout.readline() == b"ready\n"
            deadline = time.monotonic() + 30
            while len(family := offspring(scorer.pid)) < 10 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert len(family) >= 10  # two that judge, what makes their jails, and the jails
        finally:
            scorer.kill()
    wait_until(lambda: not any(map(is_running, family)), within_s=10)


def offspring(pid):
    """All processes below one."""
    return [each for child in children(pid) for each in (child, *offspring(child))]
