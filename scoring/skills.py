"""Five skills as seeded generators of questions, and the benchmark that asks 300 of each.

They make the `demo_*` benchmarks, which need no download, and the training data of the demo pool's models. A problem
has a *core* (the letters, the operands, the formula, the claims) and one of several phrasings. The test set of a skill
comes from a fixed seed; training streams skip every core in it, so that a model that was trained here has not met a
test problem in any wording.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator

from scoring.benchmark import Benchmark, BenchmarkError
from store.records import Message, Query, Score

N_TEST = 300
TEST_SEED = 2601


class Problem(NamedTuple):
    """A question with its answer.

    Attributes:
        question: one phrasing of the problem.
        answer: the only text that counts as right.
        level: kind and difficulty, from 1; what it means is said by the generator.
        core: the problem without its phrasing.
    """

    question: str
    answer: str
    level: int
    core: str


def sort(rng: Generator) -> Problem:
    """Letters to sort. Levels 1, 2, 3 have 3-4, 5-6, 7-8 different letters."""
    level = int(rng.integers(1, 4))
    letters = [chr(ord("a") + n) for n in rng.permutation(26)[: 2 * level + rng.integers(1, 3)]]
    core = " ".join(letters)
    templates = (
        "Sort the letters {}.",
        "Put {} in alphabetical order.",
        "Alphabetize {}.",
        "Order these letters from a to z: {}",
    )
    return Problem(_pick(rng, templates).format(core), "".join(sorted(letters)), level, core)


def arithmetic(rng: Generator) -> Problem:
    """Sum or difference below 100. Levels: 1 sum, 2 sum with a carry, 3 difference, 4 difference with a borrow."""
    a, b = (int(n) for n in rng.integers(10, 90, 2))
    if rng.integers(2):
        a, b = (a, b) if a + b < 100 else (99 - a, 99 - b)
        templates = ("What is {} plus {}?", "Add {} and {}.", "Find the sum of {} and {}.", "Compute {} + {}.")
        level = 1 + (a % 10 + b % 10 > 9)
        return Problem(_pick(rng, templates).format(a, b), str(a + b), level, f"{a} + {b}")
    a, b = max(a, b), min(a, b)
    templates = ("What is {} minus {}?", "Take from {} the number {}.", "From {} subtract {}.", "Compute {} - {}.")
    level = 3 + (a % 10 < b % 10)
    return Problem(_pick(rng, templates).format(a, b), str(a - b), level, f"{a} - {b}")


def strings(rng: Generator) -> Problem:
    """An invented word. Levels: 1 reverse 4-5 letters, 2 reverse 6-8 letters, 3 drop the vowels of 5-8 letters."""
    level = int(rng.integers(1, 4))
    length = int(rng.integers(*((4, 6), (6, 9), (5, 9))[level - 1]))
    syllables = zip(rng.integers(21, size=5), rng.integers(5, size=5), strict=True)
    word = "".join("bcdfghjklmnpqrstvwxyz"[i] + "aeiou"[j] for i, j in syllables)[rng.integers(2) :][:length]
    if level < 3:
        templates = ("Reverse the word {}.", "Spell {} backwards.", "Write {} in reverse.", "Read {} from the end.")
        return Problem(_pick(rng, templates).format(word), word[::-1], level, f"reverse {word}")
    templates = (
        "Remove the vowels from {}.",
        "Write {} without vowels.",
        "Drop all vowels of {}.",
        "{} without vowels?",
    )
    answer = "".join(letter for letter in word if letter not in "aeiou")
    return Problem(_pick(rng, templates).format(word), answer, level, f"vowels {word}")


def logic(rng: Generator) -> Problem:
    """A Boolean formula in words, true or false. Levels 1, 2, 3 have three, four, five constants."""
    level = int(rng.integers(1, 4))
    parts = [_negate(rng, *(("true", True), ("false", False))[rng.integers(2)], 3) for _ in range(level + 2)]
    while len(parts) > 1:
        at = int(rng.integers(len(parts) - 1))
        (left, left_value), (right, right_value) = parts[at : at + 2]
        word, value = (("and", left_value and right_value), ("or", left_value or right_value))[rng.integers(2)]
        pair = f"{left} {word} {right}"
        parts[at : at + 2] = [(pair, value) if len(parts) == 2 else _negate(rng, f"({pair})", value, 4)]
    formula, value = parts[0]
    templates = ("Is it true or false: {}?", "Evaluate the formula {}.", "Logically, what is {}?", "Truth value of {}?")
    return Problem(_pick(rng, templates).format(formula), str(value).lower(), level, formula)


NAMES = (
    *("Ann", "Bob", "Cid", "Dee", "Eli", "Fay", "Gus", "Hal", "Ida", "Jon", "Kay", "Leo"),
    *("Mia", "Ned", "Ola", "Pam", "Ray", "Sue", "Tom", "Una", "Vic", "Wes", "Yul", "Zoe"),
)
Claim = tuple[str, Callable[..., bool]]  # words, and their truth given who is a knight, the speaker first


def knights(rng: Generator) -> Problem:
    """Knights tell the truth, knaves lie: who is a knight? Levels: 1 one of two speaks, 2 both speak, 3 three speak.

    Claims are drawn until exactly one assignment of knights and knaves agrees with them.
    """
    level = int(rng.integers(1, 4))
    people = [NAMES[i] for i in rng.permutation(len(NAMES))[: max(2, level)]]
    speakers = people[: 1 if level == 1 else None]
    while True:
        claims = [_claim(rng, [*people[i:], *people[:i]]) for i in range(len(speakers))]
        worlds = [
            world
            for world in product((True, False), repeat=len(people))
            if all(said(*world[i:], *world[:i]) == world[i] for i, (_, said) in enumerate(claims))
        ]
        if len(worlds) == 1:
            break
    core = " ".join(f"{who} says {words}." for who, (words, _) in zip(speakers, claims, strict=True))
    answer = " and ".join(name for name, is_knight in zip(people, worlds[0], strict=True) if is_knight) or "nobody"
    templates = ("{} Who is a knight?", "Knights and knaves: {} Who is a knight?", "{} Who is no knave?")
    others = "" if level > 1 else f" {people[1]} is silent."
    return Problem(_pick(rng, templates).format(core + others), answer, level, core + others)


def _claim(rng: Generator, people: list[str]) -> Claim:
    """One claim of the first of `people` about another one or about all."""
    other = int(rng.integers(1, len(people)))
    name = people[other]
    claims: list[Claim] = [
        (f"{name} is a knight", lambda *knight: knight[other]),
        (f"{name} is a knave", lambda *knight: not knight[other]),
        ("all are knaves", lambda *knight: not any(knight)),
        ("someone is a knave", lambda *knight: not all(knight)),
        (f"{name} is like me", lambda *knight: knight[other] == knight[0]),
        (f"{name} is not like me", lambda *knight: knight[other] != knight[0]),
        (f"I am a knave or {name} a knight", lambda *knight: not knight[0] or knight[other]),
        ("exactly one is a knight", lambda *knight: sum(knight) == 1),
    ]
    return claims[rng.integers(len(claims))]


def _negate(rng: Generator, formula: str, value: bool, one_in: int) -> tuple[str, bool]:
    """The formula and its value, both negated once in `one_in` times."""
    return (f"not {formula}", not value) if rng.integers(one_in) == 0 else (formula, value)


def _pick(rng: Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]


SKILLS: dict[str, Callable[[Generator], Problem]] = {
    generate.__name__: generate for generate in (sort, arithmetic, strings, logic, knights)
}


@cache
def held_out_problems(skill: str, n: int = N_TEST) -> tuple[Problem, ...]:
    """The first `n` problems with different cores of a fixed stream: the skill's test set, or more for a load test.

    Raises:
        BenchmarkError: the skill has not so many.
    """
    rng = np.random.default_rng([TEST_SEED, sorted(SKILLS).index(skill)])
    problems: dict[str, Problem] = {}
    for _ in range(100 * n):
        problem = SKILLS[skill](rng)
        problems.setdefault(problem.core, problem)
        if len(problems) == n:
            return tuple(problems.values())
    raise BenchmarkError(f"demo_{skill}: n_queries={n}: there are only about {len(problems)} different problems")


def training_problems(skill: str, rng: Generator) -> Iterator[Problem]:
    """Problems without end, none with a core of the test set."""
    held_out = {problem.core for problem in held_out_problems(skill)}
    while True:
        problem = SKILLS[skill](rng)
        if problem.core not in held_out:
            yield problem


class SkillBenchmark(Benchmark):
    """The test set of one skill as a benchmark: the question alone as prompt, exact match as score.

    Attributes:
        skill: key of `SKILLS`.
    """

    skill: ClassVar[str]

    def __init__(self, *, n_queries: int = N_TEST) -> None:
        """
        Args:
            n_queries: more than `N_TEST` make a load test; models that were trained here may have met the others.
        """
        self.n_queries = n_queries

    def load(self, data_dir: Path) -> list[Query]:
        """The test set; `data_dir` is not looked at."""
        return [
            Query(index, problem.question, problem.answer, metadata={"level": problem.level})
            for index, problem in enumerate(held_out_problems(self.skill, self.n_queries))
        ]

    def prompt(self, query: Query) -> list[Message]:
        """The question as one user message."""
        return [{"role": "user", "content": query.text}]

    def score(self, query: Query, text: str) -> Score:
        """1 if the output without surrounding white space equals the answer, else 0."""
        prediction = text.strip()
        is_right = prediction == query.ground_truth
        return Score(float(is_right), prediction, "" if is_right else f"expected {query.ground_truth!r}")
