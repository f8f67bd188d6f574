"""Queries about the emotion of one utterance of a dialogue: what EmoryNLP and MELD have in common."""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from store.records import Message, Query

_PROMPT = """Below are the history of a conversation and its current utterance. Consider both, and choose from the options the emotion that the current utterance expresses.
Think it through step by step, and close your response with a line of the form 'Answer: $LETTER' (without the quotes), where LETTER is one of {letters}.

History:
{history}

Utterance:
{utterance}

Options:
{options}"""  # noqa: E501


class Turn(NamedTuple):
    """One utterance.

    Attributes:
        scene: equal for all utterances of one conversation.
        speaker, utterance, emotion: texts.
    """

    scene: Hashable
    speaker: str
    utterance: str
    emotion: str


def emotion_queries(turns: Iterable[Turn], emotions: Sequence[str]) -> list[Query]:
    """A query per turn: the earlier turns of its scene are the history, the emotions the options from A on.

    The text of a query is the conversation up to the utterance, without the instructions of the prompt.
    """
    options = dict(zip("ABCDEFG", emotions, strict=True))
    letters = {emotion: letter for letter, emotion in options.items()}
    histories: dict[Hashable, list[str]] = {}
    queries = []
    for index, turn in enumerate(turns):
        history = histories.setdefault(turn.scene, [])
        line = f"{turn.speaker}: {turn.utterance}"
        metadata = {"history": list(history), "utterance": line, "options": options}
        queries.append(Query(index, "\n".join([*history, line]), letters[turn.emotion], metadata=metadata))
        history.append(line)
    return queries


def emotion_prompt(query: Query) -> list[Message]:
    """One message with history, utterance and options; a history without utterances is a dash alone."""
    options = query.metadata["options"]
    content = _PROMPT.format(
        letters="".join(options),
        history="\n".join(f"- {line}" for line in query.metadata["history"]) or "-",
        utterance=query.metadata["utterance"],
        options="\n".join(f"{key}. {option}" for key, option in options.items()),
    )
    return [{"role": "user", "content": content}]
