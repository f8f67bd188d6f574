"""The interface of a benchmark whose responses a program outside the suite grades, because it takes what a job has not.

The benchmark says what is handed in for a response. What the program says of it is kept in the store as a verdict on
that very text (`store.verdicts`), so that scores can always be made again, and a response that was replaced, or whose
answer another rule finds elsewhere, has none until it is handed in too.
"""

from abc import abstractmethod
from collections.abc import Mapping

from scoring.benchmark import Benchmark
from store.records import Query, Score
from store.verdicts import Verdict, fingerprint


class GradedElsewhere(Benchmark):
    """Load, prompt, and what to hand in."""

    @abstractmethod
    def submission(self, query: Query, text: str) -> tuple[str, str]:
        """What is handed in for a response as the benchmark's authors mean it, and how it was found. Nothing ("")
        scores 0 and is not handed in. Must not raise for any text.
        """

    def submission_compat(self, query: Query, text: str) -> tuple[str, str]:
        """The same with the rules the published tables were made with, defects included."""
        return self.submission(query, text)

    def graded(self, query: Query, text: str, profile: str, verdicts: Mapping[tuple[int, str], Verdict]) -> Score:
        """The score of a response, NaN where what is handed in for it has no verdict.

        Args:
            profile: "robust" or "compat".
            verdicts: of (index, fingerprint of what was handed in).
        """
        find = self.submission_compat if profile == "compat" else self.submission
        found, how = find(query, text)
        if not found:
            return Score(0.0, "", how)
        verdict = verdicts.get((query.index, fingerprint(found)))
        if verdict is None:
            return Score(float("nan"), found, f"not graded yet ({how})" if how else "not graded yet")
        return Score(verdict.value, found, f"{verdict.explanation} ({how})" if how else verdict.explanation)

    def score(self, query: Query, text: str) -> Score:
        """The score of a response for which nothing is handed in, NaN for others."""
        return self.graded(query, text, "robust", {})

    def score_compat(self, query: Query, text: str) -> Score:
        return self.graded(query, text, "compat", {})
