"""Knights tell the truth, knaves lie: 300 made-up puzzles, no download.

Example: «Hal says Leo is a knave. Leo says all are knaves. Who is a knight?» has the answer «Hal».
"""

from scoring.skills import SkillBenchmark


class DemoKnights(SkillBenchmark):
    """Level 1, 2, 3: one of two people speaks, both speak, three speak."""

    name = "demo_knights"
    scorer_version = 1
    skill = "knights"
