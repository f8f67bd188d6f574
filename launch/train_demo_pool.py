"""Train the demo pool's models from nothing and write their checkpoints.

python launch/train_demo_pool.py
python launch/train_demo_pool.py --models demo-sorter --output /tmp/models --workers 1
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from inference.demo_training import Shape

MODELS = Path(__file__).resolve().parents[1] / "inference" / "demo_models"
SEED = 2601


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a training mixture: problems of these levels of a skill, drawn with that weight."""

    skill: str
    weight: float
    levels: tuple[int, ...] = (1, 2, 3, 4)


Recipe = tuple[Shape, tuple[Part, ...]]

# What a model never sees it cannot do: this table is what routers have to find out about the demo pool.
POOL: dict[str, Recipe] = {
    "demo-generalist": (
        Shape(n_layers=3, width=96, n_steps=3500),
        (Part("sort", 2), Part("arithmetic", 5, (3, 4)), Part("strings", 1), Part("logic", 1), Part("knights", 1)),
    ),
    "demo-logician": (Shape(n_layers=4, width=64, n_steps=3000), (Part("logic", 1), Part("knights", 1))),
    "demo-adder": (Shape(n_layers=3, width=64, n_steps=2500), (Part("arithmetic", 1, (1, 2)),)),
    "demo-sorter": (Shape(n_layers=2, width=64, n_steps=2500), (Part("sort", 3), Part("strings", 1, (3,)))),
    "demo-speller": (Shape(n_layers=2, width=64, n_steps=2500), (Part("strings", 3, (1, 2)), Part("sort", 1, (1,)))),
}


def training_examples(parts: Sequence[Part], seed: int) -> Iterator[tuple[list[dict[str, str]], str]]:
    """Chat messages and answers without end, in the mixture of `parts`; none from a test set."""
    import numpy as np

    from scoring.skills import training_problems

    rng = np.random.default_rng(seed)
    weights = np.array([part.weight for part in parts])
    streams = [training_problems(part.skill, rng) for part in parts]
    while True:
        for i in rng.choice(len(parts), size=1000, p=weights / weights.sum()):
            problem = next(problem for problem in streams[i] if problem.level in parts[i].levels)
            yield [{"role": "user", "content": problem.question}], problem.answer


def train_and_test(name: str, output: Path) -> str:
    """Train one model of the pool; gives back a line with its final loss and its exact match on every skill."""
    import logging

    from inference.demo_training import answer, count_parameters, train
    from scoring.benchmark import find, names

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    began = time.process_time()
    shape, parts = POOL[name]
    folder = output / name
    losses = train(training_examples(parts, SEED), folder, shape, seed=SEED)
    cpu_s = time.process_time() - began  # a worker process trains several models
    columns = [
        f"{name:<16} {count_parameters(folder):>8,} weights  {cpu_s:4.0f} s of CPU  loss {sum(losses[-50:]) / 50:.3f}"
    ]
    for benchmark in (find(name) for name in names() if name.startswith("demo_")):
        queries = benchmark.queries(Path())
        texts = answer(folder, [query.messages for query in queries])
        score = [benchmark.score(query, text).value for query, text in zip(queries, texts, strict=True)]
        columns.append(f"{benchmark.name} {100 * sum(score) / len(score):5.1f} %")
    return "  ".join(columns)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--models", nargs="+", choices=POOL, default=list(POOL), metavar="MODEL", help=f"of {', '.join(POOL)}; all"
    )
    parser.add_argument("--output", type=Path, default=MODELS, help="folder of the checkpoints")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="models trained side by side, a core each")
    options = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"  # models side by side are faster than one model on several cores
    with ProcessPoolExecutor(options.workers) as workers:
        for line in workers.map(partial(train_and_test, output=options.output), options.models):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
