"""How long the reduction takes at the size of LLMRouterBench: 391,645 pairs, 15 routers, 5 seeds, 101 trade-offs.

    python tests/speed/reduction.py [--resamples 2000] [--profile]

Builds a real store (11,868 queries of 15 benchmarks, 33 models, 9 in 10 routers with 101 trade-offs) through the
store's own writers in a temporary folder, then times: the matrix from the store, the routings from the store, all
metrics, and the bootstrap. Scores are synthetic, so only the times mean anything. "All metrics" is a reduction with one
resample; the bootstrap is what more resamples add.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jobs.reduce import ReduceTask, evaluation_of
from jobs.setting import Setting
from scoring.reduction import reduce
from store.layout import Layout
from store.queries import write_queries
from store.records import Query, Response
from store.responses import ResponseWriter
from store.routings import Routing, write_routing
from store.scores import write_scores

N_PAIRS, N_MODELS, N_BENCHMARKS, N_ROUTERS = 391_645, 33, 15, 15
SEEDS, N_TRADE_OFFS = (42, 999, 2024, 2025, 3407), 101
TEXT = "Let us think step by step. " * 20


def build(root: Path) -> Setting:
    """The store, without routings; benchmarks differ in size as the real ones do."""
    rng, layout = np.random.default_rng(0), Layout(root)
    names = tuple(f"benchmark_{number:02}" for number in range(N_BENCHMARKS))
    sizes = np.linspace(60, 1522.5, N_BENCHMARKS).astype(int)
    sizes[-1] += round(N_PAIRS / N_MODELS) - sizes.sum()
    models = tuple(f"model-{number:02}" for number in range(N_MODELS))
    ability, price = rng.uniform(0.2, 0.9, N_MODELS), 10 ** rng.uniform(-4, -2, N_MODELS)
    for name, size in zip(names, sizes.tolist(), strict=True):
        messages = [({"role": "user", "content": f"question {index} of {name}"},) for index in range(size)]
        write_queries(layout, name, [Query(index, "q", "g", messages[index]) for index in range(size)])
        ease = rng.normal(0, 0.25, size)
        for number, model in enumerate(models):
            cost = price[number] * rng.lognormal(0, 1, size)
            writer = ResponseWriter(layout, name, model, "w", {"digest": "d"})
            for index, usd in enumerate(cost.tolist()):
                writer.append(
                    Response(index, 0, TEXT, prompt_tokens=100, completion_tokens=400, cost_usd=usd, finished_at=1e9)
                )
            writer.commit()
            score = {
                "index": np.arange(size), "repeat": np.zeros(size, np.int64),
                "score": (rng.random(size) < ability[number] + ease).astype(float),
                "response_finished_at": np.full(size, 1e9), "prediction": [""] * size, "explanation": [""] * size,
            }  # fmt: skip
            write_scores(layout, name, model, score, {"scorer": "s"})
    return Setting(root=root, name="speed", benchmarks=names, models=models, encoder="none")


def route(setting: Setting) -> tuple[str, ...]:
    """Routings of routers that move from cheap to good models; one in ten has no trade-off."""
    rng, matrix, layout = np.random.default_rng(1), setting.matrix(), Layout(setting.root)
    names = tuple(f"router_{number:02}" for number in range(N_ROUTERS))
    for number, name in enumerate(names):
        n_trade_offs = 1 if number % 10 == 9 else N_TRADE_OFFS
        trade_off = np.linspace(0, 1, n_trade_offs) if n_trade_offs > 1 else np.array([np.nan])
        for seed in SEEDS:
            rows = np.flatnonzero(~setting.train_mask(matrix, seed))
            favour = rng.normal(size=(len(rows), N_MODELS)).argsort(axis=1)[:, : 2 + number]
            choice = np.take_along_axis(
                favour.T, (rng.random((n_trade_offs, len(rows))) * favour.shape[1]).astype(int), axis=0
            )
            meta: dict[str, Any] = {
                "models": list(matrix.models), "benchmarks": list(matrix.benchmarks), "is_reference": False,
                "fit_s": 1.0, "route_s": 1.0, "inputs": [],
                "validation": {"avg_acc": trade_off.tolist(), "cost_usd": trade_off.tolist(),
                               "model_avg_acc": [0.5] * N_MODELS} if n_trade_offs > 1 else None,
            }  # fmt: skip
            utility = np.zeros((n_trade_offs, len(rows), N_MODELS), np.float32)
            routing = Routing(
                benchmark=matrix.benchmark[rows], index=matrix.index[rows], trade_off=trade_off, utility=utility,
                choice=choice.astype(np.int16), meta=meta,
            )  # fmt: skip
            write_routing(layout, setting.name, name, seed, routing)
    return names


def timed(what: str, work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds and result of the best of three runs; printed beside the seconds on the clock."""
    cpu, clock = [], []
    for _ in range(3):
        started = time.process_time(), time.perf_counter()
        result = work()
        cpu.append(time.process_time() - started[0])
        clock.append(time.perf_counter() - started[1])
    print(f"{what:40} {min(cpu):6.2f} s of CPU, {min(clock):6.2f} s on the clock", flush=True)
    return min(cpu), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--profile", action="store_true", help="print where the metrics spend their time")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="routeyard-reduction-") as folder:
        setting = build(Path(folder) / "store")
        routers = route(setting)
        task = ReduceTask(setting=setting, routers=routers, seeds=SEEDS, folder=Path(folder) / "report")
        _, matrix = timed("matrix from the store", setting.matrix)
        print(f"  {matrix.score.size:,} pairs")
        _, evaluation = timed("matrix and routings from the store", lambda: evaluation_of(task, setting.matrix()))
        without, _ = timed("all metrics", lambda: reduce(evaluation, n_resamples=1))
        n_resamples = arguments.resamples
        whole, _ = timed(f"with {n_resamples:,} resamples", lambda: reduce(evaluation, n_resamples=n_resamples))
        print(f"{'the bootstrap alone':40} {whole - without:6.2f} s of CPU")
        if arguments.profile:
            for work in (setting.matrix, lambda: reduce(evaluation, n_resamples=1)):
                with cProfile.Profile(time.process_time) as profile:
                    work()
                pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
