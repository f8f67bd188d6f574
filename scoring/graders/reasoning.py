"""What of an output is looked at when an answer is extracted. The stored output stays as the model wrote it.

The order of steps and their limits follow from what models really write: reasoning in tags, full-width letters from
models trained on Chinese, emphasis around answers (LLMRouterBench, defects D2-D5 and D8).
"""

import re
import unicodedata

_TAG = re.compile(r"<(/?)(think|thought|reasoning|seed:think)>", re.IGNORECASE)
_ANSWER = re.compile(r"<(?:final[_ ]?)?(answer|solution)>.{1,2000}?</(?:final[_ ]?)?\1>", re.IGNORECASE | re.DOTALL)
_FAILURE = re.compile(r"(?:Multimodal g|G)eneration failed: ")

# Full-width ASCII and the mathematical alphabets become plain characters. The rest of NFKC is left out on purpose:
# it would turn "x²" into "x2" and change Chinese text.
_PLAIN = {
    code: plain
    for block in (range(0xFF01, 0xFF5F), range(0x1D400, 0x1D800))
    for code in block
    if len(plain := unicodedata.normalize("NFKC", chr(code))) == 1
} | dict.fromkeys((0xA0, 0x2007, 0x2009, 0x202F, 0x3000), " ")

_LINE_MARKS = re.compile(r"^[ \t]*(?:(?:#+|>|[-+](?=[ \t]))[ \t]*)+", re.MULTILINE)
_EMPHASIS = re.compile(r"[*`]|(?<!\w)_+|(?<!_)_++(?!\w)")


def after_reasoning(text: str) -> tuple[str, bool]:
    """An output without its reasoning, as the model wrote it, and whether it broke off inside the reasoning.

    Returns:
        What follows the last closing reasoning tag, or everything where there is none; and True where a reasoning tag
        is opened afterwards and never closed. The last answer in a tag of its own belongs to it even where it stands
        before: such thoughts alternate with answers and hide nothing. A recorded failure ("Generation failed: …") gives
        an empty text, for it is no answer.
    """
    if _FAILURE.match(text):
        return "", False
    start, is_open = 0, False
    for tag in _TAG.finditer(text):
        is_open = not tag[1]
        if not is_open:
            start = tag.end()
    if answers := [answer.start() for answer in _ANSWER.finditer(text)]:
        start = min(start, answers[-1])
    return text[start:], is_open


def answer_part(text: str) -> tuple[str, bool]:
    """The same in plain characters: the part of an output that may hold an answer to extract."""
    answer, is_open = after_reasoning(text)
    return answer.translate(_PLAIN), is_open


def without_markdown(text: str) -> str:
    """The text without emphasis, code ticks and marks that begin a line. For words and letters, not formulas."""
    return _EMPHASIS.sub("", _LINE_MARKS.sub("", text))


def why(found: str, truncated: bool) -> str:
    """The explanation of a score: how the answer was found, and a note where the output broke off while reasoning."""
    return f"{found}; broke off inside its reasoning" if truncated else found
