"""How long routers take to fit and to route, on arrays of the size of LLMRouterBench.

    python tests/speed/router_training.py                       # every router, embeddings of 384 and 3,584 dimensions
    python tests/speed/router_training.py --names knn avengers --dims 384
    python tests/speed/router_training.py --names avengers_pro --dims 3584 --seeds 5    # over two processes

11,480 queries of 15 benchmarks, 20 models, 70/30 split; synthetic, so only the times mean anything. "One query" is the
median time to rank the models for a single query whose embedding is there.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from jobs.setting import view
from routers.router import Queries, choose, find, names
from routers.text_router import TextRouter

DATA: tuple[Queries, Queries]  # of a process of its own
N_ONLINE = 50
ANSWER = "Let us think step by step. {} Therefore the answer is {}."
N_QUERIES, N_MODELS, N_BENCHMARKS, LATENT_DIM, TRAIN_RATIO = 11_480, 20, 15, 40, 0.7


def synthetic(dim: int, seed: int = 0) -> tuple[Queries, Queries]:
    """Training and test queries; benchmarks are blobs with structure inside, as embeddings of text have."""
    rng = np.random.default_rng(seed)
    benchmark = rng.integers(N_BENCHMARKS, size=N_QUERIES)
    latent = rng.normal(size=(N_BENCHMARKS, LATENT_DIM))[benchmark] + 0.7 * rng.normal(size=(N_QUERIES, LATENT_DIM))
    embedding = (latent @ rng.normal(size=(LATENT_DIM, dim))).astype(np.float32)
    embedding += rng.normal(scale=3.0, size=embedding.shape).astype(np.float32)
    chance = 1 / (1 + np.exp(-latent @ rng.normal(size=(LATENT_DIM, N_MODELS)) / np.sqrt(LATENT_DIM)))
    score = (rng.random(chance.shape) < chance).astype(np.float64)
    cost = rng.lognormal(-7.0, 1.0, size=score.shape)
    is_train = rng.random(N_QUERIES) < TRAIN_RATIO
    models = tuple(f"model-{m:02}" for m in range(N_MODELS))
    word = np.array(["so", "then", "hence", "since", "thus"])
    answer = [
        [ANSWER.format(" ".join(word[rng.integers(5, size=12)]), rng.integers(99)) for _ in range(N_QUERIES)]
        for _ in models
    ]

    def part(row: np.ndarray) -> Queries:
        return Queries(
            models=models,
            n_queries=len(row),
            text=tuple(f"query {i} of benchmark {benchmark[i]}" for i in row),
            embedding=embedding[row],
            benchmark=benchmark[row],
            score=score[row],
            cost=cost[row],
            answer=tuple(tuple(lines[i] for i in row) for lines in answer),
        )

    return part(np.flatnonzero(is_train)), part(np.flatnonzero(~is_train))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    quick = [name for name in names() if not issubclass(find(name), TextRouter)]
    parser.add_argument("--names", nargs="+", default=quick, choices=quick, help="which routers")
    parser.add_argument("--dims", nargs="+", type=int, default=[384, 3584], help="widths of the embedding")
    parser.add_argument("--seeds", type=int, default=0, help="fit and route with so many, in two processes")
    arguments = parser.parse_args()
    if arguments.seeds:
        for dim in arguments.dims:
            for name in arguments.names:
                seconds_of = seeds_side_by_side(name, dim, arguments.seeds)
                print(f"{name}, {dim} dimensions, {arguments.seeds} seeds in two processes: {seconds_of:.2f} s")
        return
    print(f"{'router':<16}{'dim':>6}{'fit s':>9}{'route s':>9}{'CPU s':>9}{'trade-offs':>12}{'one query, ms':>15}")
    for dim in arguments.dims:
        train, test = synthetic(dim)
        for name in arguments.names:
            router = find(name)()
            asked = view(test, np.arange(test.n_queries), router.inputs)
            single = [view(test, np.array([row]), router.inputs) for row in range(N_ONLINE)]
            start, start_cpu = time.perf_counter(), time.process_time()
            router.fit(train)
            fitted = time.perf_counter()
            choose(router.predict(asked))
            done, cpu = time.perf_counter(), time.process_time() - start_cpu
            ms = 1000 * np.median([seconds(router.predict, query) for query in single])
            fit_s, route_s, n_trade_offs = fitted - start, done - fitted, len(router.trade_offs())
            print(f"{name:<16}{dim:>6}{fit_s:>9.2f}{route_s:>9.2f}{cpu:>9.2f}{n_trade_offs:>12}{ms:>15.3f}", flush=True)


def fit_and_route(name: str, seed: int) -> None:
    train, test = DATA
    router = find(name)(seed=seed).fit(train)
    choose(router.predict(view(test, np.arange(test.n_queries), router.inputs)))


def seeds_side_by_side(name: str, dim: int, n_seeds: int) -> float:
    """Seconds from the first fit to the last choice; each process has one thread, as `jobs.executor` has it."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(2, get_context("spawn"), initializer=load, initargs=(dim,)) as pool:
        list(pool.map(warm_up, range(8)))
        start = time.perf_counter()
        list(pool.map(fit_and_route, [name] * n_seeds, range(n_seeds)))
        return time.perf_counter() - start


def load(dim: int) -> None:
    import sklearn.cluster  # noqa: F401, a second to import

    global DATA
    DATA = synthetic(dim)


def warm_up(_: int) -> None:
    time.sleep(0.2)


def seconds(call: Callable[[Queries], np.ndarray], queries: Queries) -> float:
    start = time.perf_counter()
    choose(call(queries))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
