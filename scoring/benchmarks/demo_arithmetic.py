"""Sums and differences of two numbers: 300 made-up questions, no download.

Example: «From 84 subtract 39.» has the answer «45».
"""

from scoring.skills import SkillBenchmark


class DemoArithmetic(SkillBenchmark):
    """Two digits each; level 1 sum, 2 sum with a carry, 3 difference, 4 difference with a borrow."""

    name = "demo_arithmetic"
    scorer_version = 1
    skill = "arithmetic"
