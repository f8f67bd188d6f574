"""How one response is judged: the benchmark's questions, the judges' replies, and what comes of them.

No judge is asked here; `jobs.judge` does that, for many responses at once.
"""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from inference.api_reply import one_line
from scoring.judged import Judging, Question
from store.records import Message, Response, Score

_MOST_REMINDERS = 5


class Conversation:
    """One question to one judge, until there is a verdict or no hope for one.

    Attributes:
        question: as the benchmark asked it.
        messages: so far; the judge writes the next turn.
        verdict: what `question.read` found, None before that.
        error: why there will be none.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.messages = _sendable(question.messages)
        self.verdict: Any = None
        self.error = ""
        self._n_reminders = 0

    @property
    def is_over(self) -> bool:
        return self.verdict is not None or bool(self.error)

    def take(self, reply: Response) -> None:
        """Read a reply. Where that fails the conversation goes on with a reminder, but not for ever."""
        if reply.error:
            self.error = f"judge: {reply.error}"
            return
        try:
            self.verdict = self.question.read(reply.text)
        except Exception as error:  # costs this response alone
            self.error = f"judge: reading its reply raised {type(error).__name__}: {error}"
            return
        if self.verdict is not None:
            return
        if self._n_reminders == _MOST_REMINDERS:
            cut = " (cut off at max_tokens)" if reply.finish_reason == "length" else ""
            self.error = f"judge: unreadable reply{cut}: {one_line(reply.text, 100)!r}"
            return
        self._n_reminders += 1
        said = reply.text or "(no text)"  # some APIs refuse an empty turn
        turns = {"role": "assistant", "content": said}, {"role": "user", "content": self.question.reminder}
        self.messages += _sendable(turns)


@dataclass(slots=True)
class Judged:
    """A score, and what it took.

    Attributes:
        cost_usd, prompt_tokens, completion_tokens: of all replies; a reply from the cache counts with what it once
            cost. NaN and -1 where unknown.
        replies: in the order in which they came, {"judge": its position, "reply": text or "error": text} each.
    """

    score: Score
    cost_usd: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    replies: list[dict[str, Any]] = field(default_factory=list)


class Judgement:
    """One response on its way to a score. The owner calls `go_on` and asks what that gives back, in turn.

    Attributes:
        conversations: of the present step.
        judged: its score is there once `go_on` gives back nothing.
    """

    def __init__(self, judging: Judging) -> None:
        self._judging, self._is_begun = judging, False
        self.conversations: list[Conversation] = []
        self.judged = Judged(Score(math.nan))

    @property
    def is_ready(self) -> bool:
        """Whether every question of the step has come to its end."""
        return all(conversation.is_over for conversation in self.conversations)

    def take(self, conversation: Conversation, reply: Response) -> None:
        """Count and read a reply."""
        judged, content = self.judged, {"error": reply.error} if reply.error else {"reply": reply.text}
        judged.replies.append({"judge": conversation.question.judge, **content})
        judged.cost_usd += reply.cost_usd
        judged.prompt_tokens = _sum(judged.prompt_tokens, reply.prompt_tokens)
        judged.completion_tokens = _sum(judged.completion_tokens, reply.completion_tokens)
        conversation.take(reply)

    def go_on(self) -> list[Conversation]:
        """Run the benchmark's code with the verdicts of the step; gives back the conversations of the next one.

        It may take long (a benchmark may run programs) and may run in any thread. None left means that the score is
        there; an error of the benchmark or a judge makes it NaN.
        """
        try:
            if error := next((one.error for one in self.conversations if one.error), ""):
                self._judging.close()
                return self._end(Score(math.nan, "", error))
            questions = None
            while not questions:  # a step without questions has its verdicts at once
                verdicts = [one.verdict for one in self.conversations]
                questions = self._judging.send(verdicts) if self._is_begun else next(self._judging)
                self._is_begun = True
                self.conversations = [Conversation(question) for question in questions]
        except StopIteration as end:
            return self._end(end.value)
        except Exception as error:
            return self._end(Score(math.nan, "", one_line(f"{type(error).__name__}: {error}")))
        return self.conversations

    def _end(self, score: Score) -> list[Conversation]:
        if not isinstance(score, Score) or not (math.isnan(score.value) or 0 <= score.value <= 1):
            score = Score(math.nan, "", f"not a score in [0, 1], the benchmark's judging is wrong: {score!r:.100}")
        self.judged.score, self.conversations = score, []
        return []


def _sendable(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages without lone surrogates, which models write and no request can hold."""
    return tuple(json.loads(json.dumps(messages, ensure_ascii=False).encode("utf-8", "replace")))


def _sum(total: int, n_tokens: int) -> int:
    return -1 if total < 0 or n_tokens < 0 else total + n_tokens
