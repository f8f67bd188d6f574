"""Sorting letters: 300 made-up questions, no download.

Example: «Put t q i in alphabetical order.» has the answer «iqt».
"""

from scoring.skills import SkillBenchmark


class DemoSort(SkillBenchmark):
    """Three to eight letters; level 1, 2, 3 is 3-4, 5-6, 7-8 of them."""

    name = "demo_sort"
    scorer_version = 1
    skill = "sort"
