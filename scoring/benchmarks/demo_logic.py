"""Boolean formulas in words: 300 made-up questions, no download.

Example: «Is it true or false: (false or false) or not true?» has the answer «false»; guessing is right half the time.
"""

from scoring.skills import SkillBenchmark


class DemoLogic(SkillBenchmark):
    """Level 1, 2, 3 is a formula of three, four, five constants."""

    name = "demo_logic"
    scorer_version = 1
    skill = "logic"
