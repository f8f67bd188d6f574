"""Work on the letters of a word: 300 made-up questions, no download.

Example: «Spell taxup backwards.» has the answer «puxat».
"""

from scoring.skills import SkillBenchmark


class DemoStrings(SkillBenchmark):
    """Level 1 and 2 reverse a short and a long word, level 3 drops the vowels."""

    name = "demo_strings"
    scorer_version = 1
    skill = "strings"
