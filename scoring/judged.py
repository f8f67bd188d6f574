"""The interface of a benchmark whose responses another model judges.

A judged benchmark says what to ask as a generator: it yields the questions of one step, which are asked at the same
time, gets their verdicts back, and returns the score. `jobs.judge` asks, for many responses at once; this room never
sees an API. So a benchmark reads from top to bottom, whatever the number of its judges and steps:

    def judging(self, query, text):
        answer, truncated = answer_part(text)
        (verdict,) = yield [Question(messages=prompt(query, answer), read=grade_in)]
        return Score(float(verdict == "A"), verdict, why("as the judge says", truncated))
"""

from abc import abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from scoring.benchmark import Benchmark
from store.records import Message, Query, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one judge is asked.

    Attributes:
        messages: the conversation; the judge writes the next turn.
        read: the verdict in a reply, any value; None where there is none that is beyond doubt. The judge is then asked
            again, with its reply and the reminder before its eyes. The reply is as it came: a judge may have written
            its reasoning, too.
        reminder: of the form a reply must have.
        judge: which of the benchmark's judges, from 0.
    """

    messages: tuple[Message, ...]
    read: Callable[[str], Any]
    reminder: str = "That reply could not be read. Reply once more, in exactly the form that was asked for."
    judge: int = 0


Judging = Generator[Sequence[Question], Sequence[Any], Score]  # questions out, their verdicts in, the score at the end


class JudgedBenchmark(Benchmark):
    """Load, prompt, and what to ask the judge.

    Attributes:
        n_judges: how many different judges its questions name.
    """

    n_judges: ClassVar[int] = 1

    @abstractmethod
    def judging(self, query: Query, text: str) -> Judging:
        """How a response is judged as the benchmark's authors mean it. May return without a question, where an answer
        needs no judge (it is empty, or equal to the gold answer). Must not raise for any text. A verdict that it gets
        is never None: where a judge fails or stays unreadable the response has no score, and is judged again next time.
        Several responses are judged at the same time, in threads.
        """

    def judging_compat(self, query: Query, text: str) -> Judging:
        """The same with the rules the published tables were made with, defects included."""
        return self.judging(query, text)

    def score(self, query: Query, text: str) -> Score:
        """The score of a response that needs no judge, NaN for others."""
        return _without_judge(self.judging(query, text))

    def score_compat(self, query: Query, text: str) -> Score:
        return _without_judge(self.judging_compat(query, text))


def _without_judge(judging: Judging) -> Score:
    try:
        next(judging)
    except StopIteration as end:
        return end.value
    judging.close()
    return Score(float("nan"), "", "needs its judge")
