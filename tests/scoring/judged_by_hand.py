"""Play the judge: feed replies to a judging, and nasty texts to whatever reads replies."""

import math
import time

from test_benchmarks_contract import NASTY


def play(judging, *steps):
    """The score of a judging whose questions get these replies, a list for each step; every reply has to be read."""
    verdicts = None
    try:
        for number, replies in enumerate((*steps, ()), 1):
            questions = judging.send(verdicts)
            assert number <= len(steps), f"one more step: {questions}"
            verdicts = [question.read(reply) for question, reply in zip(questions, replies, strict=True)]
            assert None not in verdicts, (replies, verdicts)
    except StopIteration as end:
        assert number == len(steps) + 1, "fewer steps"
        return end.value


def judged(judging, *replies):
    """The score of a judging of one step, with one reply to each of its questions."""
    return play(judging, replies)


def decided(judging):
    """The score of a response that needs no judge."""
    return play(judging)


def asked(judging):
    """The questions of the first step."""
    questions = list(next(judging))
    judging.close()
    return questions


def content(question):
    """What a question of one message says."""
    (message,) = question.messages
    assert message["role"] == "user"
    return message["content"]


def endures(benchmark, query):
    """Check what the contract of all benchmarks demands, on a row of a test: no text raises or takes long."""
    slow = []
    for name, text in NASTY.items():
        for score in (benchmark.score, benchmark.score_compat):
            begin = time.process_time()
            found = score(query, text)
            slow += [name] if time.process_time() - begin > 2 else []
            assert math.isnan(found.value) or 0 <= found.value <= 1, name
            assert isinstance(found.prediction, str), name
    assert not slow


def readers_endure(*readers):
    """Check that no reply of a judge makes a reader raise or think for long."""
    slow = []
    for name, text in NASTY.items():
        for read in readers:
            begin = time.process_time()
            read(text)
            slow += [(name, read)] if time.process_time() - begin > 2 else []
    assert not slow
