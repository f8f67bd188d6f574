"""What a research idea of SGI-Bench is worth by measure: four qualities of up to ten points each.

`plan_compat` does what the published scores were made with: steps are sorted as strings, so that 10 comes before 2
(LLMRouterBench, section SGI idea generation).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.graders.idea import EMPTY, KEYS, Idea, as_text

Embed = Callable[[Sequence[str]], NDArray]  # texts -> one vector each, float [n_texts, dim]
Plan = tuple[dict[str, str], set[tuple[str, str]]]  # steps by their key, and which follows which

_SENTENCE_END = re.compile("[.!?。！？]")


def points(
    idea: Idea,
    gold: Idea,
    *,
    keywords: str,
    known: Sequence[str],
    later: Sequence[str],
    embed: Embed,
    plan_of: Callable[[Any, Any], Plan],
) -> dict[str, float]:
    """The points for each quality, in [0, 10].

    Args:
        idea, gold: the two ideas.
        keywords: of the gold one.
        known, later: the work that it built on, and work of its time.
        embed: makes vectors, of any length.
        plan_of: `plan` or `plan_compat`.
    """
    text = as_text(idea.get("Idea") or "")
    sentences = [stripped for part in _SENTENCE_END.split(text) if len(stripped := part.strip()) > 10]
    texts = [[text], [keywords], known, later, sentences]
    vector = _unit(embed([one for group in texts for one in group]))
    own, to_keywords, to_known, to_later, of_sentences = np.split(
        vector, np.cumsum([len(group) for group in texts])[:-1]
    )
    repetition = _clipped(10 * (_mean_pair(of_sentences) - 0.2))
    return {
        "effectiveness": _clipped(10 * float(to_keywords[0] @ own[0])) if keywords else 0.0,
        "novelty": (_distance(to_known, own[0]) + _distance(to_later, own[0])) / 2,
        "detailedness": 2 * completeness(idea) + 0.4 * (10 - repetition) + 0.4 * (10 - length_penalty(len(text))),
        "feasibility": 10 * plan_similarity(idea, gold, plan_of),
    }


def _unit(vector: NDArray) -> NDArray[np.float64]:
    length = np.linalg.norm(np.asarray(vector, np.float64), axis=1, keepdims=True)
    return vector / np.where(length == 0, 1, length)


def _distance(vector: NDArray[np.float64], own: NDArray[np.float64]) -> float:
    """Ten times one minus the mean cosine, in [0, 10]; 0 where there is nothing to be distant from."""
    return _clipped(10 * (1 - float((vector @ own).mean()))) if len(vector) else 0.0


def _mean_pair(vector: NDArray[np.float64]) -> float:
    """The mean cosine of all pairs of unit vectors; 0 without a pair."""
    n = len(vector)
    return float((vector.sum(axis=0) ** 2).sum() - (vector**2).sum()) / (n * (n - 1)) if n > 1 else 0.0


def _clipped(points: float) -> float:
    return min(max(points, 0.0), 10.0)


def completeness(idea: Idea) -> float:
    """Share of the six parts that hold something, in [0, 1]."""
    return sum(idea.get(key) not in EMPTY for key in KEYS) / len(KEYS)


def length_penalty(n_characters: int) -> float:
    """0 for 300 to 700 characters (and for none), 1 for every 100 beyond, at most 10."""
    beyond = max(n_characters - 700, 300 - n_characters, 0) if n_characters else 0
    return min(beyond / 100, 10.0)


def plan(steps: Any, order: Any) -> Plan:
    """Steps and the order they are done in; numbers are compared as numbers, "Step 2" is step 2.

    An order without pairs means that the steps follow each other by number.
    """
    if isinstance(steps, str):
        steps = [line for line in steps.split("\n") if line.strip()]
    if isinstance(order, str):
        order = re.split(r"[,;\n]", order)
    named = steps.items() if isinstance(steps, Mapping) else enumerate(steps if isinstance(steps, list) else (), 1)
    texts = {(_numbers(str(key)) or [str(key)])[0]: str(text) for key, text in named}
    chains = [_numbers(str(item)) for item in (order if isinstance(order, list) else ())]
    if all(len(chain) == 1 for chain in chains):
        chains = [sorted((chain[0] for chain in chains if chain[0] in texts), key=_rank)]
    edges = {pair for chain in chains for pair in pairwise(chain) if texts.keys() >= set(pair)}
    return texts, edges or set(pairwise(sorted(texts, key=_rank)))


def _numbers(text: str) -> list[str]:
    return [digits.lstrip("0") or "0" for digits in re.findall("[0-9]+", text)]


def _rank(key: str) -> tuple[bool, int, str]:
    """Numbers by value, before any words."""
    return not key.isdigit(), len(key), key


def plan_compat(steps: Any, order: Any) -> Plan:
    """The same as published: keys and pairs as they are written, lists from 0, sorted as strings."""
    named = steps.items() if isinstance(steps, Mapping) else enumerate(steps if isinstance(steps, list) else ())
    texts = {str(key): str(text) for key, text in named}
    items = [str(item) for item in order] if isinstance(order, list) else []
    if all(item.isdigit() for item in items):
        edges = set(pairwise(sorted(item for item in items if item in texts)))
    else:
        pairs = [item.split("-") for item in items]
        edges = {(pair[0], pair[1]) for pair in pairs if len(pair) == 2 and set(pair) <= texts.keys()}
    return texts, edges or set(pairwise(sorted(texts)))


def plan_similarity(idea: Idea, gold: Idea, plan_of: Callable[[Any, Any], Plan]) -> float:
    """How alike two plans are in what follows what and in their words, in [0, 1]; 0 where either lacks a part.

    0.6 of the edges in common, 0.4 of the words in common; words alone where a plan has only one step.
    """
    parts = [(one.get("ImplementationSteps"), one.get("ImplementationOrder")) for one in (idea, gold)]
    if any(part in EMPTY for pair in parts for part in pair):
        return 0.0
    (texts, edges), (gold_texts, gold_edges) = (plan_of(steps, order) for steps, order in parts)
    if not texts or not gold_texts:
        return 0.0
    words = _overlap(*(_words(one.values()) for one in (texts, gold_texts)))
    return 0.6 * _overlap(edges, gold_edges) + 0.4 * words if edges and gold_edges else words


def _words(texts: Iterable[str]) -> set[str]:
    joined = " ".join(texts)
    return set(joined.lower().split()) if len(joined.strip()) >= 3 else set()


def _overlap(one: set, other: set) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
