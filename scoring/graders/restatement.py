"""Have the judge bring an answer into a fixed form, without seeing what it should be: the parser of SGI-Bench."""

from store.records import Message

_PROMPT = """You bring answers into a fixed form. Below is what somebody answered. Write down the final answer that it gives, in the form of the example, and nothing more: no explanation, no fences, no symbols that the example does not have. Change the form only; where the answer is wrong, it stays wrong.

<example>
{example}
</example>

<type>
str
</type>

<input_text>
{answer}
</input_text>"""  # noqa: E501


def restatement(answer: str, example: str) -> tuple[Message, ...]:
    """The messages that ask for an answer in the form of an example."""
    return ({"role": "user", "content": _PROMPT.format(example=example, answer=answer)},)
