"""Laboratory protocols of SGI-Bench: steps in a pseudo-code, and how far two protocols agree.

    lysate = <Lyse cells>(
        cells="HEK293T",
        buffer=buffer_cold
    )

`read` and `order_similarity` do what the authors mean, the functions with `compat` in their name what the published
scores were made with: a call on one line swallows the step after it, and the order of two actions is that of their
names in the alphabet, so that protocols without a common action can agree perfectly (LLMRouterBench, defect D34).
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

_HEAD = re.compile(r"(?<!\w)(\w++)\s*+=\s*+<([^>]{1,1000}+)>\((\s*+)")
_CLOSING_LINE = re.compile(r"\n[^\S\n]*+\)[^\S\n]*+$", re.MULTILINE)
_PARAMETER = re.compile(r"\s*+(\w++)\s*+=(.*)", re.DOTALL)


class Step(NamedTuple):
    """One step: the name of its product, its action, and its parameters as text without quotes."""

    product: str
    action: str
    parameters: dict[str, str]


def read(protocol: str) -> list[Step]:
    """The steps of a protocol, whether a call stands on one line or on many; actions in lower case."""
    heads = list(_HEAD.finditer(protocol))
    ends = [head.start() for head in heads[1:]] + [len(protocol)]
    return [
        Step(head[1], " ".join(head[2].casefold().split()), _parameters(protocol[head.end() : end]))
        for head, end in zip(heads, ends, strict=False)
    ]


def _parameters(call: str) -> dict[str, str]:
    """The parameters of a call, up to its closing parenthesis; commas and line feeds separate them."""
    pieces, start, depth, quote, last = [], 0, 0, "", ""
    for position, character in enumerate(call):
        if character == "\n" or (character == "," and not depth and not quote):
            pieces.append(call[start:position])
            start, depth, quote = position + 1, 0, ""
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and last == "=":  # elsewhere an apostrophe: 5' end
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            if character == ")" and not depth:
                call = call[:position]
                break
            depth = max(depth - 1, 0)
        last = last if character.isspace() else character
    named = [match for piece in (*pieces, call[start:]) if (match := _PARAMETER.fullmatch(piece))]
    return {match[1]: _unquoted(match[2].strip()) for match in named}


def _unquoted(value: str) -> str:
    if value[:1] in ('"', "'"):
        return value[1:].partition(value[0])[0]
    return value.partition(" #")[0].strip()


def read_compat(protocol: str) -> list[Step]:
    """The steps as published: parameters end at the next line that holds only a closing parenthesis.

    White space after the opening one is passed over first, so that a call without parameters rarely ends at its own.
    """
    ends = [match.start() for match in _CLOSING_LINE.finditer(protocol)]
    steps, head = [], _HEAD.search(protocol)
    while head:
        places = (bisect_left(ends, begin) for begin in (head.end(), head.start(3)))
        end = next((ends[place] for place in places if place < len(ends)), None)
        if end is None:
            break
        lines = [line.strip() for line in protocol[head.end() : end].split("\n")]
        named = [match for line in lines if (match := _PARAMETER.fullmatch(line))]
        steps.append(Step(head[1], head[2].strip(), {match[1]: _value_compat(match[2]) for match in named}))
        head = _HEAD.search(protocol, end)
    return steps


def _value_compat(text: str) -> str:
    value = text.strip().removesuffix(",").rstrip()
    return value[1:-1] if value.startswith('"') and value.endswith('"') else value


def order_similarity(wanted: Sequence[Step], found: Sequence[Step]) -> float:
    """Share of the pairs of wanted steps whose actions were found in that order; 0 if the numbers of steps differ.

    The k-th of several equal actions stands for the k-th. A single step is right or wrong.
    """
    if len(wanted) != len(found):
        return 0.0
    places = {action: place for place, action in enumerate(_numbered(found))}
    order = [places.get(action) for action in _numbered(wanted)]
    if len(order) <= 1:
        return float(None not in order)
    pairs = list(combinations(order, 2))
    return sum(one is not None and other is not None and one < other for one, other in pairs) / len(pairs)


def _numbered(steps: Sequence[Step]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    numbered = []
    for step in steps:
        counts[step.action] = counts.get(step.action, 0) + 1
        numbered.append((step.action, counts[step.action]))
    return numbered


def order_similarity_compat(wanted: Sequence[Step], found: Sequence[Step]) -> float:
    """Share of the pairs of places whose two actions are not in opposite alphabetical order."""
    if len(wanted) != len(found):
        return 0.0
    pairs = list(combinations(zip((step.action for step in wanted), (step.action for step in found), strict=True), 2))
    opposite = sum((one < other and mine > its) or (one > other and mine < its) for (one, mine), (other, its) in pairs)
    return 1.0 - opposite / len(pairs) if pairs else 1.0


def parameter_accuracy(wanted: Sequence[Step], found: Sequence[Step]) -> float:
    """Share of steps without an error, place by place, of the longer protocol.

    A step is wrong if its action or the names of its parameters differ, or if a parameter is the product of a step in
    one protocol and not in the other, or of steps that do not correspond. Other values are not compared.
    """
    wanted_products, products = ({step.product for step in steps} for steps in (wanted, found))
    partner: dict[str, str] = {}  # of the products of right steps
    n_right = 0
    for step, own in zip(wanted, found, strict=False):
        if step.action != own.action or step.parameters.keys() != own.parameters.keys():
            continue
        values = [(step.parameters[key], own.parameters[key]) for key in step.parameters]
        if all(
            partner.get(mine) == value if value in wanted_products and mine in products
            else (value in wanted_products) == (mine in products)
            for value, mine in values
        ):  # fmt: skip
            partner[own.product] = step.product
            n_right += 1
    return n_right / max(len(wanted), len(found))
