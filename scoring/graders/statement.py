r"""The answer that an output states in words: "The answer is 5.", "**Final Answer:** $\frac{1}{2}$", below "Answer".

`line_compat` is the rule behind the published tables of LLMRouterBench, shared there by all short answers.
"""

import re

from scoring.graders.boxed import first_box_compat

# What introduces an answer. The gap before the verb ("the answer to question 3 is") is bounded, so that a text full of
# "answer" takes no longer than another.
_STATEMENT = re.compile(
    r"(?<![\w-])(?:ans(?:wer)?|(?:correct|right|best) (?:option|choice))\b"
    r"(?:[^.:\n]{0,60}?\b(?:is|be)\b(?! worth)[ \t*]*:?|[ \t*_]*(?:[:=→]|->)|[ \t*_]*\n)",
    re.IGNORECASE,
)
FORMULA = re.compile(
    r"\$\$(.+?)\$\$|\$((?:\\.|[^$\\])+)\$|\\\[(.+?)\\\]|\\\((.+?)\\\)",
    re.DOTALL,
)
_JOINT = re.compile(r"\s*(?:,|and|or)?\s*")
_SENTENCE_END = re.compile(r"(?<!\\)[.!?](?=\s|$)")
_VERB = re.compile(r"\b(?:is|are|was|were|be|equals?)\b(?: (?:equal to|about|exactly|approximately)\b)?", re.IGNORECASE)
_NEXT_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_MOST = 100  # announcements; a text with more of them is no answer
_REACH = 400  # characters after "the answer is" within which the answer stands


def statements(text: str) -> list[str]:
    """What follows each announcement of an answer, up to 400 characters, the last announcement first, 100 at most."""
    ends = [match.end() for match in _STATEMENT.finditer(text)]
    return [text[end : end + _REACH] for end in ends[: -_MOST - 1 : -1]]


def stated_answer(text: str) -> str:
    """The last answer stated in words: the formula that follows at once, else the rest of the sentence; else empty."""
    for statement in statements(text):
        if answer := _first_words(statement.lstrip(" \t\n*_:")):
            return answer
    return ""


def sentences(text: str) -> list[str]:
    """The sentences of a text, at least one."""
    return _NEXT_SENTENCE.split(text)


def predicate(sentence: str) -> str:
    """What a sentence says of its subject: all after the last "is" or "equals", or all of it where it has neither."""
    return _VERB.split(sentence)[-1]


def content(formula: re.Match[str]) -> str:
    """What stands between the delimiters of a formula; the whole match where its expression has none."""
    return next(filter(None, formula.groups()), formula[0]).strip()


def _first_words(statement: str) -> str:
    formulas, position = [], 0
    while formula := FORMULA.match(statement, position):
        formulas.append(content(formula))
        joint = _JOINT.match(statement, formula.end())
        position = joint.end() if joint else formula.end()
    if formulas:
        return ", ".join(formulas)
    line = statement.partition("\n")[0]
    end = _SENTENCE_END.search(line)
    return (line[: end.start()] if end else line).strip(" \t*_`,;")


def line_compat(text: str, answer: str = r"([^\n]+)") -> str:
    """What the published rule takes for the answer: of the last "Answer:" line, else below a heading, else boxed.

    Args:
        text: the raw output.
        answer: regular expression of what follows the colon, with one group; the rest of the line unless given.
    """
    if len(text) <= 10 and "Answer" not in text and "box" not in text:
        return text.lstrip()
    if stated := re.findall(r"(?i)Answer\s*:\s*" + answer, text):
        found = stated[-1].strip()
        return found[len("answer:") :].strip() if found.lower().startswith("answer: ") else found
    if headed := re.search(r"(?i)Final Answer\s\n+\s*" + answer, text):
        return headed[1].strip()
    return first_box_compat(text)
