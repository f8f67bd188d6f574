"""The five skills: seeded, training never meets a test problem, and every answer is computed here a second way."""

import re
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest

from scoring.benchmark import find
from scoring.skills import N_TEST, SKILLS, held_out_problems, training_problems


def generate(skill, n, seed=1):
    rng = np.random.default_rng(seed)
    return [SKILLS[skill](rng) for _ in range(n)]


def knights_by_search(core):
    """Who is a knight, from the words of the claims alone."""
    said = dict(re.findall(r"(\w+) says ([^.]+)\.", core))
    people = [*said, *re.findall(r"(\w+) is silent", core)]
    worlds = [dict(zip(people, values, strict=True)) for values in product((True, False), repeat=len(people))]
    (world,) = (w for w in worlds if all(claim_holds(claim, who, w) == w[who] for who, claim in said.items()))
    return " and ".join(name for name in people if world[name]) or "nobody"


def claim_holds(claim, speaker, world):
    n_knights = sum(world.values())
    of_all = {
        "all are knaves": n_knights == 0,
        "someone is a knave": n_knights < len(world),
        "exactly one is a knight": n_knights == 1,
    }
    if claim in of_all:
        return of_all[claim]
    if match := re.fullmatch(r"(\w+) is (not )?like me", claim):
        return (world[match[1]] == world[speaker]) != bool(match[2])
    if match := re.fullmatch(r"I am a knave or (\w+) a knight", claim):
        return not world[speaker] or world[match[1]]
    match = re.fullmatch(r"(\w+) is a (knight|knave)", claim)
    return world[match[1]] == (match[2] == "knight")


SECOND_WAY = {
    "sort": lambda core: "".join(sorted(core.split())),
    "arithmetic": lambda core: str(eval(core)),
    "strings": lambda core: (
        core.split()[1][::-1] if core.startswith("reverse") else re.sub("vowels |[aeiou]", "", core)
    ),
    "logic": lambda core: str(eval(core.replace("true", "True").replace("false", "False"))).lower(),
    "knights": knights_by_search,
}


@pytest.mark.parametrize("skill", SKILLS)
def test_answers_agree_with_a_second_computation(skill):
    for problem in generate(skill, 2000):
        assert problem.answer == SECOND_WAY[skill](problem.core), problem


@pytest.mark.parametrize("skill", ["sort", "logic", "knights"])
def test_the_question_contains_its_problem(skill):
    assert all(problem.core in problem.question for problem in generate(skill, 500))


def test_an_arithmetic_question_has_the_operands_in_order_and_names_the_operation():
    for problem in generate("arithmetic", 500):
        first, sign, second = problem.core.split()
        assert re.findall(r"\d+", problem.question) == [first, second]
        words = r"plus|Add|sum|\+" if sign == "+" else r"minus|Take|subtract|-"
        assert re.search(words, problem.question)


def test_a_string_question_has_the_word_and_names_the_work():
    for problem in generate("strings", 500):
        work, word = problem.core.split()
        assert re.search(rf"\b{word}\b", problem.question)
        assert ("vowels" in problem.question) == (work == "vowels")


@pytest.mark.parametrize("skill", SKILLS)
def test_the_same_seed_gives_the_same_problems_and_another_seed_others(skill):
    assert generate(skill, 50) == generate(skill, 50)
    assert generate(skill, 50) != generate(skill, 50, seed=2)


@pytest.mark.parametrize("skill", SKILLS)
def test_the_test_set_has_different_problems_of_every_level_in_several_phrasings(skill):
    problems = held_out_problems(skill)
    assert len(problems) == len({problem.core for problem in problems}) == N_TEST
    levels = [problem.level for problem in problems]
    assert set(levels) == set(range(1, max(levels) + 1))
    assert min(levels.count(level) for level in set(levels)) > 40
    around = {re.sub(r"\b[a-z]+\b|\d", "", problem.question.replace(problem.core, "_")) for problem in problems}
    assert len(around) >= 2


@pytest.mark.parametrize("skill", SKILLS)
def test_training_meets_no_test_problem_in_any_phrasing(skill):
    held_out = {problem.core for problem in held_out_problems(skill)}
    trained = list(islice(training_problems(skill, np.random.default_rng(5)), 5000))
    assert not held_out & {problem.core for problem in trained}
    assert not {p.question for p in held_out_problems(skill)} & {problem.question for problem in trained}


def test_without_the_rule_training_would_meet_test_problems():
    held_out = {problem.core for problem in held_out_problems("arithmetic")}
    assert held_out & {problem.core for problem in generate("arithmetic", 5000)}


@pytest.mark.parametrize("skill", SKILLS)
def test_a_benchmark_asks_the_test_set(skill):
    queries = find(f"demo_{skill}").queries(Path("there is no such folder"))
    assert [(q.text, q.ground_truth, q.metadata["level"]) for q in queries] == [p[:3] for p in held_out_problems(skill)]
    assert all(query.messages == ({"role": "user", "content": query.text},) for query in queries)


@pytest.mark.parametrize("skill", SKILLS)
def test_the_scorer_takes_the_answer_and_nothing_else(skill):
    benchmark = find(f"demo_{skill}")
    for query in benchmark.load(Path())[:20]:
        assert benchmark.score(query, query.ground_truth).value == 1
        assert benchmark.score(query, f" {query.ground_truth}\n").value == 1
        for wrong in ("", query.ground_truth + "x", f"It is {query.ground_truth}", query.ground_truth[:-1]):
            score = benchmark.score(query, wrong)
            assert (score.value, score.prediction) == (0, wrong.strip())
            assert query.ground_truth in score.explanation
