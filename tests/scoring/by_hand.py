"""Judge a response by hand: the replies are what a judge would write, the questions read the verdicts in them."""

from scoring.judged import Judging, Question
from store.records import Score


def asked(judging: Judging) -> list[Question]:
    """The questions of the first step."""
    questions = list(next(judging))
    judging.close()
    return questions


def judged(judging: Judging, *replies: str) -> Score:
    """The score, with one reply to each question; there must be no further step."""
    verdicts = [question.read(reply) for question, reply in zip(next(judging), replies, strict=True)]
    assert None not in verdicts
    try:
        judging.send(verdicts)
    except StopIteration as end:
        return end.value
    raise AssertionError("it asks again")


def decided(judging: Judging) -> Score:
    """The score of a response that needs no judge."""
    try:
        next(judging)
    except StopIteration as end:
        return end.value
    raise AssertionError("it asks a judge")
